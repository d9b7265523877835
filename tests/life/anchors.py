# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""The root's key is rolled: trust_anchor_file is replaced and read again."""

import functools
import pathlib
import subprocess

import dns.dnssec
import dns.name
import dns.rdata

from . import chance, stage
from .chance import goes_on
from .stage import Daemon, Load, SECURE, domains, expect, wait_until

RECOVERY_S = 40
DOUBT = "TEMP root zone not validated"


class Root:
    """The root zone, its old key and its new one."""

    def __init__(self, net):
        self.net = net
        self.old = net.folder / "Kzone.root+013"
        self.new = self.make_key()

    def make_key(self):
        name = subprocess.run(
            ["ldns-keygen", "-k", "-a", "ECDSAP256SHA256", "."],
            cwd=self.net.folder, check=True, text=True,
            stdout=subprocess.PIPE).stdout.strip()
        return self.net.folder / name

    def sign(self, *keys):
        self.net.publish(".", keys)


def key_text(key):
    return pathlib.Path(str(key) + ".key").read_text()


def key_rdata(key):
    text = key_text(key).split("DNSKEY", 1)[1].split(";")[0]
    return dns.rdata.from_text("IN", "DNSKEY", text.strip())


def ds_text(key):
    ds = dns.dnssec.make_ds(dns.name.root, key_rdata(key), "SHA256")
    return ". IN DS %s\n" % ds.to_text()


@functools.lru_cache
def root_of(net):
    return Root(net)


class Anchored(Daemon):
    """A danemapd with a trust anchor of its own."""

    def __init__(self, net, *texts):
        super().__init__(net.folder, query_timeout="4s")
        self.anchor = self.folder / "anchor"
        self.settings["trust_anchor_file"] = self.anchor
        self.trust(*texts)

    def trust(self, *texts):
        """As an editor does: another file in its place."""
        fresh = self.anchor.with_suffix(".new")
        fresh.write_text("".join(texts))
        fresh.chmod(0o644)
        fresh.rename(self.anchor)

    def recovers(self, n):
        wait_until(lambda: self.try_ask("dane%d.cases.nsec" % n) == SECURE,
                   RECOVERY_S, self.last_words)
        self.fill(domains(n, n + 1))


def roll(server, root, old, new):
    """As an administrator does who knows of it."""
    kept = domains(1, 20)
    server.fill(domains(101, 102))
    root.sign(old, new)
    server.trust(key_text(old), ds_text(new))
    server.reload()
    server.fill(kept + domains(103, 104))
    root.sign(new)
    server.reload()
    server.fill(kept + domains(105, 106))
    server.trust(key_text(new))
    server.reload()
    server.fill(kept + domains(107, 108))
    wait_until(server.settled, 20, server.last_words)
    server.fill(kept + domains(109, 110))


@goes_on
def test_rollover(net):
    """the key is rolled while mail flows, and nobody notices"""
    root = root_of(net)
    old, new = root.old, root.new
    root.sign(old)
    with Anchored(net, key_text(old)) as server:
        with Load(server, domains(1, 20), clients=4, pause_s=0.005) as load:
            for _ in chance.rounds(1):
                roll(server, root, old, new)
                chance.count(rolls=1)
                old, new = new, old
        load.check()
        expect("not validated" not in server.log(), server.last_words())


def test_forgotten(net):
    """a root that was rolled without us defers with a reason, never weakens"""
    root = root_of(net)
    kept = domains(1, 10)
    root.sign(root.old)
    with Anchored(net, key_text(root.old)) as server:
        server.fill(kept)
        root.sign(root.new)
        server.reload()
        check_doubt(server, 111)
        server.fill(kept)
        server.trust(key_text(root.new))
        server.reload()
        server.recovers(111)


def check_doubt(server, n):
    """Of what was never asked."""
    wait_until(lambda: server.log().count("root zone not validated"), 10,
               server.last_words)
    for key, _ in domains(n, n + 1):
        reply = server.ask(key)
        expect(reply.startswith(DOUBT), key, "got", reply)


def test_wrong_key(net):
    """a key that is not the root's defers with a reason until it is mended"""
    root = root_of(net)
    stranger = ". IN DS 20326 8 2 " + "AB" * 32 + "\n"
    root.sign(root.old)
    with Anchored(net, key_text(root.old)) as server:
        server.fill(domains(1, 10))
        server.trust(stranger)
        server.reload()
        check_doubt(server, 121)
        # What another trust vouched for is not given out under this one.
        for key, _ in domains(1, 10):
            reply = server.ask(key)
            expect(reply.startswith(DOUBT), key, "got", reply)
        server.trust(stranger, key_text(root.old))
        server.reload()
        server.recovers(121)


def test_broken_file(net):
    """a reload of a file that holds no key is refused, with the reason"""
    root = root_of(net)
    broken = [("", "no usable key of the root"),
              ("; nothing but words\n", "no usable key of the root"),
              (". IN DS 1 8 2 ABCD\n", "anchor:1: "),
              ("\n. IN DNSKEY 257 3 8 !!!!\n", "anchor:2: "),
              (". IN A 192.0.2.1\n", "anchor:1: "),
              ("nsec. IN DS 1 8 2 " + "AB" * 32 + "\n", "no usable key")]
    root.sign(root.old)
    with Anchored(net, key_text(root.old)) as server, \
            Load(server, domains(1, 10), clients=2) as load:
        for n, (text, words) in enumerate(broken):
            server.trust(text)
            before = len(server.log())
            server.reload(False)
            expect(words in server.log()[before:], "the log lacks", words,
                   server.log()[before:])
            server.fill(domains(131 + n, 131 + n))
        server.trust(key_text(root.old))
        server.reload()
        server.recovers(141)
    load.check()
