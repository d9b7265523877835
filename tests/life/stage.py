# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""What the chapters of life share: the DNS that can be silenced, a danemapd
that runs as nobody, clients that never stop asking, and waiting for things.
"""

import collections
import contextlib
import os
import pathlib
import pwd
import re
import resource
import signal
import socket
import subprocess
import threading
import time

from e2e import daemon, socketmap
from tree import tree, zonefile

from . import chance

HERE = pathlib.Path(__file__).parent
NOBODY = pwd.getpwnam("nobody")
SILENT = "192.0.2.%d" % tree.FIRST_FAULTY
SECURE, NONE, MIXED = "OK dane-only", "OK may", "OK dane"
NOTFOUND = "NOTFOUND "
ADDRESSES = (tree.UPPER, tree.LOWER)
KINDS = {"dane": SECURE, "none": NONE, "mixed": MIXED}
CHANGING = {".", "short.nsec."}  # published anew by tests
N_DOMAINS = 400  # of each kind
FILES = 20000    # for as many connections at once
PATIENCE = daemon.PATIENCE
CRASH = re.compile(r"ERROR: \w+Sanitizer|runtime error:|signal (6|7|8|11) \("
                   r"|[Aa]ssertion")


def make_tree(folder):
    """The zones beside this file, signed."""
    maker = tree.Maker(folder)
    maker.zones = zonefile.read(HERE / "zones")
    maker.run()
    for zone in maker.zones:
        if zone.name in CHANGING:
            plain = maker.folder / (tree.file_of(zone) + ".plain")
            plain.write_text(maker.text(zone))


def wait_until(ask, seconds, what):
    """Until ask() says something true; returns it.  what: text, or a function
    that makes it when it is wanted."""
    end = time.monotonic() + seconds * PATIENCE
    while True:
        found = ask()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError("not within %s s: %s" % (
                seconds, what() if callable(what) else what))
        time.sleep(0.02)


def expect(condition, *what):
    if not condition:
        raise AssertionError(" ".join(map(str, what)))


def ask_timed(server, key):
    """The reply, and how many seconds it took."""
    begun = time.monotonic()
    return server.ask(key), time.monotonic() - begun


def domains(first=1, last=N_DOMAINS):
    """Pairs of domain and the only answer that is right."""
    return [("%s%d.cases.nsec" % (kind, n), answer)
            for n in range(first, last + 1)
            for kind, answer in KINDS.items()]


def is_refused(address):
    """Whether nobody listens there on port 53."""
    try:
        socket.create_connection((address, 53), 1).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        pass
    return False


class Dns:
    """The NSDs of the tree, and an address of which nobody hears anything."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.running = []
        self.deaf = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def __enter__(self):
        self.deaf.bind((SILENT, 53))
        self.start()
        return self

    def __exit__(self, *_):
        self.deaf.close()
        self.stop()

    def start(self):
        with open(self.folder / "servers.log", "ab") as log:
            self.running = [subprocess.Popen(
                ["nsd", "-d", "-c", self.folder / (address + ".conf")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True) for address in ADDRESSES]
        for address in ADDRESSES:
            tree.wait_until_answering(address)

    def publish(self, name, keys, old="", new=""):
        """A zone that may change: `new` in place of `old` in all of its text,
        signed with these keys.  Returns once it is served."""
        zone = next(z for z in zonefile.read(HERE / "zones") if z.name == name)
        path = self.folder / tree.file_of(zone)
        text = path.with_name(path.name + ".plain").read_text()
        expect(old in text, "the zone has no", old)
        path.write_text(text.replace(old, new) if old else text)
        subprocess.run(["ldns-signzone", "-f", path, path, *keys], check=True)
        self.stop()  # at SIGHUP NSD 4.6.1 sometimes keeps the old, or ends
        self.start()

    def signal(self, number):
        """To all processes of all NSDs."""
        for process in self.running:
            os.killpg(process.pid, number)

    @contextlib.contextmanager
    def silent(self):
        """Nobody answers, and nobody says so."""
        self.signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.signal(signal.SIGCONT)

    def stop(self):
        """Until the children of NSD, too, have let go of their sockets."""
        self.signal(signal.SIGKILL)
        for process in self.running:
            process.wait()
        for address in ADDRESSES:
            wait_until(lambda: is_refused(address), 10, "NSD to end")


class Daemon(daemon.Daemon):
    """A danemapd that reads a file and runs as nobody."""

    def __init__(self, tree_folder, **settings):
        super().__init__(tree_folder, **{
            "user": "nobody", "workers": "2", "log_level": "info",
            # A machine that is busy must not look like DNS that is silent.
            "query_timeout": "30s", **settings})
        os.chown(self.folder, NOBODY.pw_uid, NOBODY.pw_gid)
        self.conf = self.folder / "conf"
        self.crash = CRASH

    def command(self, *more):
        return [daemon.PROGRAM, "-c", str(self.conf), *more]

    def configure(self, **settings):
        self.settings.update(settings)
        self.conf.write_text("".join(
            "%s = %s\n" % pair for pair in self.settings.items()))

    def start(self):
        self.configure()
        return super().start()

    def __exit__(self, *reason):
        try:
            self.stop()
            if not any(reason):
                self.check_health()
        finally:
            super().__exit__(*reason)

    def restart(self):
        """SIGTERM, and another at once."""
        status = self.stop()
        expect(status == 0, "exit status", status)
        self.start()
        self.wait_listening()

    def forget(self):
        """A restart with an empty cache."""
        expect(self.stop() == 0, "exit status")
        self.cache.unlink()
        self.start()
        self.wait_listening()

    def wait_listening(self):
        wait_until(lambda: self.try_ask(daemon.SIGNED_NAME), 10,
                   self.last_words)

    def try_ask(self, key, timeout_s=10):
        """The reply, or None where there is no connection."""
        try:
            return self.ask(key, timeout_s=timeout_s)
        except (OSError, EOFError):
            return None

    def fill(self, pairs):
        """Asks for all of them on one connection, in order."""
        with self.client() as client:
            for key, answer in pairs:
                reply = client.ask("dane", key)
                expect(reply == answer, key, "got", reply)
        chance.count(lookups=len(pairs))

    def named(self, kind):
        """The pids of its workers (`work`), resolvers (`reso`) or of the
        control process (`ctrl`)."""
        return [pid for pid in self.children()
                if comm(pid).startswith("danemapd-" + kind) and
                not is_gone(pid)]

    def reload(self, expected=True):
        """SIGHUP; until the log tells how it went."""
        words = "the new configuration is in force" if expected else \
            "the old configuration stays in force"
        before = self.log_size()
        self.process.send_signal(signal.SIGHUP)
        wait_until(lambda: words in self.log_after(before), 20,
                   self.last_words)

    def log_size(self):
        return os.stat(self.log_path).st_size

    def log_after(self, size):
        """What was logged since it had that size."""
        with open(self.log_path, errors="replace", encoding="utf-8") as log:
            log.seek(size)
            return log.read()

    def settled(self):
        """Whether there is one generation, and it is whole."""
        wanted = {"work": self.settings["workers"],
                  "reso": self.settings.get("resolvers", 1), "ctrl": 1}
        return len(self.children()) == sum(map(int, wanted.values())) and \
            all(len(self.named(kind)) == int(count)
                for kind, count in wanted.items())

    def last_words(self):
        return "danemapd does what it should:\n" + self.log()[-2000:]

    def check_health(self):
        """Nothing crashed that no test killed."""
        found = self.crash.search(self.log())
        expect(not found, "in the log:", found and
               self.log()[max(0, found.start() - 200):][:3000])


def comm(pid):
    try:
        return pathlib.Path("/proc/%d/comm" % pid).read_text().strip()
    except OSError:
        return ""


def state_of(pid):
    """The letter that ps shows; "" if there is no such process."""
    try:
        stat = pathlib.Path("/proc/%d/stat" % pid).read_text()
    except OSError:
        return ""
    return stat.rsplit(")", 1)[1].split()[0]


def is_gone(pid):
    """Whether a process is no more, or a zombie that nobody took."""
    return state_of(pid) in ("", "Z")


def sockets_of(pid):
    """How many sockets a process has open."""
    folder = "/proc/%d/fd" % pid
    count = 0
    for fd in os.listdir(folder):
        try:
            count += os.readlink(folder + "/" + fd).startswith("socket:")
        except OSError:
            pass
    return count


class Cold:
    """Questions that were never asked: a port makes a host another."""
    PORTS, HOSTS = 60000, 40

    def __init__(self):
        self.n = 0

    def next(self):
        host, port = divmod(self.n, self.PORTS)
        self.n += 1
        return "[cold%d.mail.nsec]:%d" % (1 + host % self.HOSTS, 1024 + port)

    def answered(self, server, count=8):
        """Whether that many have their answers: all resolvers are at work."""
        return all([server.try_ask(self.next()) == NOTFOUND
                    for _ in range(count)])


class Load:
    """Clients that never stop asking, and what they saw."""

    def __init__(self, server, pairs, clients=8, pause_s=0.002):
        self.server = server
        self.pairs = pairs
        self.pause_s = pause_s
        # Of each client: answered; lost, connections that broke; refused,
        # those that did not come about.
        self.seen = [collections.Counter() for _ in range(clients)]
        self.wrong = []     # (key, reply)
        self.slowest_s = 0
        self.ending = False
        self.threads = [threading.Thread(target=self.run, args=pair,
                                         daemon=True)
                        for pair in enumerate(self.seen)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.end()
        temp = sum(reply.startswith("TEMP ") for _, reply in self.wrong)
        chance.count(lookups=self.asked + self.lost + self.refused,
                     failed=self.lost + self.refused + temp,
                     reconnects=self.lost, wrong=len(self.wrong) - temp)

    def end(self):
        self.ending = True
        for thread in self.threads:
            thread.join()

    asked = property(lambda self: self.sum("answered"))
    lost = property(lambda self: self.sum("lost"))
    refused = property(lambda self: self.sum("refused"))

    def sum(self, word):
        return sum(seen[word] for seen in self.seen)

    def run(self, n, seen):
        lot = chance.lot("client", n)
        while not self.ending:
            try:
                client = self.server.client()
            except OSError:
                seen["refused"] += 1
                time.sleep(0.005)
                continue
            with client:
                self.ask_on(client, seen, lot)

    def ask_on(self, client, seen, lot):
        """On one connection, until it breaks."""
        try:
            while not self.ending:
                self.ask(client, *lot.choice(self.pairs))
                seen["answered"] += 1
                time.sleep(self.pause_s)
        except (OSError, EOFError):
            seen["lost"] += 1

    def ask(self, client, key, answer):
        begun = time.monotonic()
        reply = client.ask("dane", key)
        self.slowest_s = max(self.slowest_s, time.monotonic() - begun)
        if reply != answer:
            self.wrong.append((key, reply))

    def wait_past_now(self):
        """Until each question that is under way now is done with."""
        before = [seen.total() for seen in self.seen]
        wait_until(lambda: all(seen.total() > then for seen, then
                               in zip(self.seen, before)), 30,
                   self.server.last_words)

    def check(self, lost_max=0):
        expect(self.asked > 0, "nobody asked")
        expect(not self.wrong, len(self.wrong), "of", self.asked,
               "answers were wrong:", self.wrong[:5])
        expect(self.lost <= lost_max, self.lost, "connections broke, not",
               lost_max)
        expect(not self.refused, self.refused, "connections were refused")


def raise_files():
    """For tests that hold thousands of connections themselves."""
    hard = max(FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def connect(server, timeout_s=20):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(timeout_s)
    client.connect(server.socket)
    return client


@contextlib.contextmanager
def crowd(server, count, say=b""):
    """So many connections, each of which has said that and no more."""
    raise_files()
    clients = []
    try:
        for _ in range(count):
            clients.append(connect(server))
            clients[-1].sendall(say)
        yield clients
    finally:
        for client in clients:
            client.close()


def request(key, name="dane"):
    return socketmap.request(name, key)
