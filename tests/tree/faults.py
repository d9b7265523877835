# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""The server of zones whose answers are to be spoilt: takes the good answer
from NSD and spoils it as the file `zones` says.  One address a zone.

    servfail refused notimp   that response code
    silent                    no answer at all
    truncate                  the TC bit over UDP, silence over TCP
    strip                     no DNSSEC records
    strip-denial              no NSEC, NSEC3 and their signatures
    flip                      one bit of each signature is another
    empty                     NOERROR with no record: a lame NODATA
    deny                      NXDOMAIN with no record
    delay=MS                  the good answer, later

and the lies of lies.py.

    faults.py [ZONES]
"""

import asyncio
import pathlib
import struct
import sys

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from . import lies, tree, zonefile

DNSSEC_TYPES = {dns.rdatatype.RRSIG, dns.rdatatype.NSEC, dns.rdatatype.NSEC3}
DENIALS = {dns.rdatatype.NSEC, dns.rdatatype.NSEC3}
CODES = {"servfail": dns.rcode.SERVFAIL, "refused": dns.rcode.REFUSED,
         "notimp": dns.rcode.NOTIMP}
UPSTREAM_WAIT_S = 5
HEADER_LEN = 12


def action_for(zone, owner, rdtype):
    """What becomes of the answer to a question, or None."""
    for fault in zone.faults:
        if fault.owner in ("*", owner) and fault.rdtype in ("*", rdtype):
            return fault.action
    return None


def without(section, unwanted):
    return [rrset for rrset in section
            if rrset.rdtype not in unwanted and
            not (rrset.rdtype == dns.rdatatype.RRSIG and
                 rrset.covers in unwanted)]


def keep(answer, unwanted):
    answer.answer = without(answer.answer, unwanted)
    answer.authority = without(answer.authority, unwanted)


def flip_signature(rdata):
    spoilt = bytearray(rdata.signature)
    spoilt[len(spoilt) // 2] ^= 0x10
    return rdata.replace(signature=bytes(spoilt))


def flip(section):
    return [dns.rrset.from_rdata_list(
                rrset.name, rrset.ttl, [flip_signature(r) for r in rrset])
            if rrset.rdtype == dns.rdatatype.RRSIG else rrset
            for rrset in section]


def empty(answer):
    answer.answer, answer.authority, answer.additional = [], [], []


def spoil(answer, action, is_tcp):
    """The answer changed as told; None: say nothing."""
    if action in CODES:
        empty(answer)
        answer.set_rcode(CODES[action])
    elif action == "silent" or (action == "truncate" and is_tcp):
        return None
    elif action == "truncate" or (action in lies.STALLS and not is_tcp):
        empty(answer)
        answer.flags |= dns.flags.TC
    elif action == "strip":
        keep(answer, DNSSEC_TYPES)
    elif action == "strip-denial":
        keep(answer, DENIALS)
    elif action == "flip":
        answer.answer = flip(answer.answer)
        answer.authority = flip(answer.authority)
    elif action in ("empty", "deny"):
        empty(answer)
        if action == "deny":
            answer.set_rcode(dns.rcode.NXDOMAIN)
    else:
        raise ValueError("no such fault: " + action)
    return answer


class Relay(asyncio.DatagramProtocol):
    """One query to NSD over UDP."""

    def __init__(self, wire):
        self.wire = wire
        self.answer = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        transport.sendto(self.wire)

    def datagram_received(self, data, addr):
        if not self.answer.done():
            self.answer.set_result(data)


async def relay_datagram(wire):
    transport, relay = await asyncio.get_running_loop() \
        .create_datagram_endpoint(lambda: Relay(wire),
                                  remote_addr=(tree.HIDDEN, 53))
    try:
        return await asyncio.wait_for(relay.answer, UPSTREAM_WAIT_S)
    finally:
        transport.close()


async def relay_stream(wire):
    reader, writer = await asyncio.open_connection(tree.HIDDEN, 53)
    try:
        writer.write(struct.pack("!H", len(wire)) + wire)
        return await read_message(reader)
    finally:
        writer.close()


async def read_message(reader):
    length, = struct.unpack("!H", await reader.readexactly(2))
    return await reader.readexactly(length)


def question_of(wire):
    """Owner and type, without the cost of reading the whole message."""
    name, used = dns.name.from_wire(wire, HEADER_LEN)
    rdtype, = struct.unpack_from("!H", wire, HEADER_LEN + used)
    return name.to_text().lower(), dns.rdatatype.to_text(rdtype)


async def spoilt_octets(zone, wire, action, is_tcp):
    """The good answer in full, spoilt; None: say nothing."""
    query = dns.message.from_wire(wire)
    asked = lies.question_for(action, zone, query)
    answer = dns.message.from_wire(await relay_stream(asked.to_wire()))
    answer = lies.instead(action, zone, query, answer) or \
        spoil(answer, action, is_tcp)
    if answer is None or is_tcp:
        return answer and answer.to_wire(max_size=65535)
    return datagram(answer, max(query.payload, 512))


async def answer_octets(zone, wire, is_tcp):
    """What is to be sent for a query, or None."""
    action = action_for(zone, *question_of(wire)) or ""
    if action.startswith("delay="):
        await asyncio.sleep(int(action[6:]) / 1000)
    elif action and action not in lies.BEFORE and not (
            action in lies.STALLS and is_tcp):
        return await spoilt_octets(zone, wire, action, is_tcp)
    return await (relay_stream if is_tcp else relay_datagram)(wire)


def datagram(answer, size):
    try:
        return answer.to_wire(max_size=size)
    except dns.exception.TooBig:
        empty(answer)
        answer.flags |= dns.flags.TC
        return answer.to_wire()


class Datagrams(asyncio.DatagramProtocol):
    def __init__(self, zone):
        self.zone = zone
        self.liar = lies.Liar()
        self.tasks = set()

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        task = asyncio.create_task(self.reply(data, addr))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def reply(self, data, addr):
        action = action_for(self.zone, *question_of(data))
        if action in lies.BEFORE:
            self.lie(action, data, addr)
        octets = await answer_octets(self.zone, data, False)
        if octets:
            self.transport.sendto(octets, addr)

    def lie(self, action, data, addr):
        said = self.liar.before(action, dns.message.from_wire(data))
        if action == "wrong-sender":
            lies.send_as_others(said, self.zone.server, addr)
            return
        for octets in said:
            self.transport.sendto(octets, addr)


async def serve_stream(zone, reader, writer):
    """Queries of one TCP connection, in order."""
    try:
        while True:
            wire = await read_message(reader)
            octets = await answer_octets(zone, wire, True)
            action = action_for(zone, *question_of(wire))
            if action in lies.STALLS:
                await lies.stall(action, octets, writer)
                break
            if octets:
                writer.write(struct.pack("!H", len(octets)) + octets)
                await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def serve_zone(zone):
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(
        lambda: Datagrams(zone), local_addr=(zone.server, 53))
    return await asyncio.start_server(
        lambda reader, writer: serve_stream(zone, reader, writer),
        zone.server, 53)


async def main(path):
    faulty = [zone for zone in zonefile.read(path) if zone.faults]
    for zone, address in zip(faulty, tree.faulty_addresses(faulty)):
        zone.server = address
    servers = [await serve_zone(zone) for zone in faulty]
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if sys.argv[1:] else
                     pathlib.Path(__file__).parent / "zones"))
