# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""Servers that do worse than fail.  What one of them sends before the good
answer:

    wrong-id        many forged answers whose ids nobody uses
    wrong-sender    many forged answers from other addresses and ports
    wrong-question  many forged answers to another question
    unsigned        forged answers without signatures
    once            the same, but only when it is asked for the first time
    garbage         octets that are no answer, with the right id

or in its place:

    badly-signed    forged data under the good signature
    other-denial    the denial of another name, well signed
    poison          the good answer, with forged records of others beside it
    alias           an alias of a name that nobody has heard of, which is one
    lost            a referral to a server that is silent
    itself          a referral to this server
    many            a referral to forty servers that do not exist
    tcp-half tcp-drip tcp-close
                    the TC bit over UDP; over TCP half of the answer, an octet
                    of it a second, nothing but the end

What is forged says that there is no DANE.
"""

import asyncio
import copy
import os
import random
import socket
import struct

import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import dns.rrset

FLOOD = 100
ALIEN = "192.0.2.9"
OTHER_PORT = 5353
# The host of other zones that has no DANE, and one that has.
WEAK_HOST, STRONG_HOST = "none.mail.nsec.", "good.mail.nsec."
SILENT = "192.0.2.10"
BEFORE = {"wrong-id", "wrong-sender", "wrong-question", "unsigned", "once",
          "garbage"}
STALLS = {"tcp-half", "tcp-drip", "tcp-close"}


def question(message):
    return message.question[0]


def records(name, rdtype, *texts):
    return dns.rrset.from_text(name, 3600, "IN", rdtype, *texts)


def weak(name, rdtype):
    """The RRset that would do most harm; None: that there is none."""
    if rdtype == dns.rdatatype.MX:
        return records(name, "MX", "0 " + WEAK_HOST)
    return None


def forge(query):
    answer = dns.message.make_response(query)
    answer.flags |= dns.flags.AA
    asked = question(query)
    rrset = weak(asked.name, asked.rdtype)
    if rrset:
        answer.answer.append(rrset)
    return answer


# ---- Before the good answer

def with_id(octets, number):
    return struct.pack("!H", number) + octets[2:]


def wrong_ids(query):
    octets = forge(query).to_wire()
    wrong = [n for n in random.sample(range(65536), FLOOD) if n != query.id]
    return [with_id(octets, n) for n in wrong]


def wrong_questions(query):
    other = copy.deepcopy(query)
    other.question = [dns.rrset.RRset(
        dns.name.from_text("x." + question(query).name.to_text()),
        question(query).rdclass, question(query).rdtype)]
    return [forge(other).to_wire()] * FLOOD


def garbage(query):
    """Noise; counts that lie; a name that points at itself."""
    good = forge(query).to_wire()
    heads = [b"\x84\x00" + os.urandom(random.randint(0, 400))
             for _ in range(20)]
    heads += [good[2:4] + b"\x00\x01\xff\xff\xff\xff\xff\xff" + good[12:],
              good[2:12] + b"\xc0\x0c" + good[-4:], b"", good[2:-3]]
    return [struct.pack("!H", query.id) + head for head in heads]


class Liar:
    """What one socket has said so far."""

    def __init__(self):
        self.seen = set()

    def before(self, action, query):
        """The octets that come first."""
        if action == "once":
            asked = question(query).to_text()
            fresh = asked not in self.seen
            self.seen.add(asked)
            return [forge(query).to_wire()] if fresh else []
        return {"wrong-id": wrong_ids, "wrong-question": wrong_questions,
                "unsigned": lambda q: [forge(q).to_wire()],
                "wrong-sender": lambda q: [forge(q).to_wire()] * FLOOD,
                "garbage": garbage}[action](query)


def send_as_others(octets, address, client):
    """From another address, and from another port of this one."""
    for sender in ((ALIEN, 53), (address, OTHER_PORT)):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(sender)
            for one in octets:
                other.sendto(one, client)


# ---- In its place

def forge_under_signature(answer):
    for n, rrset in enumerate(answer.answer):
        if rrset.rdtype == dns.rdatatype.MX:
            answer.answer[n] = weak(rrset.name, rrset.rdtype)
        elif rrset.rdtype == dns.rdatatype.TLSA:
            answer.answer[n] = records(rrset.name, "TLSA", "3 1 1 " + "00" * 32)
    return answer


def poison(answer):
    """As if all zones were its own."""
    answer.answer.append(records("dane399.cases.nsec.", "MX",
                                 "0 " + WEAK_HOST))
    answer.authority += [records("nsec.", "NS", "ns.poison.nsec."),
                         records("cases.nsec.", "NS", "ns.poison.nsec."),
                         records("mail.nsec.", "NS", "ns.poison.nsec.")]
    answer.additional += [records("ns.poison.nsec.", "A", SILENT),
                          records("ns.cases.nsec.", "A", SILENT),
                          records("ns.mail.nsec.", "A", SILENT),
                          records(STRONG_HOST, "A", SILENT),
                          records("ns.", "A", SILENT)]
    return answer


def alias(query, zone):
    answer = dns.message.make_response(query)
    answer.flags |= dns.flags.AA
    answer.answer.append(records(
        question(query).name, "CNAME",
        "x%d.%s" % (random.getrandbits(60), zone.name)))
    return answer


def referral(query, servers, address=None):
    answer = dns.message.make_response(query)
    answer.authority.append(records(question(query).name, "NS", *servers))
    if address:
        answer.additional.append(records(servers[0], "A", address))
    return answer


def instead(action, zone, query, answer):
    """What is sent in place of the good answer; None: no such lie."""
    name = question(query).name.to_text()
    return {
        "badly-signed": lambda: forge_under_signature(answer),
        "other-denial": lambda: put_question(answer, query),
        "poison": lambda: poison(answer),
        "alias": lambda: alias(query, zone),
        "lost": lambda: referral(query, ["ns." + name], SILENT),
        "itself": lambda: referral(query, ["ns." + name], zone.server),
        "many": lambda: referral(query, [
            "ns%d.%s" % (random.getrandbits(60), "cases.nsec.")
            for _ in range(40)]),
    }.get(action, lambda: None)()


def question_for(action, zone, query):
    """What NSD is asked."""
    if action != "other-denial":
        return query
    other = copy.deepcopy(query)
    other.question = [dns.rrset.RRset(
        dns.name.from_text("plain." + zone.name),
        question(query).rdclass, question(query).rdtype)]
    return other


def put_question(answer, query):
    answer.question = query.question
    return answer


# ---- Over TCP

async def stall(action, octets, writer):
    """Says some of it, and then waits to be left."""
    octets = struct.pack("!H", len(octets)) + octets
    if action == "tcp-half":
        writer.write(octets[:len(octets) // 2])
        await asyncio.sleep(3600)
    elif action == "tcp-drip":
        for octet in octets:
            writer.write(bytes([octet]))
            await writer.drain()
            await asyncio.sleep(1)
