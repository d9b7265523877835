# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""What other users of the machine can reach: group postfix may ask, and nobody
else may anything.  The folder is open to all here, so that each file has to
refuse by itself."""

import ctypes
import errno
import grp
import os
import signal
import socket
import stat
import subprocess

from e2e import daemon, socketmap

from .stage import NOBODY, Daemon, expect, wait_until

STRANGER = 23456  # nobody's uid, and nobody's group
POSTFIX = grp.getgrnam("postfix").gr_gid
# Those who are not danemapd's user, with the groups that they are in.
OTHERS = {"a stranger": [], "group postfix": [POSTFIX]}
PTRACE_ATTACH = 16
CANNOT = 255  # no errno


def as_user(uid, groups, attempt):
    """0 if it succeeds for that user, else its errno."""
    pid = os.fork()
    if pid == 0:
        status = CANNOT
        try:
            os.setgroups(groups)
            os.setresgid(*[groups[0] if groups else uid] * 3)
            os.setresuid(uid, uid, uid)
            attempt()
            status = 0
        except OSError as error:
            status = error.errno or CANNOT
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def opening(path, flags):
    return lambda: os.close(os.open(path, flags))


def asking(path):
    return lambda: expect(
        socketmap.ask(path, "dane", daemon.SIGNED_NAME) == "OK dane-only")


def connecting(path, kind=socket.SOCK_STREAM):
    return lambda: socket.socket(socket.AF_UNIX, kind).connect(str(path))


def tracing(pid):
    """To attach would stop it: nothing is to be left in that state."""
    libc = ctypes.CDLL(None, use_errno=True)

    def attempt():
        if libc.ptrace(PTRACE_ATTACH, pid, None, None) != 0:
            raise OSError(ctypes.get_errno(), "ptrace")
    return attempt


def check(who, uid, groups, doing, attempt, wanted=(errno.EACCES,)):
    got = as_user(uid, groups, attempt)
    expect(got in wanted, who, "who tries to", doing, "gets",
           errno.errorcode.get(got, got))


def check_others(doing, attempt, wanted=(errno.EACCES,)):
    for who, groups in OTHERS.items():
        check(who, STRANGER, groups, doing, attempt, wanted)


def open_house(dns, **settings):
    """As the socket in Postfix's queue directory is made, in an open folder."""
    server = Daemon(dns.folder, **settings)
    server.folder.chmod(0o755)
    server.settings["listen"] = "unix:%s:0660:postfix" % server.socket
    return server


def test_policy_socket(dns):
    """the socket of mode 0660 is for group postfix to ask, and no other"""
    with open_house(dns) as server:
        check("group postfix", STRANGER, [POSTFIX], "ask",
              asking(server.socket), (0,))
        check("a stranger", STRANGER, [], "ask", asking(server.socket))
        server.reload()
        check("group postfix", STRANGER, [POSTFIX], "ask after a reload",
              asking(server.socket), (0,))
        check("a stranger", STRANGER, [], "ask after a reload",
              asking(server.socket))


def test_control_socket(dns):
    """the control socket is for danemapd's user and root alone"""
    with open_house(dns) as server:
        wait_until(server.settled, 10, "all processes")
        control = server.folder / "control"
        check("danemapd's user", NOBODY.pw_uid, [NOBODY.pw_gid], "connect",
              connecting(control), (0,))
        check_others("connect to control_socket", connecting(control))
        mode = os.stat(control).st_mode
        expect(stat.S_IMODE(mode) == 0o600, oct(mode))


def test_replace(dns):
    """another user cannot replace danemapd, and is told who can: status 77"""
    with open_house(dns) as server:
        wait_until(server.settled, 10, "all processes")
        done = subprocess.run(
            [daemon.PROGRAM, "--replace", "-c", "/dev/null", "-o",
             "user=nobody", "-o", "control_socket=%s/control" % server.folder,
             "-o", "log_target=stderr"],
            check=False, timeout=30, text=True, stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE, user=STRANGER, group=STRANGER,
            extra_groups=[])
        expect("only root and its user may replace" in done.stderr,
               done.stderr)
        expect(done.returncode == os.EX_NOPERM, done.returncode)


def test_cache_file(dns):
    """the segment and its lock cannot be read, written or replaced"""
    with open_house(dns) as server:
        files = [path for path in server.folder.iterdir()
                 if path.name.startswith("cache")]
        expect(len(files) == 2, files)
        for path in files:
            for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR):
                check_others("open %s" % path.name, opening(path, flags))
            check_others("truncate it", lambda p=path: os.truncate(p, 0))
            check_others("remove it", path.unlink)
            check_others("open it up", lambda p=path: os.chmod(p, 0o666),
                         (errno.EPERM,))
        check_others("put a file there", opening(
            server.folder / "new", os.O_WRONLY | os.O_CREAT))


def test_own_folders(dns):
    """folders that danemapd makes are its user's, and writable for no other"""
    server = open_house(dns)
    cache, sockets = server.folder / "run", server.folder / "queue"
    server.settings["cache_file"] = cache / "segment"
    server.settings["listen"] += " unix:%s/s:0660:postfix" % sockets
    with server:
        for folder in (cache, sockets):
            found = folder.stat()
            expect(found.st_uid == NOBODY.pw_uid, folder, found)
            expect(found.st_mode & 0o022 == 0, folder, oct(found.st_mode))
        check_others("open the segment",
                     opening(cache / "segment", os.O_RDONLY))
        check("group postfix", STRANGER, [POSTFIX], "ask",
              asking(str(sockets / "s")), (0,))


def check_process(pid, who, uid, groups):
    for name in ("mem", "maps", "environ", "auxv", "pagemap"):
        check(who, uid, groups, "read %s of %d" % (name, pid),
              opening("/proc/%d/%s" % (pid, name), os.O_RDONLY),
              (errno.EACCES, errno.EPERM))
    check(who, uid, groups, "write mem", opening("/proc/%d/mem" % pid,
                                                 os.O_RDWR))
    for name in ("fd", "map_files"):
        check(who, uid, groups, "list %s" % name, lambda n=name: os.listdir(
            "/proc/%d/%s" % (pid, n)), (errno.EACCES, errno.EPERM))
    check(who, uid, groups, "trace %d" % pid, tracing(pid), (errno.EPERM,))


def test_processes(dns):
    """no process can be looked into, not even by those of the same user"""
    with open_house(dns) as server:
        wait_until(server.settled, 10, "all processes")
        pids = [server.process.pid, *server.children()]
        for pid in pids:
            check_process(pid, "a stranger", STRANGER, [])
            check_process(pid, "danemapd's user", NOBODY.pw_uid,
                          [NOBODY.pw_gid])
            check_others("signal %d" % pid, lambda p=pid: os.kill(
                p, signal.SIGTERM), (errno.EPERM,))
        expect(server.ask(daemon.SIGNED_NAME) == "OK dane-only")
        expect([server.process.pid, *server.children()] == pids,
               "somebody was replaced")
