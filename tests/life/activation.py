# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""danemapd under a supervisor that does what systemd does: holds the listening
sockets, passes them on, hears the notify protocol, and restarts."""

import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

from e2e import daemon, socketmap

from . import chance
from .chance import goes_on
from .stage import Daemon, domains, expect, wait_until



class Activated(Daemon):
    """Its sockets are open before it starts, and after it ends."""

    def __init__(self, tree_folder, **settings):
        super().__init__(tree_folder, **settings)
        self.settings["listen"] = "unix:%s/never" % self.folder
        self.held = socket.socket(socket.AF_UNIX)
        self.held.bind(self.socket)
        os.chmod(self.socket, 0o666)
        self.held.listen(4096)
        self.inet = socket.socket(socket.AF_INET)
        self.inet.bind(("127.0.0.1", 0))
        self.inet.listen(4096)
        self.control = socket.socket(socket.AF_UNIX)
        self.control.bind(str(self.folder / "held-control"))
        self.control.listen(8)
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(self.folder / "notify"))
        os.chmod(self.folder / "notify", 0o666)
        self.notify.setblocking(False)
        self.told = []

    def start(self):
        self.configure()
        held = [one.fileno() for one in (self.held, self.inet, self.control)]

        def place():  # as LISTEN_FDS wants them: from 3 on
            high = [os.dup2(fd, 100 + i) for i, fd in enumerate(held)]
            for i, fd in enumerate(high):
                os.dup2(fd, 3 + i, inheritable=True)

        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                ["/bin/sh", "-c", "LISTEN_PID=$$ exec \"$@\"", "sh",
                 *self.command()],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.folder, close_fds=False, preexec_fn=place,
                env={**os.environ, "LISTEN_FDS": "3",
                     "LISTEN_FDNAMES": "policy:policy:control",
                     "NOTIFY_SOCKET": str(self.folder / "notify"),
                     "WATCHDOG_USEC": "4000000"})
        return self

    def hear(self):
        """All that was notified so far."""
        while True:
            try:
                self.told.append(self.notify.recv(4096).decode())
            except BlockingIOError:
                return "\n".join(self.told)

    def has_said(self, word, times=1):
        return self.hear().count(word) >= times

    def __exit__(self, *reason):
        super().__exit__(*reason)
        self.let_go()

    def let_go(self):
        for one in (self.held, self.inet, self.control, self.notify):
            one.close()

    def report(self):
        """What the control process counts."""
        with socketmap.Client(str(self.folder / "held-control")) as asking:
            asking.send(b"status\n")
            return json.loads(asking.socket.recv(65536))


class Asker(threading.Thread):
    """Never stops asking. A connection that it kept and that ends between two
    questions is opened again, as Postfix does; nothing else is forgiven."""

    def __init__(self, address, n):
        super().__init__(daemon=True)
        self.address, self.keep = address, n % 2 == 1
        self.lot = chance.lot("client", address, n)
        self.pairs = domains(1, 20)
        self.answered, self.reconnects = 0, 0
        self.failed, self.ending = [], False
        self.client = None

    def run(self):
        while not self.ending:
            key, answer = self.lot.choice(self.pairs)
            try:
                reply = self.lookup(key)
                if reply != answer:
                    self.failed.append((key, reply))
            except (OSError, EOFError) as error:
                self.failed.append((key, repr(error)))
            self.answered += 1
            time.sleep(0.001)

    def lookup(self, key):
        if self.client:
            try:
                return self.client.ask("dane", key)
            except (OSError, EOFError):
                self.client = None
                self.reconnects += 1
        client = socketmap.Client(self.address)
        reply = client.ask("dane", key)
        if self.keep:
            self.client = client
        else:
            client.socket.close()
        return reply


def never_stop(*addresses):
    askers = [Asker(address, n) for n in range(4) for address in addresses]
    for asker in askers:
        asker.start()
    return askers


def stop(askers):
    for asker in askers:
        asker.ending = True
    for asker in askers:
        asker.join()
        chance.count(lookups=asker.answered, failed=len(asker.failed),
                     reconnects=asker.reconnects)
    for asker in askers:
        expect(not asker.failed, len(asker.failed), "lookups failed:",
               asker.failed[:3])
        expect(asker.answered > 20, "only", asker.answered, "answers")


@goes_on
def test_restart(dns):
    """ten restarts under socket activation fail no lookup"""
    with Activated(dns.folder) as server:
        server.fill(domains(1, 20))
        askers = never_stop(server.socket)
        for _ in chance.rounds(10):
            server.hear()
            server.told.clear()
            expect(server.stop() == 0, "exit status")
            server.start()
            wait_until(lambda: server.has_said("READY=1"), 20,
                       server.last_words)
            chance.count(restarts=1)
        stop(askers)


def test_first_question_starts(dns):
    """a question that was there before the daemon is answered by it"""
    server = Activated(dns.folder)
    early = socketmap.Client(server.socket)
    early.send(socketmap.request("dane", daemon.SIGNED_NAME))
    inet = socketmap.Client(server.inet.getsockname())
    inet.send(socketmap.request("dane", daemon.SIGNED_NAME))
    with server:
        for client in (early, inet):
            reply = client.receive()
            expect(reply == "OK dane-only" or reply.startswith("TEMP"), reply)
        expect(not os.path.exists(server.folder / "never"),
               "listen counts beside passed sockets")


def test_told(dns):
    """the supervisor hears of readiness, state, life, reload and end"""
    with Activated(dns.folder, query_timeout="5s") as server:
        server.fill(domains(1, 5) * 2)
        for pattern in ("READY=1", "STATUS=serving: 0 connections, "
                        r"\d+ questions, [1-9]\d* of them from the cache, "
                        "0 destinations in flight", "WATCHDOG=1"):
            wait_until(lambda p=pattern: re.search(p, server.hear()), 20,
                       server.hear)
        server.reload()
        wait_until(lambda: server.has_said("RELOADING=1\nMONOTONIC_USEC="),
                   10, "RELOADING")
        wait_until(lambda: server.has_said("READY=1", 2), 10, "READY again")
        expect(server.stop() == 0, "exit status")
        expect(server.has_said("STOPPING=1\nEXTEND_TIMEOUT_USEC=15"),
               server.told)


def test_control_by_name(dns):
    """a socket with the name control is for administrators, over reloads too"""
    with Activated(dns.folder) as server:
        for _ in range(2):
            wait_until(lambda: server.report()["anchored"] == 1, 10,
                       server.last_words)
            server.reload()
            wait_until(lambda: len(server.children()) == 4, 10,
                       "one generation")
        expect(not os.path.exists(server.settings["control_socket"]),
               "control_socket counts beside a passed one")


def test_listen_is_ignored(dns):
    """where sockets were passed, faults in listen hinder no start or reload"""
    for listen in ("unix:/nowhere/at/all/s:0660:nosuchgroup",
                   "inet:192.0.2.77:99"):
        with Activated(dns.folder, listen=listen) as server:
            wait_until(lambda: server.has_said("READY=1"), 20,
                       server.last_words)
            server.reload()


def test_nobody_to_replace(dns):
    """with sockets that were passed, --replace asks nobody for others"""
    server = Activated(dns.folder)
    # The supervisor's own: what is said there is heard by nobody else.
    server.settings["control_socket"] = server.folder / "held-control"
    plain = server.command
    server.command = lambda *more: plain("--replace", *more)
    with server:
        wait_until(lambda: server.has_said("READY=1"), 20, server.last_words)
        expect("--replace: " in server.log(), server.log())
        expect(server.ask(daemon.SIGNED_NAME) == "OK dane-only", "no answer")


def test_real_activation(dns):
    """systemd-socket-activate starts it with the first question"""
    with Daemon(dns.folder) as server:  # it is there, and unconfigured
        server.stop()
        server.configure(control_socket=server.folder / "c")
        with open(server.log_path, "ab") as log:
            server.process = subprocess.Popen(
                ["systemd-socket-activate", "--listen=" + server.socket,
                 "--listen=" + str(server.folder / "control"),
                 "--fdname=policy:control", *server.command()],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=server.folder)
        wait_until(lambda: "Listening on" in server.log(), 10, server.log)
        server.wait_listening()
        server.fill(domains(1, 5))
        expect(not os.path.exists(server.folder / "c"), "no control by name")
        expect(server.stop() == 0, "exit status")
        expect(os.path.exists(server.socket), "a passed socket's file is gone")


def test_watchdog_starves(dns):
    """without a worker that lives, the watchdog hears nothing"""
    with Activated(dns.folder, workers="1") as server:
        wait_until(lambda: server.has_said("WATCHDOG=1"), 20, "life")
        (worker,) = server.named("work")
        os.kill(worker, signal.SIGSTOP)
        # Ended after 10 s of silence; in that round nothing is fed.
        wait_until(lambda: server.has_said("a process is being restarted"), 25,
                   server.last_words)
        wait_until(lambda: server.named("work") not in ([], [worker]), 10,
                   server.last_words)


def test_errno(dns):
    """a start that fails says its errno"""
    server = Activated(dns.folder, user="nobody-at-all")
    server.start()
    try:
        expect(server.process.wait(20) == 78, "exit status")
        expect(server.has_said("ERRNO=22"), server.told)
    finally:
        server.let_go()
