# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""How each example is tried: the blocks of its document, in their order.  Each
function is a test, named by its docstring.
"""

import pathlib

from e2e import postfix

from . import document, site

NAMES = document.Names()
LOOPBACK = ("127.0.0.1", 8460)


def debian(host, doc):
    """Debian's Postfix enforces DANE from its chroot, until it is undone"""
    host.fresh()
    host.serve()
    host.configure(doc["main.cf"])
    host.console(doc["console resolver"], NAMES)
    host.console(doc["console ask"], NAMES)
    host.expect(doc["log"] + doc["log waits"], NAMES)
    host.expect_decisions(doc["log danemapd"], NAMES)
    host.undo(doc["console undo"], NAMES)


def without_dane_unix(host, doc):
    """a Postfix without DANE enforces fingerprints it gets by a unix socket"""
    host.fresh(site.DOES_NOT)
    host.serve(doc["danemapd.conf unix"])
    host.configure(doc["main.cf unix"])
    host.console(doc["console ask unix"], NAMES)
    host.expect(doc["log"] + doc["log waits"], NAMES)
    host.undo(doc["console undo"], NAMES)


def without_dane_tcp(host, doc):
    """a Postfix without DANE enforces fingerprints it gets by TCP"""
    host.fresh(site.DOES_NOT)
    host.serve(doc["danemapd.conf tcp"], address=LOOPBACK)
    host.configure(doc["main.cf unix"] + doc["main.cf tcp"])
    host.console(doc["console ask tcp"], NAMES)
    host.expect(doc["log"], NAMES)
    host.undo(doc["console undo"], NAMES)


def without_dane_by_systemd(host, doc):
    """a TCP socket in danemapd.socket serves the same map"""
    host.fresh(site.DOES_NOT)
    host.serve(streams=document.listen_streams(doc["ini tcp"]),
               address=LOOPBACK)
    host.console(doc["console ask tcp"], NAMES)


def without_dane_mistaken(host, doc):
    """without a validating resolver the map dane makes mail wait"""
    host.fresh(site.DOES_NOT)
    host.serve(doc["danemapd.conf unix"])
    host.configure(doc["main.cf unix"] + doc["main.cf mistaken"])
    host.expect(doc["log mistaken"], NAMES)


def share_folder(host):
    """What a container's mount does: one folder at two places, there read-only.
    """
    shared = pathlib.Path("/srv/danemap")
    postfix.cover("/srv", host.folder / "srv")
    shared.mkdir(exist_ok=True)
    seen = site.SOCKET.parent
    seen.mkdir(exist_ok=True)
    postfix.run("mount", "--bind", shared, seen)
    postfix.run("mount", "-o", "remount,bind,ro", seen)


def leave_folder():
    postfix.run("umount", site.SOCKET.parent)
    postfix.run("umount", "/srv")


def container_unix(host, doc):
    """a Postfix in a container asks by a folder that it shares"""
    host.fresh(site.DOES_NOT)
    share_folder(host)
    try:
        host.serve(doc["danemapd.conf unix"])
        host.configure(doc["main.cf unix"])
        host.console(doc["console ask"], NAMES)
        host.expect(doc["log"], NAMES)
        host.undo(doc["console undo"], NAMES)
        host.stop()
        host.configure(doc["main.cf dane"])
        host.serve(doc["danemapd.conf unix"])
        host.expect(doc["log mistaken"], NAMES)
    finally:
        host.stop()
        leave_folder()


def container_tcp(host, doc):
    """a Postfix in a container asks danemapd on another address"""
    host.fresh(site.DOES_NOT)
    host.serve(doc["danemapd.conf tcp"], address=("192.0.2.60", 8460))
    host.configure(doc["main.cf unix"] + doc["main.cf tcp"])
    host.expect(doc["log"], NAMES)


def container_dane(host, doc):
    """a Postfix in a container may do DANE where its resolver validates"""
    host.fresh()
    share_folder(host)
    try:
        host.serve(doc["danemapd.conf unix"])
        host.configure(doc["main.cf dane"] + "smtp_tls_loglevel = 1\n")
        host.expect(doc["log"], NAMES)
    finally:
        host.stop()
        leave_folder()


STS = document.Names(**{"sts": "none.cases.nsec", "mx_sts": "nodane.mail.nsec",
                        "mail_sts": "good.mail.nsec"})


def moving_tlspol(host, doc):
    """danemapd takes the place of postfix-tlspol, main.cf untouched"""
    host.fresh()
    host.serve(doc["danemapd.conf tlspol"], address=("127.0.0.1", 8642))
    host.configure(doc["main.cf tlspol"] + "smtp_tls_loglevel = 1\n")
    host.console(doc["console tlspol"], NAMES)
    host.expect(doc["log"], NAMES)


def moving_by_systemd(host, doc):
    """danemapd.socket takes the place of postfix-tlspol"""
    host.fresh()
    host.serve(streams=document.listen_streams(doc["ini tlspol"]),
               address=("127.0.0.1", 8642))
    host.console(doc["console tlspol"], NAMES)


def moving_sts(host, doc):
    """danemapd takes the place of postfix-mta-sts-resolver"""
    host.fresh()
    host.serve(doc["danemapd.conf sts"], address=("127.0.0.1", 8461))
    host.configure(doc["main.cf sts"] + doc["main.cf dnssec"])
    host.console(doc["console sts"], NAMES)
    host.expect(doc["log"], NAMES)


def moving_both(host, doc):
    """danemapd leaves domains without DANE to the MTA-STS server behind it"""
    host.fresh()
    host.trust("good.pem")
    with host.policy_server():
        host.serve(doc["danemapd.conf both"])
        host.configure(doc["main.cf sts"] + doc["main.cf both"])
        host.console(doc["console both"], STS)
        host.expect(doc["log"] + doc["log both"], STS)
        host.console(doc["console undo"], STS)
        assert "smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8461:postfix" \
            in site.run("postconf -n")


LOCAL = document.Names(**{
    "partner": "none.delivery.nsec", "mx_partner": "nodane.mail.nsec",
    "mail_partner": "good.mail.nsec", "mail_group": "good.mail.nsec",
    "group": "cases.nsec", "sub_group": "none.cases.nsec",
    "mx_sub_group": "nodane.mail.nsec"})


TABLE = "smtp_tls_policy_maps = hash:/etc/postfix/tls_policy"


def local(host, doc, conf=None, main_cf="", table=TABLE):
    """Tables, danemapd and Postfix as the document has them."""
    host.fresh()
    host.trust("good.pem")
    host.files(doc, LOCAL)
    host.serve(conf)
    host.console(doc["console"], LOCAL)
    host.edit(table)
    host.remember()
    host.configure(doc["main.cf"] + main_cf)


def local_first(host, doc, table=TABLE):
    """a local table in front decides for full names, not for parents"""
    local(host, doc, table=table)
    host.expect(doc["log"] + doc["log hidden"], LOCAL)
    host.undo(doc["console undo"], LOCAL)


def local_rules(host, doc):
    """a parent rule holds in danemapd's policy file"""
    local(host, doc, doc["danemapd.conf rules"])
    host.expect(doc["log"] + doc["log cured"], LOCAL)


def local_regexp(host, doc):
    """a parent rule holds in a table of regular expressions"""
    local(host, doc, None, doc["main.cf regexp"])
    host.expect(doc["log cured"], LOCAL)


def local_silent(host, doc):
    """a parent rule holds where danemapd leaves domains without DANE alone"""
    local(host, doc, doc["danemapd.conf notfound"])
    host.expect(doc["log"] + doc["log cured"], LOCAL)


def local_after(host, doc):
    """a local table after danemapd has the domains without DANE"""
    local(host, doc, doc["danemapd.conf notfound"], doc["main.cf after"])
    host.expect(doc["log"] + doc["log cured"], LOCAL)


class Lmdb:
    """A document with each table of type hash turned into lmdb."""

    def __init__(self, doc):
        self.doc = doc

    def __getitem__(self, label):
        return self.doc[label].replace("hash:", "lmdb:")

    def files(self):
        return self.doc.files()


def local_lmdb(host, doc):
    """lmdb tables are like hash tables"""
    local_first(host, Lmdb(doc), TABLE.replace("hash:", "lmdb:"))


RELAY_DANE = document.Names(relay="good.mail.nsec")
RELAY_NONE = document.Names(relay="nodane.mail.nsec")
RELAY_CLEAR = document.Names(relay="plainhost.delivery.nsec")
RELAY = "relayhost = [relay.example]:587\nsmtp_tls_security_level = encrypt\n"


def relay(host, doc, names, conf=None):
    host.fresh()
    host.files(doc, names)
    host.serve(conf)
    host.edit(RELAY, names)
    host.remember()
    host.configure(doc["main.cf"], names)


def relay_dane(host, doc):
    """a relay with TLSA records for its port is verified"""
    relay(host, doc, RELAY_DANE)
    host.console(doc["console ask"], RELAY_DANE)
    host.expect(doc["log dane"], RELAY_DANE)
    host.undo(doc["console undo"], RELAY_DANE)


def relay_none(host, doc):
    """a relay without TLSA records keeps the level of main.cf"""
    relay(host, doc, RELAY_NONE)
    host.console(doc["console ask none"], RELAY_NONE)
    host.expect(doc["log none"], RELAY_NONE)


def relay_clear(host, doc):
    """a relay without TLS gets no mail"""
    relay(host, doc, RELAY_CLEAR)
    host.expect(doc["log clear"], RELAY_CLEAR)


def relay_rule(host, doc):
    """a relay without TLSA records is verified by a rule"""
    relay(host, doc, RELAY_DANE, doc["danemapd.conf rules"])
    host.console(doc["console ask rules"], RELAY_DANE)
    host.trust("good.pem")
    host.expect(doc["log dane"], RELAY_DANE)


OUT = "sendmail -C /etc/postfix-out"


def instances(host, doc, main_cf, **danemapd):
    """Two of them, with the same lines in their main.cf."""
    host.fresh()
    host.add_instance("postfix-out")
    host.edit("smtp_tls_security_level = may", instance="postfix-out")
    host.remember()
    host.serve(**danemapd)
    for name in ("postfix", "postfix-out"):
        host.edit(main_cf, instance=name)
        site.start_master(name)


def both_deliver(host, doc):
    host.expect(doc["log"], NAMES)
    host.expect(doc["log out"], NAMES, OUT)


def instances_unix(host, doc):
    """two instances have a unix socket each"""
    instances(host, doc, doc["main.cf unix"], conf=doc["danemapd.conf unix"])
    host.console(doc["console unix"], NAMES)
    both_deliver(host, doc)
    host.undo(doc["console undo"], NAMES)


def instances_by_systemd(host, doc):
    """two instances have a unix socket each by danemapd.socket"""
    streams = [str(site.SOCKET), *document.listen_streams(doc["ini unix"])]
    instances(host, doc, doc["main.cf unix"], streams=streams)
    host.console(doc["console unix"], NAMES)
    both_deliver(host, doc)


def instances_tcp(host, doc):
    """two instances share a TCP socket"""
    instances(host, doc, doc["main.cf unix"] + doc["main.cf tcp"],
              conf=doc["danemapd.conf tcp"], address=LOOPBACK)
    host.console(doc["console set"], NAMES)
    both_deliver(host, doc)


ALL = {
    "debian-12": [debian],
    "without-dane": [without_dane_unix, without_dane_tcp,
                     without_dane_by_systemd, without_dane_mistaken],
    "container-musl": [container_unix, container_tcp, container_dane],
    "moving": [moving_tlspol, moving_by_systemd, moving_sts, moving_both],
    "local-tables": [local_first, local_lmdb, local_rules, local_regexp,
                     local_silent, local_after],
    "relayhost": [relay_dane, relay_none, relay_clear, relay_rule],
    "multi-instance": [instances_unix, instances_by_systemd, instances_tcp],
}
