# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""Mail through Debian's Postfix: its smtp(8), chrooted and not, asks danemapd
for its TLS policy and delivers to the sink.  The system's own Postfix is not
touched: its folders are covered by temporary ones in a mount namespace.

    postfix.py TREE
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

from tree import tree

from . import daemon, tap

HERE = pathlib.Path(__file__).parent
RESOLVER = "192.0.2.4"
DELIVERY_S = 40
QUEUE = pathlib.Path("/var/spool/postfix")
MAILLOG = QUEUE / "maillog"

MAIN_CF = """compatibility_level = 3.6
myhostname = client.nsec
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
maillog_file = /var/spool/postfix/maillog
alias_maps =
smtp_host_lookup = dns
smtp_tls_security_level = may
smtp_tls_loglevel = 1
smtp_tls_fingerprint_digest = sha256
smtp_dns_support_level = dnssec
smtp_tls_dane_insecure_mx_policy = dane
smtp_tls_policy_maps = socketmap:unix:danemap/policy.sock:dane
transport_maps = regexp:/etc/postfix/transport
"""
MASTER_CF = """pickup unix n - y 60 1 pickup
cleanup unix n - y - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - y 1000? 1 tlsmgr
rewrite unix - - y - - trivial-rewrite
bounce unix - - y - 0 bounce
defer unix - - y - 0 bounce
trace unix - - y - 0 bounce
postlog unix-dgram n - n - 1 postlogd
retry unix - - y - - error
error unix - - y - - error
scache unix - - y - 1 scache
smtp unix - - y - - smtp
unjailed unix - - n - - smtp
"""
# Postfix as one without DANE: the level is fingerprint, no DNSSEC is asked.
WITHOUT_DANE = """{name} unix - - {chroot} - - smtp
  -o smtp_dns_support_level=enabled
  -o smtp_tls_fingerprint_digest={digest}
  -o smtp_tls_policy_maps=socketmap:unix:danemap/{socket}:fingerprint
"""
# The local part of a recipient chooses the transport.
TRANSPORTS = ("unjailed", "legacy", "legacyunjailed", "legacysha512")

UNBOUND_CONF = """server:
	interface: {address}
	access-control: 0.0.0.0/0 allow
	directory: "{folder}"
	chroot: ""
	username: ""
	pidfile: ""
	use-syslog: no
	do-daemonize: no
	do-ip6: no
	root-hints: "{tree}/root.hints"
	trust-anchor-file: "{tree}/root.key"
remote-control:
	control-enable: no
"""

TLS = r"{0} TLS connection established to {1}\[.*"
SENT = r".* dsn=2\.\d\.\d, status=sent .*"


def sent(kind, host):
    """Delivered over TLS of that kind to that host."""
    return "(?s).*" + TLS.format(kind, re.escape(host)) + SENT


def deferred(dsn, text):
    return "(?s).*dsn=%s, status=deferred .*%s.*" % (re.escape(dsn), text)


DANE = [
    ("one.cases.nsec", sent("Verified", "good.mail.nsec"),
     "is verified where the key matches"),
    ("ta201.cases.nsec", sent("Verified", "ta201.mail.nsec"),
     "is verified against a trust anchor"),
    ("rollover.delivery.nsec", sent("Verified", "rollhost.delivery.nsec"),
     "is verified against the second of two records"),
    ("mixed.cases.nsec", sent("Verified", "good.mail.nsec"),
     "is verified at the DANE host of a mixed domain"),
    # Postfix calls the same check Trusted where the host's name was not signed.
    ("signedhosts.unsigned.plain", sent("Trusted", "good.mail.nsec"),
     "is held to the key behind unsigned MX records"),
    ("failover.delivery.nsec", sent("Verified", "good.mail.nsec"),
     "goes to the next host where the first one's key is wrong"),
    ("tlsa-good.servfail.nsec", sent("Verified", "good.mail.nsec"),
     "goes to the next host where the first one's TLSA lookup fails"),
    ("pkix.cases.nsec", sent("Untrusted", "pkix.mail.nsec"),
     "is encrypted where all records are unusable"),
    ("kill.cases.nsec", sent("Untrusted", "kill.mail.nsec"),
     "is encrypted where the only record has no data"),
    ("none.cases.nsec", sent("Untrusted", "nodane.mail.nsec"),
     "is delivered where there is no DANE"),
    ("wrong.delivery.nsec",
     deferred("4.7.5", "Server certificate not verified"),
     "waits where the key is wrong"),
    ("plaintext.delivery.nsec", deferred("4.7.4", "TLS is required"),
     "waits where the host has no STARTTLS"),
    ("killgood.cases.nsec",
     "(?s).*socketmap server temporary error: .*status=deferred.*",
     "waits where a record without data would stop smtp(8)"),
    ("to-tlsa.servfail.nsec",
     r"(?s).*socketmap server temporary error: "
     r"_25\._tcp\.tlsa\.servfail\.nsec TLSA: .*status=deferred.*",
     "waits where danemapd answers TEMP, and the log has the reason"),
]
FINGERPRINT = [
    ("one.cases.nsec", sent("Verified", "good.mail.nsec"),
     "is verified by fingerprint under 3 1 1"),
    ("ee301.cases.nsec", sent("Verified", "ee301.mail.nsec"),
     "is verified by fingerprint under 3 0 1"),
    ("ee300.cases.nsec", sent("Verified", "ee300.mail.nsec"),
     "is verified by fingerprint under 3 0 0"),
    ("ee310.cases.nsec", sent("Verified", "ee310.mail.nsec"),
     "is verified by fingerprint under 3 1 0"),
    ("rollover.cases.nsec", sent("Verified", "rollover.mail.nsec"),
     "is verified by the first of two fingerprints before a roll-over"),
    ("rollover.delivery.nsec", sent("Verified", "rollhost.delivery.nsec"),
     "is verified by the second of two fingerprints after a roll-over"),
    ("none.cases.nsec", sent("Untrusted", "nodane.mail.nsec"),
     "is delivered where there is no DANE"),
    ("wrong.delivery.nsec",
     deferred("4.7.5", "Server certificate not verified"),
     "waits where the fingerprint is wrong"),
    ("plaintext.delivery.nsec", deferred("4.7.4", "TLS is required"),
     "waits where the host has no STARTTLS"),
    ("to-tlsa.flip.nsec",
     deferred("4.7.5", ""),
     "waits, alone, where TLSA is bogus"),
]
SHA512 = [
    ("ee312.cases.nsec", sent("Verified", "ee312.mail.nsec"),
     "is verified by fingerprint under 3 1 2"),
]
RUNS = [("smtp", "mail from the chroot", DANE),
        ("unjailed", "mail from outside the chroot", DANE),
        ("legacy", "mail of a Postfix without DANE", FINGERPRINT),
        ("legacyunjailed", "mail of a Postfix without DANE or chroot",
         FINGERPRINT[:1]),
        ("legacysha512", "mail of a Postfix without DANE, with sha512,",
         SHA512)]


def run(*command):
    done = subprocess.run(list(map(str, command)), check=False, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if done.returncode:
        log = MAILLOG.read_text() if MAILLOG.exists() else ""
        raise RuntimeError("%s: %s%s" % (command, done.stdout, log))


def cover(path, folder):
    """Puts a folder of ours over one of the system's, for this namespace."""
    folder.mkdir(mode=0o755, exist_ok=True)
    run("mount", "--bind", folder, path)


def write_postfix(resolv_conf):
    etc = pathlib.Path("/etc/postfix")
    (etc / "main.cf").write_text(MAIN_CF)
    master = MASTER_CF
    for name, chroot, digest, path in (
            ("legacy", "y", "sha256", "policy.sock"),
            ("legacyunjailed", "n", "sha256", "policy.sock"),
            ("legacysha512", "y", "sha512", "sha512.sock")):
        master += WITHOUT_DANE.format(name=name, chroot=chroot, digest=digest,
                                      socket=path)
    (etc / "master.cf").write_text(master)
    (etc / "transport").write_text("".join(
        "/^%s@/ %s:\n" % (name, name) for name in TRANSPORTS))
    (QUEUE / "etc").mkdir()
    for name in ("services", "hosts", "nsswitch.conf"):
        if os.path.exists("/etc/" + name):
            shutil.copy("/etc/" + name, QUEUE / "etc")
    (QUEUE / "etc/resolv.conf").write_text(resolv_conf)


class Site:
    """A mail host: resolver, Postfix, two daemons, and the sink it talks to."""

    def __init__(self, folder, zones):
        self.folder = pathlib.Path(folder)
        self.tree = pathlib.Path(zones)
        self.running = []
        self.daemons = []

    def __enter__(self):
        try:
            self.begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def begin(self):
        resolv_conf = "nameserver %s\noptions trust-ad\n" % RESOLVER
        (self.folder / "resolv.conf").write_text(resolv_conf)
        run("mount", "--bind", self.folder / "resolv.conf", "/etc/resolv.conf")
        shutil.copytree("/etc/postfix", self.folder / "etc", symlinks=True)
        cover("/etc/postfix", self.folder / "etc")
        cover("/var/lib/postfix", self.folder / "data")
        cover(QUEUE, self.folder / "queue")
        shutil.chown("/var/lib/postfix", "postfix")
        self.start_unbound()
        self.start([sys.executable, "-m", "e2e.sink", self.tree / "certs"],
                   "sink.log", cwd=HERE.parent)
        write_postfix(resolv_conf)
        self.start_danemapd("policy.sock")
        self.start_danemapd("sha512.sock", fingerprint_digest="sha512")
        run("postfix", "start")

    def start_unbound(self):
        conf = self.folder / "unbound.conf"
        conf.write_text(UNBOUND_CONF.format(
            address=RESOLVER, folder=self.folder, tree=self.tree))
        self.start(["unbound", "-d", "-c", conf], "unbound.log")
        tree.wait_until_answering(RESOLVER)

    def start(self, command, log_name, **more):
        with open(self.folder / log_name, "ab") as log:
            self.running.append(subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                **more))

    def start_danemapd(self, name, **settings):
        path = QUEUE / "danemap" / name
        own = self.folder / ("d" + name)
        own.mkdir()
        shutil.chown(own, "nobody")
        path.parent.mkdir(exist_ok=True)
        server = daemon.Daemon(self.tree, own, user="nobody",
                               listen="unix:%s:0660:postfix" % path,
                               **settings)
        server.socket = str(path)
        self.daemons.append(server)
        server.start()
        server.wait_ready()

    def __exit__(self, *_):
        subprocess.run(["postfix", "abort"], stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       check=False)
        for server in self.daemons:
            server.__exit__()
        for process in self.running:
            process.terminate()
            process.wait()

    @staticmethod
    def send(recipients):
        subprocess.run(["sendmail", "-f", "", *recipients], check=True,
                       input=b"Subject: a test\n\nBody\n")


def events(log):
    """What smtp(8) said of each recipient: the lines of its process since its
    last verdict, by recipient."""
    lines, found = {}, {}
    for line in log.splitlines():
        process = re.search(r" postfix/(\w+)\[(\d+)\]: ", line)
        if not process or process[1] not in ("smtp", *TRANSPORTS):
            continue
        lines.setdefault(process[2], []).append(line)
        recipient = re.search(r" to=<([^>]+)>, .*status=", line)
        if recipient:
            found[recipient[1]] = "\n".join(lines.pop(process[2]))
    return found


def wait_for(recipients):
    """The log by recipient, once all are there or time is up."""
    end = time.monotonic() + DELIVERY_S
    while True:
        log = MAILLOG.read_text(errors="replace") if MAILLOG.exists() else ""
        found = events(log)
        if all(name in found for name in recipients) or \
                time.monotonic() > end:
            return found, log
        time.sleep(0.2)


def problem_of(pattern, seen, site, domain):
    if seen and re.fullmatch(pattern, seen):
        return None
    return "wanted: %s\ngot: %s\n%s" % (
        pattern, seen or "no delivery attempt",
        site.daemons[0].log_about(domain))


def main():
    report = tap.Report()
    with tempfile.TemporaryDirectory(prefix="dm") as folder, \
            tree.Servers(sys.argv[1]):
        os.chmod(folder, 0o755)
        with Site(folder, sys.argv[1]) as site:
            recipients = ["%s@%s" % (transport, domain)
                          for transport, _, cases in RUNS
                          for domain, _, _ in cases]
            site.send(recipients)
            found, log = wait_for(recipients)
            for transport, who, cases in RUNS:
                for domain, pattern, sentence in cases:
                    seen = found.get("%s@%s" % (transport, domain))
                    report.add("%s %s" % (who, sentence),
                               problem_of(pattern, seen, site, domain))
            panics = [line for line in log.splitlines() if "panic: " in line
                      or "fatal: " in line]
            report.add("no process of Postfix dies", "\n".join(panics))
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
