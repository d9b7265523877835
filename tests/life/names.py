# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""More names than any cache holds, each asked for once: what that costs in
memory comes to an end.  Not in the suite, for it takes minutes."""

import pathlib
import threading
import time

from . import chance, stage
from .chance import goes_on
from .stage import Daemon, NONE, NOTFOUND, SECURE, expect, request

LEAST = 400000    # libunbound's caches are full at 200,000, or so
LEAST_SMALL = 60000
BATCH = 2000      # names between two looks at the clock
CLIENTS = 8
AT_ONCE = 50      # questions of a client under way
SAMPLES = 20      # that are told
GROWTH_KB = 4096  # of a process in the last half, beyond which it leaks
# Whether a name has DANE, and what asks for it: a domain or a host.
KINDS = (("d%d.dane.names.nsec", SECURE), ("n%d.none.names.nsec", NONE),
         ("[h%d.host.names.nsec]", NOTFOUND))


def name(n):
    key, answer = KINDS[n % len(KINDS)]
    return key % n, answer


def anonymous_kb(pid):
    """Memory of its own: the segment, which is of a fixed size, left out."""
    status = pathlib.Path("/proc/%d/status" % pid).read_text()
    return int(status.split("RssAnon:")[1].split()[0])


def datagrams():
    """How many came to a socket of this network, DNS queries and answers."""
    lines = pathlib.Path("/proc/net/snmp").read_text().splitlines()
    names, values = [line.split() for line in lines
                     if line.startswith("Udp:")]
    return int(values[names.index("InDatagrams")])


class Asker(threading.Thread):
    """Asks for its share of a batch on a connection."""

    def __init__(self, client, numbers):
        super().__init__(daemon=True)
        self.client, self.pairs = client, [name(n) for n in numbers]
        self.wrong, self.failed = [], []

    def run(self):
        for first in range(0, len(self.pairs), AT_ONCE):
            pairs = self.pairs[first:first + AT_ONCE]
            self.client.send(b"".join(request(key) for key, _ in pairs))
            for key, answer in pairs:
                self.judge(key, answer, self.client.receive())

    def judge(self, key, answer, reply):
        if reply.startswith("TEMP "):
            self.failed.append((key, reply))
        elif reply != answer:
            self.wrong.append((key, reply))


def ask_batch(clients, first):
    askers = [Asker(client, range(first + i, first + BATCH, len(clients)))
              for i, client in enumerate(clients)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    wrong = sum((asker.wrong for asker in askers), [])
    failed = sum((asker.failed for asker in askers), [])
    if failed and not chance.COUNTS["failed"]:
        chance.tell("the first that failed: %s: %s" % failed[0])
    chance.count(lookups=BATCH, wrong=len(wrong), failed=len(failed))
    expect(not wrong, "wrong:", wrong[:5])


def processes(server):
    return {stage.comm(pid).removeprefix("danemapd-"): pid
            for pid in [server.process.pid, *server.children()]}


def tell(samples):
    """A line for each of a few samples: names, seconds, memory in kB."""
    step = max(1, len(samples) // SAMPLES)
    for names, seconds, sizes in samples[::step] + samples[-1:]:
        chance.tell("names=%d s=%d " % (names, seconds) + " ".join(
            "%s_kb=%d" % pair for pair in sizes.items()))


def check_growth(samples):
    half = samples[len(samples) // 2][2]
    for who, size in samples[-1][2].items():
        expect(size - half[who] <= GROWTH_KB, who, "grew from", half[who],
               "to", size, "kB in the last half")


def ask_names(server, least):
    """Until the time is over; what the processes had at each batch."""
    samples, begun = [], time.monotonic()
    pids, before = processes(server), datagrams()
    clients = [server.client(60) for _ in range(CLIENTS)]
    for n in chance.rounds(least // BATCH):
        ask_batch(clients, n * BATCH)
        samples.append(((n + 1) * BATCH, time.monotonic() - begun, {
            who: anonymous_kb(pid) for who, pid in pids.items()}))
    tell(samples)
    n_names = samples[-1][0]
    expect(chance.COUNTS["failed"] < n_names / 1000, "too many failed")
    asked = datagrams() - before
    # A query and its answer at least.
    expect(asked > 2 * n_names, asked, "datagrams: from memory")
    expect(processes(server) == pids, "somebody was replaced")
    return samples


@goes_on
def test_cold_names(dns):
    """names that never end cost no process more and more memory"""
    with Daemon(dns.folder, log_level="notice") as server:
        check_growth(ask_names(server, LEAST))


@goes_on
def test_small_caches(dns):
    """nor do they where libunbound's caches are full from the start"""
    server = Daemon(dns.folder, log_level="notice")
    fragment = server.folder / "unbound.conf"
    fragment.write_text("server:\n" + "".join(
        "\t%s-cache-size: 2m\n" % name
        for name in ("msg", "rrset", "key", "neg")))
    fragment.chmod(0o644)
    server.settings["resolver_config"] = fragment
    with server:
        check_growth(ask_names(server, LEAST_SMALL))
