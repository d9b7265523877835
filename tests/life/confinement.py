# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""What danemapd's processes have given up, looked at from outside and tried
from inside: gdb makes them call what an intruder would."""

import ctypes
import os
import pathlib
import re
import socket
import struct
import subprocess

from e2e import daemon

from .command import status_of
from .stage import Daemon, expect, wait_until

KINDS = ("work", "reso", "ctrl")
EPERM, EACCES, ENOENT = 1, 13, 2
LIBC = ctypes.CDLL(None, use_errno=True)
PIDFD_GETFD = 438   # python has no name for it
ORDER_REPLACE = 12  # wire/order.h

# A name for each attempt, the call, and who may make it.
OPEN = "(int)open(\"%s\", %d)"
ATTEMPTS = [
    ("read a file", OPEN % ("/etc/passwd", os.O_RDONLY), ()),
    ("write a file", OPEN % ("/dev/null", os.O_WRONLY), ()),
    ("make an IPv4 socket", "(int)socket(2, 1, 0)", ("reso",)),
    ("make a unix socket", "(int)socket(1, 1, 0)", ()),
    ("make a packet socket", "(int)socket(17, 3, 0)", ()),
    ("fork", "(int)fork()", ()),
    ("start a program", "(int)execve(\"/bin/true\", 0, 0)", ()),
    ("signal its parent", "(int)kill((int)getppid(), 0)", ()),
    ("make code of memory",
     "(int)mprotect((long)sbrk(0) & ~4095, 4096, 7)", ()),
    ("read its own memory", OPEN % ("/proc/self/mem", os.O_RDONLY), ()),
]


def call(pid, *calls):
    """What each C expression returns within the process, and errno after."""
    words = ["gdb", "-nx", "-batch", "-p", str(pid), "-ex", "set confirm off"]
    for text in calls:
        words += ["-ex", "print " + text,
                  "-ex", "print *(int *)((void *(*)(void))__errno_location)()"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60,
                          check=False)
    values = [int(v) for v in re.findall(r"^\$\d+ = (-?\d+)", done.stdout,
                                         re.MULTILINE)]
    expect(len(values) == 2 * len(calls), done.stdout[-800:],
           done.stderr[-800:])
    return list(zip(values[::2], values[1::2]))


def processes(server):
    wait_until(server.settled, 10, "all processes")
    return [server.process.pid, *server.children()]


def test_given_up(dns):
    """no process has capabilities, a second thread, or can be traced or dumped"""
    with Daemon(dns.folder) as server:
        for pid in processes(server):
            status = status_of(pid)
            expect(status["Seccomp"].strip() == "2", pid, status["Seccomp"])
            expect(status["Threads"].strip() == "1", pid, status["Threads"])
            expect(status["NoNewPrivs"].strip() == "1", pid)
            for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
                expect(int(status[name], 16) == 0, pid, name)
            # What can be dumped belongs to its user.
            expect(os.stat("/proc/%d/maps" % pid).st_uid == 0, pid,
                   "can be dumped")


def test_refused_inside(dns):
    """an intruder in a child is refused files, sockets, processes, code"""
    with Daemon(dns.folder, workers="1") as server:
        processes(server)
        for kind in KINDS:
            got = call(server.named(kind)[0], *(c for _, c, _ in ATTEMPTS))
            for (doing, _, who), (value, error) in zip(ATTEMPTS, got):
                if kind in who:
                    expect(value >= 0, kind, "cannot", doing)
                else:
                    expect(value == -1 and error in (EPERM, EACCES), kind,
                           "can", doing, value, error)
        expect(server.ask(daemon.SIGNED_NAME) == "OK dane-only",
               "no answer after all that")


def test_cache_rights(dns):
    """workers map the cache to read, resolvers to write, control not at all"""
    with Daemon(dns.folder, workers="1") as server:
        processes(server)
        cache = str(server.settings["cache_file"])
        for kind, wanted in (("work", {"r--s"}), ("reso", {"rw-s"}),
                             ("ctrl", set())):
            maps = pathlib.Path(
                "/proc/%d/maps" % server.named(kind)[0]).read_text()
            rights = {line.split()[1] for line in maps.splitlines()
                      if line.endswith(cache)}
            expect(rights == wanted, kind, rights)


def test_named_files(dns):
    """a resolver reads what resolver_config names, and nothing beside it"""
    server = Daemon(dns.folder, workers="1")
    named, beside = server.folder / "zone", server.folder / "beside"
    for path in (named, beside):
        path.write_text("@ 60 SOA a.test. b.test. 1 60 60 60 60\n"
                        "@ 60 NS a.test.\n")
        path.chmod(0o644)
    config = server.folder / "resolver.conf"
    config.write_text("auth-zone:\n\tname: \"file.test.\"\n"
                      "\tzonefile: \"%s\"\n" % named)
    config.chmod(0o644)
    server.settings["resolver_config"] = str(config)
    with server:
        processes(server)
        got = call(server.named("reso")[0], OPEN % (named, os.O_RDONLY),
                   OPEN % (beside, os.O_RDONLY))
        expect(got[0][0] >= 0, "cannot read what is named:", got[0])
        expect(got[1][0] == -1, "reads what is not named")
        expect(server.ask(daemon.SIGNED_NAME) == "OK dane-only", "no answer")


def test_switched_off(dns):
    """sandbox = no is warned of, and keeps no call back"""
    with Daemon(dns.folder, sandbox="no") as server:
        for pid in processes(server):
            expect(status_of(pid)["Seccomp"].strip() == "0", pid)
        expect("sandbox: no:" in server.log(), server.last_words())


def sockets_between_processes(pid):
    """Copies of what it talks to our other processes by."""
    pidfd, found = os.pidfd_open(pid), []
    for fd in map(int, os.listdir("/proc/%d/fd" % pid)):
        copy = LIBC.syscall(PIDFD_GETFD, pidfd, fd, 0)
        expect(copy >= 0, "pidfd_getfd", ctypes.get_errno())
        if os.readlink("/proc/self/fd/%d" % copy).startswith("socket:"):
            one = socket.socket(fileno=copy)
            if one.type == socket.SOCK_SEQPACKET:
                found.append(one)
        else:
            os.close(copy)
    os.close(pidfd)
    return found


def test_sockets_kept(dns):
    """a worker or resolver that was broken into cannot have the sockets"""
    order = struct.pack("=III", ORDER_REPLACE, 0, 0)
    with Daemon(dns.folder, workers="1") as server:
        for kind, gets in (("ctrl", True), ("work", False), ("reso", False)):
            processes(server)
            mine, theirs = socket.socketpair()
            for one in sockets_between_processes(server.named(kind)[0]):
                with one:
                    socket.send_fds(one, [order], [theirs.fileno()])
            theirs.close()
            with mine:
                mine.settimeout(20)
                offer, fds, _, _ = socket.recv_fds(mine, 4096, 8)
                for fd in fds:
                    os.close(fd)
                expect(offer.startswith(b"sockets 1 ") == gets and
                       bool(fds) == gets, kind, "got", offer, fds)
        wait_until(lambda: server.try_ask(daemon.SIGNED_NAME) ==
                   "OK dane-only", 20, server.last_words)
