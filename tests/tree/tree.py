# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""Makes the signed tree in a folder and serves it inside a network namespace.

`make` writes keys, certificates, signed zones, root hints and trust anchor;
`Servers` runs NSD on three addresses: for the root and the top-level domains,
for the zones below, and, behind the fault server, for those whose answers are
to be spoilt.  The fault server has an address of its own for each, so that
what libunbound learns of one broken server says nothing of another.

    tree.py make|serve FOLDER
"""

import concurrent.futures
import datetime
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

import dns.dnssec
import dns.name
import dns.rdata

from . import certificates, zonefile

HERE = pathlib.Path(__file__).parent
UPPER = "192.0.2.1"
LOWER = "192.0.2.2"
HIDDEN = "192.0.2.3"  # asked by the fault server only
FIRST_FAULTY = 10  # 192.0.2.10 and up
DAY = datetime.timedelta(days=1)
ALGORITHMS = {8: ("RSASHA256", "2048"), 13: ("ECDSAP256SHA256", "256")}

HEAD = """$ORIGIN {name}
$TTL 3600
@ SOA ns hostmaster 1 3600 600 86400 900
@ NS ns
ns A {server}
"""
NSD_CONF = """server:
	ip-address: {address}
	server-count: 1
	username: ""
	database: ""
	zonesdir: "{folder}"
	pidfile: "{folder}/{address}.pid"
	xfrdfile: "{folder}/{address}.state"
	zonelistfile: "{folder}/{address}.list"
	cookie-secret-file: ""
	tcp-count: 200
	rrl-ratelimit: 0
	hide-version: yes
remote-control:
	control-enable: no
"""
NSD_ZONE = 'zone:\n\tname: "{name}"\n\tzonefile: "{file}"\n'
TLSA_CERTIFICATE = re.compile(r"TLSA (\d+) (\d+) (\d+) \{(\w+)\}")
TLSA_SHORT = re.compile(r"\tTLSA\t(\d+(?: \d+){0,2}) *$", re.MULTILINE)


def algorithm(zone):
    return 8 if "alg8" in zone.words else 13


def faulty_addresses(zones):
    """Where the fault server answers for each of the zones."""
    assert FIRST_FAULTY + len(zones) < 255, "more faults than addresses"
    return ["192.0.2.%d" % (FIRST_FAULTY + n) for n in range(len(zones))]


def nsd_of(zone):
    """The NSD that has the zone."""
    if zone.faults:
        return HIDDEN
    return UPPER if zone.name.count(".") == 1 else LOWER


def file_of(zone):
    return "zone" + (zone.name if zone.name != "." else ".root")


class Maker:
    """What is needed while the tree is made."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.zones = zonefile.read(HERE / "zones")
        self.associations = certificates.Associations(self.folder / "certs")
        self.keys = {}  # algorithm: (private key text, DNSKEY rdata text)

    def run(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        certificates.make(self.folder / "certs")
        for number in ALGORITHMS:
            self.keys[number] = self.new_key(number)
        self.give_addresses()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(self.make_zone, self.zones))
        self.write_configuration()

    def new_key(self, number):
        name, bits = ALGORITHMS[number]
        made = subprocess.run(
            ["ldns-keygen", "-k", "-a", name, "-b", bits, "key."],
            cwd=self.folder, check=True, text=True,
            stdout=subprocess.PIPE).stdout.strip()
        public = (self.folder / (made + ".key")).read_text()
        rdata = public.split("DNSKEY", 1)[1].split(";")[0].strip()
        return (self.folder / (made + ".private")).read_text(), rdata

    def give_addresses(self):
        for zone in self.zones:
            zone.server = nsd_of(zone)
        faulty = [zone for zone in self.zones if zone.faults]
        for zone, address in zip(faulty, faulty_addresses(faulty)):
            zone.server = address

    def digest(self, zone):
        """The DS record of a zone; a wrong one speaks of another key."""
        name = dns.name.from_text(zone.name)
        text = self.keys[algorithm(zone)][1]
        if "wrong-ds" in zone.words:
            flags, protocol, number, key = text.split(None, 3)
            key = key[4:8] + key[:4] + key[8:]
            text = " ".join((flags, protocol, number, key))
        key = dns.rdata.from_text("IN", "DNSKEY", text)
        return dns.dnssec.make_ds(name, key, "SHA256").to_text()

    def delegations(self, zone):
        for child in self.zones:
            if zonefile.parent_of(child, self.zones) is not zone:
                continue
            yield "%s NS ns.%s" % (child.name, child.name)
            yield "ns.%s A %s" % (child.name, child.server)
            if child.has_ds:
                yield "%s DS %s" % (child.name, self.digest(child))

    def tlsa(self, found):
        usage, selector, matching = map(int, found.groups()[:3])
        return "TLSA %d %d %d %s" % (
            usage, selector, matching,
            self.associations.data(found[4], selector, matching))

    def text(self, zone):
        lines = zone.records + list(self.delegations(zone))
        text = HEAD.format(name=zone.name, server=zone.server)
        return text + TLSA_CERTIFICATE.sub(self.tlsa, "\n".join(lines)) + "\n"

    def make_zone(self, zone):
        path = self.folder / file_of(zone)
        path.write_text(self.text(zone))
        if zone.signed:
            self.sign(zone, path)

    def sign(self, zone, path):
        """ldns-signzone finds the key by file name, so each zone has a copy."""
        number = algorithm(zone)
        private, public = self.keys[number]
        key = self.folder / ("K%s+%03d" % (file_of(zone), number))
        pathlib.Path(str(key) + ".private").write_text(private)
        pathlib.Path(str(key) + ".key").write_text(
            "%s IN DNSKEY %s\n" % (zone.name, public))
        subprocess.run(["ldns-signzone", *self.signing_words(zone),
                        "-f", path, path, key], check=True)
        path.write_text(TLSA_SHORT.sub(generic_tlsa, path.read_text()))

    def signing_words(self, zone):
        now = datetime.datetime.now(datetime.timezone.utc)
        begin, end = now - DAY, now + 30 * DAY
        if "expired" in zone.words:
            begin, end = now - 30 * DAY, now - 2 * DAY
        if "future" in zone.words:
            begin, end = now + 2 * DAY, now + 30 * DAY
        if "brief" in zone.words:
            begin, end = now - DAY / 24, now + DAY / 2
        words = ["-i", begin.strftime("%Y%m%d%H%M%S"),
                 "-e", end.strftime("%Y%m%d%H%M%S")]
        if zone.words & {"nsec3", "optout"}:
            words += ["-n", "-t", "0"]
        if "optout" in zone.words:
            words.append("-p")
        return words

    def write_configuration(self):
        for address in (UPPER, LOWER, HIDDEN):
            conf = NSD_CONF.format(address=address, folder=self.folder)
            for zone in self.zones:
                if nsd_of(zone) == address:
                    conf += NSD_ZONE.format(name=zone.name,
                                            file=file_of(zone))
            (self.folder / (address + ".conf")).write_text(conf)
        root = next(z for z in self.zones if z.name == ".")
        (self.folder / "root.hints").write_text(
            ". 3600 NS ns.\nns. 3600 A %s\n" % root.server)
        (self.folder / "root.key").write_text(
            ". IN DNSKEY %s\n" % self.keys[algorithm(root)][1])


def generic_tlsa(found):
    """NSD reads records without data in the form of RFC 3597 only."""
    octets = bytes(map(int, found[1].split()))
    return "\tTYPE52\t\\# %d %s" % (len(octets), octets.hex())


def make(folder):
    maker = Maker(folder)
    maker.run()
    return maker.zones


def wait_until_answering(address, seconds=30):
    """Until something takes connections on port 53."""
    end = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection((address, 53), 1).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


class Servers:
    """NSD and the fault server, ended with the `with` block."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.running = []

    def __enter__(self):
        for address in (UPPER, LOWER, HIDDEN):
            self.start(["nsd", "-d", "-c", self.folder / (address + ".conf")])
        self.start([sys.executable, "-m", "tree.faults"], cwd=HERE.parent)
        faulty = [z for z in zonefile.read(HERE / "zones") if z.faults]
        for address in (UPPER, LOWER, HIDDEN, *faulty_addresses(faulty)):
            wait_until_answering(address)
        return self

    def start(self, command, **more):
        log = open(self.folder / "servers.log", "ab")
        with log:
            self.running.append(subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                **more))

    def __exit__(self, *_):
        for process in self.running:
            process.terminate()
        for process in self.running:
            process.wait()


def serve(folder):
    """Until a signal ends this; the file `ready` says that all is up."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with Servers(folder):
        (pathlib.Path(folder) / "ready").touch()
        signal.pause()


if __name__ == "__main__":
    {"make": make, "serve": serve}[sys.argv[1]](sys.argv[2])
