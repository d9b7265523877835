# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""Processes of a reload that do not get on: somebody has stopped them."""

import contextlib
import os
import pathlib
import resource
import signal
import time

from . import stage
from .stage import Daemon, Load, domains, expect, wait_until

TRIES = 50


def children_of(pid):
    """Asked so often that it must cost little."""
    path = pathlib.Path("/proc/%d/task/%d/children" % (pid, pid))
    return set(map(int, path.read_text().split()))


def descriptors_of(pid):
    try:
        return sorted(map(int, os.listdir("/proc/%d/fd" % pid)))
    except OSError:
        return []


def has_begun(pid, parent):
    """Whether it has more open than it was born with; None: it has gone."""
    open_here = descriptors_of(pid)
    return len(open_here) > len(descriptors_of(parent)) if open_here else None


def send(pid, number):
    """It may have gone meanwhile."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def is_stopped(pid):
    send(pid, signal.SIGSTOP)
    wait_until(lambda: stage.state_of(pid) in ("T", "Z", ""), 5, "a stop")
    return stage.state_of(pid) == "T"


def begin_check(parent, before):
    """The process that checks a new configuration, in the midst of that, or
    None if it was too quick."""
    os.kill(parent, signal.SIGHUP)
    end = time.monotonic() + 5
    while not children_of(parent) - before:
        expect(time.monotonic() < end, "no new process")
    pid, *_ = children_of(parent) - before or [None]
    while pid is not None and has_begun(pid, parent) is False:
        expect(time.monotonic() < end, "it does nothing")
    return pid


def stop_a_checker(server):
    """The process that checks the configuration of a reload, stopped."""
    parent = server.process.pid
    for _ in range(TRIES):
        wait_until(server.settled, 20, server.last_words)
        pid = begin_check(parent, children_of(parent))
        if pid is None or stage.is_gone(pid):
            continue
        if is_stopped(pid) and stage.comm(pid) == stage.comm(parent):
            return pid
        send(pid, signal.SIGCONT)
    raise AssertionError("a check of the configuration is too quick to catch")


def test_stopped_check(dns):
    """a check of a configuration that hangs is given up, and nobody waits"""
    cached = domains(1, 20)
    with Daemon(dns.folder) as server:
        server.fill(cached)
        before = server.log_size()
        checker = stop_a_checker(server)
        with Load(server, cached, clients=2) as load:
            wait_until(lambda: stage.is_gone(checker), 15, "it is ended")
            wait_until(lambda: "the check of the configuration did not end" in
                       server.log_after(before), 5, server.last_words)
        load.check()
        server.reload()
        server.fill(cached)


def test_orphaned_check(dns):
    """a check of a configuration that hangs does not outlive its parent"""
    with Daemon(dns.folder) as server:
        server.fill(domains(1, 2))
        checker = stop_a_checker(server)
        server.process.kill()
        server.process.wait()
        wait_until(lambda: stage.is_gone(checker), 5, "it is gone")
        server.start()
        server.wait_listening()


def test_not_ready(dns):
    """a reload whose processes never serve leaves the socket its mode"""
    with Daemon(dns.folder, user="root") as server:
        server.fill(domains(1, 2))
        mode = os.stat(server.socket).st_mode
        pid, before = server.process.pid, server.log_size()
        server.configure(listen="unix:%s:0640" % server.socket, workers=30)
        # Enough to check a configuration, and not for so many children.
        most = descriptors_of(pid)[-1] + 20
        usual = resource.prlimit(pid, resource.RLIMIT_NOFILE,
                                 (most, resource.getrlimit(
                                     resource.RLIMIT_NOFILE)[1]))
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "did not come to serve" in server.log_after(before),
                   25, server.last_words)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)
        expect("cannot start" in server.log_after(before), server.log())
        expect(os.stat(server.socket).st_mode == mode, "another mode")
        server.fill(domains(1, 2))
        server.configure(workers=1)
        server.reload()
        expect(os.stat(server.socket).st_mode != mode, "the same mode")
