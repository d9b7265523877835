# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""danemapd replaced by another while clients never stop asking, without
anybody who passes sockets."""

import grp
import os
import signal
import subprocess
import threading
import time

from e2e import daemon, socketmap

from . import chance, stage
from .activation import never_stop, stop
from .chance import goes_on
from .stage import Daemon, SECURE, domains, expect, wait_until

PORT = 8471


class Line(Daemon):
    """One danemapd after the other on the same sockets."""

    def __init__(self, tree_folder, **settings):
        super().__init__(tree_folder, **settings)
        self.settings["listen"] = "unix:%s:0666 inet:127.0.0.1:%d" % (
            self.socket, PORT)
        self.inet = ("127.0.0.1", PORT)

    def succeed(self, status=0):
        """Another one takes the place of the one that runs."""
        ready = self.log().count(" ready: ")
        before = self.process
        self.start()
        expect(before.wait(30) == status, "the predecessor's exit status",
               before.returncode)
        wait_until(lambda: self.log().count(" ready: ") > ready, 20,
                   self.last_words)

    def command(self, *more):
        return super().command("--replace", *more)


class Supervisor(threading.Thread):
    """Starts it again when it ends, a second later at the earliest if it has
    failed, and knows nothing else."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.ending, self.started = server, False, 0

    def run(self):
        while not self.ending:
            self.server.start()
            self.started += 1
            if self.server.process.wait() != 0:
                time.sleep(1)


@goes_on
def test_replaced(dns):
    """ten replacements without systemd fail no lookup, on unix and TCP"""
    with Line(dns.folder) as server:
        server.fill(domains(1, 20))
        askers = never_stop(server.socket, server.inet)
        for _ in chance.rounds(10):
            server.succeed()
            chance.count(restarts=1)
        stop(askers)
        expect(socketmap.ask(server.inet, "dane", "one.cases.nsec") == SECURE)


def test_supervised(dns):
    """a supervisor that passes nothing restarts it without a gap, by a bridge"""
    with Line(dns.folder) as server:
        server.succeed()
        first = server.process
        supervisor = Supervisor(server)
        supervisor.start()  # its first one takes over
        expect(first.wait(30) == 0)
        server.wait_listening()
        server.fill(domains(1, 20))
        askers = never_stop(server.socket, server.inet)
        for _ in range(3):
            bridge(server, supervisor)
        stop(askers)
        supervisor.ending = True
        server.stop()
        supervisor.join()


def bridge(server, supervisor):
    """Replaces the supervised one by hand: its supervisor starts it again, and
    it replaces the bridge."""
    started = supervisor.started
    with open(server.log_path, "ab") as log:
        bridging = subprocess.Popen(server.command(), stdout=log, stderr=log,
                                    cwd=server.folder)
    expect(bridging.wait(60) == 0, "the bridge's exit status",
           bridging.returncode)
    expect(supervisor.started > started, "nobody was restarted")


def test_slow_question(dns):
    """a question in flight is answered by the predecessor"""
    with Line(dns.folder, query_timeout="4s") as server, \
            server.client() as client:
        client.send(stage.request("silent.nsec"))
        time.sleep(0.3)
        server.succeed()
        expect(client.receive().startswith("TEMP "))
        expect(server.ask("one.cases.nsec") == SECURE)


def test_fails(dns):
    """a successor that cannot start leaves its predecessor as it was"""
    with Line(dns.folder) as server:
        before = os.stat(server.socket).st_ino
        for setting in ("listen=unix:%s unix:/nowhere/at/all/s" %
                        server.socket, "no_dane_reply=perhaps",
                        "policy_file=/nowhere/at/all",
                        "cache_file=%s" % server.folder):
            failed = subprocess.run(
                server.command("-o", setting), check=False, timeout=30,
                stderr=subprocess.PIPE, cwd=server.folder)
            expect(failed.returncode in (71, 77, 78), failed)
            expect(os.stat(server.socket).st_ino == before)
            expect(server.ask("one.cases.nsec") == SECURE)
        expect(server.process.poll() is None, "the predecessor is gone")
        server.reload()
        server.succeed()


def offered(control):
    """Whether one that goes away at once was offered two sockets."""
    with socketmap.Client(control) as wish:
        wish.send(b"replace\n")
        return wish.socket.recv(4096).startswith(b"sockets 1 2\n")


def test_dies(dns):
    """a successor that dies before it is ready to go on is forgotten"""
    with Line(dns.folder) as server:
        control = str(server.settings["control_socket"])
        for _ in range(3):
            wait_until(lambda: offered(control), 10, "an offer")
            wait_until(lambda: server.ask("one.cases.nsec") == SECURE, 5, "it")
        server.succeed()


def offer_of(control):
    """A connection of one that was offered the sockets, and says nothing."""
    wish = socketmap.Client(control)
    wish.send(b"replace\n")
    expect(wish.socket.recv(4096).startswith(b"sockets 1 2\n"), "no offer")
    return wish


def test_stopped_before_go(dns):
    """one that is told to stop after its offer tells the successor so"""
    with Line(dns.folder, query_timeout="4s") as server, \
            server.client() as client:
        client.send(stage.request("silent.nsec"))
        time.sleep(0.3)
        with offer_of(str(server.settings["control_socket"])) as wish:
            server.process.send_signal(signal.SIGTERM)
            wait_until(lambda: " stopping" in server.log(), 10, "it")
            wish.socket.settimeout(30)
            heard = wish.socket.recv(4096)
            expect(heard == b"again it is stopping\n", heard)
        expect(server.process.wait(30) == 0, "exit status")


def test_reloaded_before_go(dns):
    """a reload takes an offer back, and a "go" then counts for nothing"""
    with Line(dns.folder) as server:
        with offer_of(str(server.settings["control_socket"])) as wish:
            server.reload()
            wish.socket.settimeout(30)
            heard = wish.socket.recv(4096)
            expect(heard == b"again it is starting or reloading\n", heard)
            try:
                wish.send(b"go\n")
            except OSError:
                pass
        wait_until(server.settled, 20, server.last_words)
        expect(server.ask("one.cases.nsec") == SECURE)
        server.succeed()


def test_while_stopping(dns):
    """a successor waits for one that is stopping already, and starts"""
    with Line(dns.folder, query_timeout="4s") as server, \
            server.client() as client:
        client.send(stage.request("silent.nsec"))
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        server.succeed()
        expect(server.ask("one.cases.nsec") == SECURE)


def test_while_reloading(dns):
    """a successor waits for a reload that is under way"""
    with Line(dns.folder, query_timeout="4s") as server, \
            server.client() as client:
        client.send(stage.request("silent.nsec"))
        time.sleep(0.3)
        server.reload()  # the old generation is still finishing
        server.succeed()
        expect(server.ask("one.cases.nsec") == SECURE)


def test_paused_successor(dns):
    """a successor that is stopped and continued while it waits goes on"""
    with Line(dns.folder, query_timeout="4s") as server, \
            server.client() as client:
        client.send(stage.request("silent.nsec"))
        time.sleep(0.3)
        before = server.process
        server.start()
        wait_until(lambda: "waiting for the danemapd" in server.log(), 10,
                   server.last_words)
        server.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: stage.state_of(server.process.pid) == "T", 10,
                   "a stop")
        server.process.send_signal(signal.SIGCONT)
        expect(before.wait(30) == 0, "the predecessor's exit status")
        server.wait_listening()
        expect(server.ask("one.cases.nsec") == SECURE)


def test_stopped_successor(dns):
    """a successor that is told to stop while it waits does, and harms nothing"""
    with Line(dns.folder) as server:
        first = server.process
        first.send_signal(signal.SIGSTOP)
        server.start()
        try:
            wait_until(lambda: stage.sockets_of(server.process.pid) > 0, 10,
                       "a successor that asks")
            server.process.send_signal(signal.SIGTERM)
            expect(server.process.wait(20) == 69, "exit status")
            expect(os.path.exists(server.socket), "the socket file is gone")
        finally:
            server.process.kill()
            first.send_signal(signal.SIGCONT)
            server.process = first
        expect(server.ask("one.cases.nsec") == SECURE)
        server.succeed()


def test_other_sockets(dns):
    """a successor takes what both want, makes the rest, removes the others"""
    with Line(dns.folder) as server:
        other = str(server.folder / "other")
        server.settings["listen"] = "unix:%s inet:127.0.0.1:%d" % (other, PORT)
        server.succeed()
        expect(not os.path.exists(server.socket), "a socket file is left")
        for address in (other, server.inet):
            reply = socketmap.ask(address, "dane", "one.cases.nsec")
            expect(reply == SECURE, address, reply)


def test_other_mode(dns):
    """a socket that is taken over gets the mode and the group of today"""
    with Line(dns.folder) as server:
        before = os.stat(server.socket)
        server.settings["listen"] = "unix:%s:0662:daemon inet:127.0.0.1:%d" % (
            server.socket, PORT)
        server.succeed()
        now = os.stat(server.socket)
        expect(now.st_ino == before.st_ino, "another socket")
        expect(now.st_mode & 0o7777 == 0o662, oct(now.st_mode))
        expect(now.st_gid == grp.getgrnam("daemon").gr_gid, now.st_gid)


def test_lost_file(dns):
    """a socket whose file somebody removed is made anew"""
    with Line(dns.folder) as server:
        os.unlink(server.socket)
        server.succeed()
        expect(server.ask("one.cases.nsec") == SECURE)


def test_stopped_predecessor(dns):
    """a successor of one that was killed finds stale sockets, and starts"""
    with Line(dns.folder) as server:
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        server.start()
        server.wait_listening()


def test_without_control_socket(dns):
    """without a control_socket it says what is missing"""
    server = Line(dns.folder, control_socket="")
    server.start()
    expect(server.process.wait(20) == 78, "exit status")
    expect("control_socket" in server.log(), server.log())
