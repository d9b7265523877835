# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""What danemapd's processes have given up, looked at from outside and tried
from inside: they are made to do what an intruder would."""

import ctypes
import os
import pathlib
import socket
import struct

from e2e import daemon

from .command import status_of
from .intruder import Intruder, refused
from .stage import Daemon, expect, wait_until

KINDS = ("work", "reso", "ctrl")
LIBC = ctypes.CDLL(None, use_errno=True)
PIDFD_GETFD = 438   # python has no name for it
ORDER_REPLACE = 13  # wire/order.h
AT_FDCWD = -100
READ_WRITE_RUN = 7  # PROT_READ | PROT_WRITE | PROT_EXEC


def opens(path, flags):
    return lambda intruder: intruder.call("openat", AT_FDCWD, path, flags)


def makes_socket(family, kind):
    return lambda intruder: intruder.call("socket", family, kind, 0)


def signals_parent(intruder):
    return intruder.call("kill", intruder.call("getppid"), 0)


def makes_code(intruder):
    page = intruder.call("brk", 0) - 1 & ~4095
    return intruder.call("mprotect", page, 4096, READ_WRITE_RUN)


# A name for each attempt, what is done, and who may do it.
ATTEMPTS = [
    ("read a file", opens("/etc/passwd", os.O_RDONLY), ()),
    ("write a file", opens("/dev/null", os.O_WRONLY), ()),
    ("make an IPv4 socket",
     makes_socket(socket.AF_INET, socket.SOCK_STREAM), ("reso",)),
    ("make a unix socket",
     makes_socket(socket.AF_UNIX, socket.SOCK_STREAM), ()),
    ("make a packet socket",
     makes_socket(socket.AF_PACKET, socket.SOCK_RAW), ()),
    ("fork", lambda intruder: intruder.call("fork"), ()),
    ("start a program",
     lambda intruder: intruder.call("execve", "/bin/true", 0, 0), ()),
    ("signal its parent", signals_parent, ()),
    ("make code of memory", makes_code, ()),
    ("read its own memory", opens("/proc/self/mem", os.O_RDONLY), ()),
]


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
            with Intruder(server.named(kind)[0]) as intruder:
                for doing, attempt, who in ATTEMPTS:
                    value = attempt(intruder)
                    if kind in who:
                        expect(value >= 0, kind, "cannot", doing, value)
                    else:
                        expect(refused(value), kind, "can", doing, value)
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
        with Intruder(server.named("reso")[0]) as intruder:
            value = opens(named, os.O_RDONLY)(intruder)
            expect(value >= 0, "cannot read what is named:", value)
            value = opens(beside, os.O_RDONLY)(intruder)
            expect(refused(value), "reads what is not named:", value)
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
