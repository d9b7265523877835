# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""The cache file: spoilt, cut, replaced, shared, or without room."""

import os
import signal
import struct
import subprocess
import threading
import time

from . import chance, stage
from .chance import goes_on
from .stage import Cold, Daemon, Load, NOBODY, domains, expect, wait_until

UNAVAILABLE, NO_PERMISSION = 69, 77
PAIRS = domains(1, 60)
VERSION_AT = 8  # src/cache/FORMAT
PAGES_AT = 16384


def flip_bit(file, at, lot):
    file.seek(at)
    octet = file.read(1)[0]
    file.seek(at)
    file.write(bytes([octet ^ 1 << lot.randrange(8)]))


def flip(path, count, first, lot):
    """Flips single bits of a file in place."""
    with open(path, "r+b") as file:
        size = os.fstat(file.fileno()).st_size
        for _ in range(count):
            flip_bit(file, lot.randrange(first, size), lot)


def used_pages(path):
    """The offsets of pages that hold entries."""
    with open(path, "rb") as file:
        octets = file.read()
    return [at for at in range(PAGES_AT, len(octets), PAGES_AT)
            if any(octets[at + 8:at + 12])]


def spoil_entries(path, lot):
    """Flips bits where entries lie, at the end of each page in use."""
    with open(path, "r+b") as file:
        for page in used_pages(path):
            for _ in range(12):
                flip_bit(file, page + PAGES_AT - lot.randrange(1, 400), lot)


def spoil(path, noise, lot):
    """Bits of entries, and so many anywhere behind the header."""
    spoil_entries(path, lot)
    flip(path, noise, PAGES_AT, lot)
    chance.count(spoilt=1)


def filled(dns, **settings):
    server = Daemon(dns.folder, cache_size="4M", **settings)
    server.start()
    server.wait_listening()
    server.fill(PAIRS)
    return server


@goes_on
def test_flipped_while_stopped(dns):
    """bits flipped while danemapd is stopped never make a wrong answer"""
    server, lot = filled(dns), chance.lot("bits")
    try:
        for _ in chance.rounds(4):
            server.stop()
            spoil(server.cache, 2000, lot)
            server.start()
            server.wait_listening()
            server.fill(PAIRS)
    finally:
        server.__exit__()


def test_flipped_header(dns):
    """a flipped bit in the header starts an empty cache, with a line"""
    server = filled(dns)
    try:
        for at in (3, 9, 20, 60, 90, 110, 130, 140):
            server.stop()
            with open(server.cache, "r+b") as file:
                file.seek(at)
                octet = file.read(1)[0]
                file.seek(at)
                file.write(bytes([octet ^ 4]))
            before = server.log().count("starts empty")
            server.start()
            server.wait_listening()
            expect(server.log().count("starts empty") == before + 1,
                   "octet", at, "was not noticed")
        server.fill(PAIRS)
    finally:
        server.__exit__()


@goes_on
def test_flipped_while_running(dns):
    """bits flipped under a running danemapd never make a wrong answer"""
    server, lot = filled(dns), chance.lot("bits")
    try:
        with Load(server, PAIRS, clients=4) as load:
            for _ in chance.rounds(20):
                spoil(server.cache, 200, lot)
                time.sleep(0.05)
        load.check()
        expect(server.settled(), "a process was lost", server.log()[-800:])
    finally:
        server.__exit__()


def cut(server, size):
    """Cuts the file; until all are at work with another."""
    inode = os.stat(server.cache).st_ino
    os.truncate(server.cache, size)
    chance.count(spoilt=1)
    # The log is no witness: several may have asked for a new one, one after
    # the other.
    wait_until(lambda: os.stat(server.cache).st_ino != inode, 20,
               server.last_words)
    expect(os.stat(server.cache).st_size == 4 << 20)
    wait_until(server.settled, 20, server.last_words)


@goes_on
def test_cut_while_running(dns):
    """a file cut under a running danemapd makes misses, then a new file"""
    server = filled(dns)
    try:
        with Load(server, PAIRS, clients=4) as load:
            for n in chance.rounds(3):
                cut(server, (0, 5000, 1 << 20)[n % 3])
        load.check()
        server.fill(PAIRS)
        with dns.silent():
            server.fill(PAIRS)
    finally:
        server.__exit__()


@goes_on
def test_zeros_while_running(dns):
    """a file filled with zeros or noise under a running danemapd harms nobody"""
    server, lot = filled(dns), chance.lot("noise")
    try:
        with Load(server, PAIRS, clients=4) as load, \
                open(server.cache, "r+b") as file:
            for n in chance.rounds(3):
                file.seek(0)
                file.write((bytes(4 << 20), lot.randbytes(4 << 20),
                            b"\xff" * (4 << 20))[n % 3])
                file.flush()
                chance.count(spoilt=1)
                time.sleep(0.5)
        load.check()
        expect(server.settled(), "a process was lost")
    finally:
        server.__exit__()


def spoil_and_start(dns, change, words):
    """What is done to the file starts an empty cache, and a line says so."""
    server = filled(dns)
    try:
        server.stop()
        change(server.cache)
        server.start()
        server.wait_listening()
        line = server.log_about("starts empty")
        expect(words in line, "the log lacks", words, ":", server.log()[-600:])
        server.fill(PAIRS)
        status = os.stat(server.cache, follow_symlinks=False)
        expect(status.st_size == 4 << 20 and status.st_mode & 0o7777 == 0o600
               and status.st_uid == stage.NOBODY.pw_uid, status)
    finally:
        server.__exit__()


def write_version(path):
    with open(path, "r+b") as file:
        file.seek(VERSION_AT)
        file.write(struct.pack("=I", 99))


def test_wrong_version(dns):
    """a file of another version starts an empty cache"""
    spoil_and_start(dns, write_version, "of another version")


def test_cut_while_stopped(dns):
    """a file that was cut while danemapd was stopped starts an empty cache"""
    spoil_and_start(dns, lambda path: os.truncate(path, 100000), "damaged")


def test_empty_file(dns):
    """a file without a single octet starts an empty cache"""
    spoil_and_start(dns, lambda path: os.truncate(path, 0), "no header")


def test_wrong_owner(dns):
    """a file of somebody else's starts an empty cache"""
    spoil_and_start(dns, lambda path: os.chown(path, 1, 1), "owned by user 1")


def test_open_to_others(dns):
    """a file that others may write starts an empty cache"""
    spoil_and_start(dns, lambda path: os.chmod(path, 0o666), "open to others")


def start_as_nobody(server):
    """Without root from the beginning."""
    command = server.command
    server.command = lambda: [
        "setpriv", "--reuid=%d" % NOBODY.pw_uid, "--regid=%d" % NOBODY.pw_gid,
        "--clear-groups", *command()]
    server.start()


def test_user_after_root(dns):
    """what a start as root has made, its user may use without root"""
    server = filled(dns)
    try:
        server.stop()
        before = server.log_size()
        start_as_nobody(server)
        server.wait_listening()
        expect("starts empty" not in server.log_after(before), server.log())
    finally:
        server.__exit__()


def test_lock_of_another(dns):
    """a lock file that is another user's is said to be, with the remedy"""
    server = filled(dns)
    server.stop()
    os.chown(server.folder / "cache.lock", 1, 1)
    before = server.log_size()
    start_as_nobody(server)
    status = server.process.wait(15)
    said = server.log_after(before)
    expect(status == NO_PERMISSION, "status", status, said)
    expect("cache.lock is of user 1: give it" in said, said)
    server.own.cleanup()


def link_away(path):
    victim = path.parent / "victim"
    victim.write_text("precious")
    path.unlink()
    path.symlink_to(victim)


def test_symlink(dns):
    """a symbolic link in the file's place is replaced, not followed"""
    spoil_and_start(dns, link_away, "a symbolic link")


def test_other_size(dns):
    """another cache_size starts an empty cache"""
    server = filled(dns)
    try:
        server.stop()
        server.settings["cache_size"] = "5M"
        server.start()
        server.wait_listening()
        expect("cache_size says 5M" in server.log(), server.log()[-600:])
    finally:
        server.__exit__()


def test_other_anchor(dns):
    """another trust anchor starts an empty cache: what it held is not served"""
    server = filled(dns)
    try:
        server.stop()
        other = server.folder / "other.key"
        own = (server.tree / "root.key").read_text()
        other.write_text(own + ". IN DS 20326 8 2 " + "AB" * 32 + "\n")
        server.settings["trust_anchor_file"] = other
        with dns.silent():
            server.start()
            wait_until(lambda: server.try_ask(PAIRS[0][0]), 10, "an answer")
            expect("other trust anchors" in server.log_about("starts empty"),
                   server.log()[-600:])
            reply = server.ask(PAIRS[1][0])
            expect(reply.startswith("TEMP "), reply)
    finally:
        server.__exit__()


def test_two_daemons(dns):
    """a second danemapd on the same file ends with 69 and says who has it"""
    with Daemon(dns.folder) as first:
        second = Daemon(dns.folder, cache_file=first.cache)
        second.start()
        status = second.process.wait(15)
        expect(status == UNAVAILABLE, "status", status)
        expect("in use by process %d" % first.process.pid in second.log(),
               second.log())
        expect(first.ask("one.cases.nsec") == stage.SECURE)
        second.own.cleanup()


def test_not_a_file(dns):
    """a folder in the file's place is refused"""
    server = Daemon(dns.folder)
    server.cache.mkdir()
    server.start()
    status = server.process.wait(15)
    expect(status != 0 and "not a regular file" in server.log() or
           "cannot open" in server.log(), status, server.log())
    server.own.cleanup()


def test_full_disk(dns):
    """a file system without room is refused with the way out"""
    server = Daemon(dns.folder, cache_size="8M")
    small = server.folder / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=777", "none",
                    small], check=True)
    try:
        server.settings["cache_file"] = small / "cache"
        server.start()
        status = server.process.wait(15)
        expect(status == 71, "status", status, server.log())
        expect("no room for the cache" in server.log() and
               "lower cache_size" in server.log(), server.log())
        expect(os.listdir(small) in (["cache.lock"], []), os.listdir(small))
    finally:
        subprocess.run(["umount", small], check=True)
        server.own.cleanup()


def test_full_disk_at_reload(dns):
    """a reload to a cache without room keeps the old one"""
    with Daemon(dns.folder) as server:
        small = server.folder / "small"
        small.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=777",
                        "none", small], check=True)
        try:
            server.configure(cache_file=small / "cache")
            server.reload(False)
            expect("no room for the cache" in server.log())
            expect(server.ask("one.cases.nsec") == stage.SECURE)
        finally:
            subprocess.run(["umount", "-l", small], check=True)


def test_small_cache(dns):
    """more domains than the cache holds are answered, from the DNS if need be"""
    with Daemon(dns.folder, cache_size="4M") as server:
        pairs = domains()
        chance.lot("order").shuffle(pairs)
        server.fill(pairs)
        server.fill(pairs)


def kill_writer(server, pairs, lot):
    """kill -9 while the resolver writes these."""
    pid, = server.named("reso")
    killing = threading.Timer(lot.uniform(0, 0.06), os.kill,
                              (pid, signal.SIGKILL))
    killing.start()
    server.fill(pairs)
    killing.join()
    chance.count(kills=1)
    wait_until(lambda: stage.is_gone(pid) and server.settled(), 10,
               server.last_words)


@goes_on
def test_writer_killed(dns):
    """a resolver killed while it writes leaves a cache that others read"""
    lot, cold, blocks = chance.lot("kills"), Cold(), stage.N_DOMAINS // 6
    with Daemon(dns.folder) as server:
        for n in chance.rounds(12):
            if n and n % blocks == 0:
                server.forget()
            first = 1 + n % blocks * 6
            kill_writer(server, domains(first, first + 5), lot)
            # One kill at a time: a question in flight at two is given up.
            wait_until(lambda: cold.answered(server), 10, server.last_words)
        server.fill(domains(1, first + 5))
