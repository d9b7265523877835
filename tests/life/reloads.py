# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""Reloads and restarts, while clients ask."""

import os
import signal
import threading
import time

from e2e import socketmap

from . import chance, stage
from .chance import goes_on
from .stage import Daemon, Load, NONE, SECURE, domains, expect, wait_until

ONE = "one.cases.nsec"


def test_restart_keeps_cache(dns):
    """a restart keeps the cache: answers come with DNS silent"""
    pairs = domains(1, 50)
    with Daemon(dns.folder) as server:
        server.fill(pairs)
        with dns.silent():
            server.restart()
            server.fill(pairs)


@goes_on
def test_reload_under_load(dns):
    """reloads under load fail no lookup and close no connection"""
    with Daemon(dns.folder) as server, \
            Load(server, domains(), clients=8) as load:
        for _ in chance.rounds(20):
            server.reload()
            chance.count(reloads=1)
        load.end()
        load.check()
        wait_until(server.settled, 10, "one generation")


def storm(server, lot):
    """SIGHUPs faster than they can be followed; the most children seen."""
    most = 0
    before = server.log_size()
    for _ in range(20):
        server.process.send_signal(signal.SIGHUP)
        chance.count(reloads=1)
        most = max(most, len(server.children()))
        time.sleep(lot.uniform(0, 0.06))
    wait_until(lambda: "in force" in server.log_after(before), 10, "a reload")
    wait_until(server.settled, 10, "one generation")
    return most


@goes_on
def test_storm_of_reloads(dns):
    """twenty SIGHUPs at once make at most two generations"""
    lot = chance.lot("storm")
    with Daemon(dns.folder) as server, \
            Load(server, domains(1, 20), clients=2) as load:
        for _ in chance.rounds(1):
            most = storm(server, lot)
            # A check of the configuration is a process too.
            expect(most <= 2 * 4 + 1, most, "children")
    load.check()


def test_slow_question_outlives_reload(dns):
    """a question in flight at a reload gets its answer from the old resolver"""
    with Daemon(dns.folder, query_timeout="4s") as server, \
            server.client() as client:
        client.send(stage.request("silent.nsec") + stage.request(ONE))
        time.sleep(0.3)
        server.reload()
        expect(client.receive().startswith("TEMP "))
        expect(client.receive() == SECURE)
        expect(client.ask("dane", "none7.cases.nsec") == NONE)


def test_half_request_outlives_reload(dns):
    """a request of which half was sent before a reload is answered after it"""
    octets = stage.request(ONE)
    with Daemon(dns.folder) as server, server.client() as client:
        client.send(octets[:10])
        time.sleep(0.2)
        server.reload()
        time.sleep(0.5)
        client.send(octets[10:])
        expect(client.receive() == SECURE)


def test_new_configuration(dns):
    """what a reload changes is in force, also for cached answers"""
    with Daemon(dns.folder) as server, server.client() as client:
        expect(client.ask("dane", "none1.cases.nsec") == NONE)
        for reply, words in (("encrypt", "OK encrypt"), ("none", "OK none"),
                             ("notfound", stage.NOTFOUND), ("may", NONE)):
            server.configure(no_dane_reply=reply)
            server.reload()
            wait_until(lambda: client.ask("dane", "none1.cases.nsec") == words,
                       5, "answers " + words)


def test_number_of_processes(dns):
    """a reload changes the number of workers and resolvers"""
    with Daemon(dns.folder) as server, \
            Load(server, domains(1, 30), clients=4) as load:
        for workers, resolvers in ((4, 1), (1, 3), (2, 2), (1, 1)):
            server.configure(workers=workers, resolvers=resolvers)
            server.reload()
            wait_until(server.settled, 10, "one generation")
            expect(len(server.named("work")) == workers)
    load.check()


def test_broken_configuration(dns):
    """a reload of a broken configuration keeps the old one and says why"""
    broken = [({"no_dane_reply": "perhaps"}, "no_dane_reply"),
              ({"query_timeot": "5s"}, "query_timeout"),
              ({"trust_anchor_file": "/nowhere/key"}, "/nowhere/key"),
              ({"user": "daemon"}, "(needs restart)"),
              ({"listen": "inet:127.0.0.1:99"}, "1024 on (needs restart)"),
              ({"listen": "unix:/nowhere/at/all/s"}, "/nowhere/at"),
              ({"cache_file": "/nowhere/at/all/cache"}, "/nowhere/at")]
    with Daemon(dns.folder) as server, \
            Load(server, domains(1, 10), clients=2) as load:
        for settings, words in broken:
            good = dict(server.settings)
            server.configure(**settings)
            before = len(server.log())
            server.reload(False)
            expect(words in server.log()[before:], "the log lacks", words,
                   server.log()[before:])
            server.settings = good
        server.configure()
        server.reload()
    load.check()


def test_secret_rules(dns):
    """rules that root alone may read are refused, a restart is no remedy"""
    with Daemon(dns.folder) as server:
        rules = server.folder / "rules"
        rules.write_text("a.example may\n")
        rules.chmod(0o600)
        server.configure(policy_file=rules)
        before = server.log_size()
        server.reload(False)
        expect("%s cannot be read: Permission denied: danemapd's user must be "
               "able to; the old" % rules in server.log_after(before),
               server.log())


def test_listeners(dns):
    """a reload adds and removes listening sockets, TCP ones too"""
    with Daemon(dns.folder) as server:
        first = server.settings["listen"]
        other = server.folder / "other"
        server.configure(listen="%s unix:%s inet:127.0.0.1:8461 "
                         "inet:[::1]:8461" % (first, other))
        server.reload()
        for address in (server.socket, str(other), ("127.0.0.1", 8461),
                        ("::1", 8461)):
            expect(socketmap.ask(address, "dane", ONE) == SECURE, address)
        with socketmap.Client(("127.0.0.1", 8461)) as kept:
            server.configure(listen=first)
            server.reload()
            wait_until(lambda: not other.exists(), 5, "its file is gone")
            wait_until(lambda: is_refused(("127.0.0.1", 8461)), 5,
                       "nobody listens")
            expect(kept.ask("dane", ONE) == SECURE)
        expect(server.ask(ONE) == SECURE)


def is_refused(address):
    try:
        socketmap.Client(address, 1).socket.close()
    except ConnectionRefusedError:
        return True
    return False


@goes_on
def test_stop_while_reloading(dns):
    """SIGTERM in the middle of a reload ends all processes, status 0"""
    lot = chance.lot("moments")
    for _ in chance.rounds(4):
        with Daemon(dns.folder) as server:
            server.process.send_signal(signal.SIGHUP)
            time.sleep(lot.uniform(0, 0.1))
            chance.count(reloads=1)
            children = server.children()
            status = server.stop()
            expect(status == 0, "status", status, server.log())
            expect(all(map(stage.is_gone, children)), "someone is left")


def test_stop_before_the_new_serve(dns):
    """SIGTERM before the new processes serve waits for none of them to"""
    with Daemon(dns.folder) as server:
        # So many that they are never all alive at once.
        server.configure(workers="12", resolvers="8")
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "reload: starting" in server.log(), 10, "a reload")
        server.process.send_signal(signal.SIGTERM)
        expect(server.process.wait(10) == 0, server.log())


def test_control_holds_no_cache(dns):
    """an old control process that hangs does not keep the new from caching"""
    pairs = domains(1, 8)
    with Daemon(dns.folder) as server:
        control, = server.named("ctrl")
        os.kill(control, signal.SIGSTOP)
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "is in force" in server.log(), 10, "a reload")
        wait_until(lambda: len(server.named("reso")) == 1, 10, "resolvers")
        server.fill(pairs)
        with dns.silent():
            os.kill(server.named("reso")[0], signal.SIGKILL)
            server.fill(pairs)
        os.kill(control, signal.SIGCONT)


@goes_on
def test_kills_while_reloading(dns):
    """children killed in the middle of a reload do not stop it"""
    lot = chance.lot("kills")
    with Daemon(dns.folder) as server:
        for _ in chance.rounds(4):
            server.process.send_signal(signal.SIGHUP)
            time.sleep(lot.uniform(0, 0.1))
            for kind in ("work", "reso"):
                pids = wait_until(lambda k=kind: server.named(k), 10, kind)
                os.kill(pids[-1], signal.SIGKILL)
            chance.count(reloads=1, kills=2)
            wait_until(lambda: server.try_ask(ONE, 2) == SECURE, 10, "serves")
            wait_until(server.settled, 20, server.last_words)
        server.reload()
        server.fill(domains(1, 10))


def test_finishes_replies(dns):
    """SIGTERM finishes replies in flight; more signals change nothing"""
    with Daemon(dns.folder, query_timeout="3s") as server, \
            server.client() as client:
        client.send(stage.request("silent.nsec"))
        time.sleep(0.3)
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            time.sleep(0.1)
            server.process.send_signal(number)
        expect(client.receive().startswith("TEMP "))
        expect(client.at_end(), "the connection stays open")
        stopping.join()
        expect(server.process.returncode == 0, server.process.returncode)
        expect(not os.path.exists(server.socket), "the socket is left")
