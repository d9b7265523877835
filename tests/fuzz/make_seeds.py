# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""Writes the seeds that are not text: what is in seeds/NAME by these names.

    make_seeds.py [FOLDER]      (default: seeds, beside this file)
"""

import os
import struct
import sys

QUESTION, HINT, ANSWER, REFUSED = 1, 2, 3, 4
DOMAIN, HOST = 4, 5

# src/policy/entry.c
HAS_ANSWER, REFRESHING, DEFERRAL = 1, 2, 4
# src/policy/facts.h
FAILED, NOBODY, INSECURE, SECURE = range(4)
MORE_HOSTS, PARTIAL = 4, 8
ERROR, ABSENT, DANE, UNUSABLE, NODANE = range(5)
ADDRESS, KILLS, SHA256, SHA512 = 1, 2, 4, 8

# fuzz_cache.c
STRICT, DROP, PATCHES, OVER_SOUND, MARK, FILL = 1, 2, 4, 8, 16, 128
PAGE = 16384

# src/wire/order.h: those that carry a descriptor, and the last
CARRIERS, LAST_ORDER = (1, 2, 4, 5, 13), 13

# fuzz_decide.c
FINGERPRINT, IN_SHA512, KNOWN, DEFERRED, STALE_USE = 32, 16, 8, 4, 2

# src/policy/walk.h
BOGUS, UNSIGNED, SIGNED = 1, 2, 3  # and FAILED
NODATA, NXDOMAIN, DATA = range(3)
MX, A, AAAA, CNAME, TARGET, TLSA = range(6)  # fuzz_walk.c: of the first host
PER_HOST = 5


def ask(kind, data, number=7, deadline_ms=0):
    return struct.pack('<B3xIQ', kind, number, deadline_ms) + data


def nexthop(kind, port, name):
    return struct.pack('<BH', kind, port) + name


def facts(mx, hosts=(), sha256=(), sha512=(), reason=b''):
    return (struct.pack('<BBHHB', mx, len(hosts), len(sha256), len(sha512),
                        len(reason))
            + b''.join(struct.pack('<HB', preference, state | flags << 4)
                       for preference, state, flags in hosts)
            + b''.join(sha256) + b''.join(sha512) + reason)


def entry(what, answer=b'', spans=()):
    head = struct.pack('<B', what)
    if what & HAS_ANSWER:
        head += struct.pack('<QQ', *spans[0])
    if what & DEFERRAL:
        reason = b'mx.example A: timed out'
        head += struct.pack('<QQB', *spans[-1], len(reason)) + reason
    return head + answer


def asks():
    one = facts(SECURE, [(10, DANE, ADDRESS | SHA256)], [b'\x11' * 32])
    both = facts(SECURE,
                 [(10, DANE, ADDRESS | SHA256 | SHA512), (20, ERROR, KILLS)],
                 [b'\x11' * 32, b'\x22' * 32], [b'\x33' * 64],
                 b'_25._tcp.mx2.example TLSA: SERVFAIL')
    # fuzz_ask.c judges at 1,000,000 ms.
    fresh, ended, failed = (900000, 1100000), (100, 999900), (999950, 1010000)
    return {
        'question-domain': ask(QUESTION, nexthop(DOMAIN, 25, b'example.org'),
                               deadline_ms=1020000),
        'question-host': ask(QUESTION, nexthop(HOST, 587, b'mx.example.org'),
                             deadline_ms=1020000),
        'question-port-zero': ask(QUESTION, nexthop(HOST, 0, b'mx.example')),
        'question-upper-case': ask(QUESTION, nexthop(HOST, 25, b'MX.example')),
        'question-empty-label': ask(QUESTION, nexthop(DOMAIN, 25, b'a..b')),
        'question-no-name': ask(QUESTION, nexthop(DOMAIN, 25, b'')),
        'hint': ask(HINT, nexthop(DOMAIN, 25, b'xn--4ca.example')),
        'hint-with-deadline': ask(HINT, nexthop(DOMAIN, 25, b'example.org'),
                                  deadline_ms=1),
        'refused': ask(REFUSED, b'too many domains in line'),
        'refused-empty': ask(REFUSED, b''),
        'answer-fresh': ask(ANSWER, entry(HAS_ANSWER, one, [fresh])),
        'answer-matches': ask(ANSWER, entry(HAS_ANSWER, both, [fresh])),
        'answer-grace': ask(ANSWER,
                            entry(HAS_ANSWER | REFRESHING, one, [ended])),
        'answer-stale': ask(ANSWER, entry(HAS_ANSWER | DEFERRAL, one,
                                          [ended, failed])),
        'answer-weak-ended': ask(ANSWER, entry(
            HAS_ANSWER | DEFERRAL, facts(INSECURE, [(0, NODANE, ADDRESS)]),
            [ended, failed])),
        'answer-deferral': ask(ANSWER, entry(DEFERRAL, spans=[failed])),
        'answer-nobody': ask(ANSWER, entry(HAS_ANSWER, facts(NOBODY),
                                           [fresh])),
        'answer-partial': ask(ANSWER, entry(HAS_ANSWER, facts(
            SECURE | MORE_HOSTS | PARTIAL, [(10, DANE, SHA256)] * 64),
            [fresh])),
        'answer-partial-with-matches': ask(ANSWER, entry(HAS_ANSWER, facts(
            SECURE | PARTIAL, [(10, DANE, SHA256)], [b'\x11' * 32]),
            [fresh])),
        'answer-matches-unsorted': ask(ANSWER, entry(HAS_ANSWER, facts(
            SECURE, [(10, DANE, SHA256)], [b'\x22' * 32, b'\x11' * 32]),
            [fresh])),
        'answer-hosts-unsorted': ask(ANSWER, entry(HAS_ANSWER, facts(
            SECURE, [(20, NODANE, ADDRESS), (10, ABSENT, 0)]), [fresh])),
        'answer-ends-before': ask(ANSWER, entry(HAS_ANSWER, one,
                                                [(1100000, 900000)])),
        'answer-neither': ask(ANSWER, entry(0)),
        'nothing': ask(0, b'nothing'),
        'head-alone': ask(QUESTION, b''),
    }


def patches(how, *changes):
    return bytes([how | PATCHES | OVER_SOUND]) + b''.join(
        struct.pack('<HB', at, xor) for at, xor in changes)


# A sound page: head of 16 octets, slots of 4, entries of 32 from its end on.
def caches():
    slot, last = 16, PAGE - 32
    return {
        'empty': bytes([0]),
        'sound': bytes([OVER_SOUND]),
        'put': bytes([OVER_SOUND]) + b'value',
        'put-strict': bytes([OVER_SOUND | STRICT]) + b'value',
        'put-into-full-pages': bytes([FILL]) + b'value',
        'put-into-full-sound-pages': bytes([FILL | OVER_SOUND | STRICT])
        + b'value',
        'put-into-full-torn-pages': patches(FILL, (0, 1), (PAGE, 1)),
        'drop-from-full-pages': bytes([FILL | DROP]) + b'value' * 100,
        'put-and-drop': bytes([DROP]) + b'value',
        'torn': patches(0, (0, 1)),
        'torn-where-unmarked': patches(MARK, (0, 1)),
        'torn-second-page': patches(MARK, (PAGE, 1)),
        'torn-third-page-dropped': patches(2 * MARK | DROP, (2 * PAGE, 1)),
        'mark-past-the-part': patches(7 * MARK, (0, 1)),
        'torn-and-no-slots': patches(0, (0, 1), (8, 4)),
        'count-huge': patches(0, (9, 0xff)),
        'count-one-more': patches(0, (8, 1)),
        'octets-huge': patches(0, (10, 0xff), (11, 0xff)),
        'slot-past-the-page': patches(0, (slot + 1, 0x40)),
        'slot-into-the-head': patches(0, (slot, 0xe0), (slot + 1, 0x3f)),
        'slot-beside-its-entry': patches(0, (slot, 8)),
        'slot-of-another-entry': patches(0, (0, 1), (slot + 4, 0x20)),
        'slot-of-another-tag': patches(0, (0, 1), (slot + 2, 0x55)),
        'entry-of-another-sum': patches(0, (last, 0x80)),
        'entry-of-a-long-key': patches(0, (last + 9, 0x7f)),
        'entry-of-a-long-value': patches(0, (last + 17, 0x1f)),
        'entry-of-a-value-past-the-page': patches(0, (last + 16, 0x40)),
        'entry-strict': patches(0, (last + 17, 0x80)),
        'entry-of-another-key': patches(0, (last + 24, 1)),
        'entry-of-another-value': patches(0, (last + 28, 1)),
        'slots-all-over': bytes([0]) + struct.pack('<QHH4x', 2, 500, 4000)
        + b''.join(struct.pack('<HH', 16 + 8 * i, i) for i in range(64)),
    }


def order(kind, n_fds, index=3, count=1):
    return bytes([2 * n_fds]) + struct.pack('<HIII', 12, kind, index, count)


def bequest(octets, length=None, n_fds=1):
    length = len(octets) if length is None else length
    return (bytes([1 + 2 * n_fds])
            + struct.pack('<HI', len(octets) + 4, length) + octets)


def orders():
    kinds = range(LAST_ORDER + 2)
    return {
        'each': b''.join(order(k, int(k in CARRIERS)) for k in kinds),
        'wrong-descriptors': b''.join(order(k, int(k not in CARRIERS))
                                      for k in kinds),
        'many-descriptors': b''.join(order(1, n) for n in (2, 3, 4)),
        'short': b'\x02\x04\x00\x01\x00\x00\x00',
        'long': b'\x02\x0d\x00' + struct.pack('<III', 1, 2, 3) + b'x',
        'empty': b'\x00\x00\x00' + b'\x01\x00\x00',
        'empty-with-descriptor': b'\x02\x00\x00',
        'empty-bequest-with-descriptor': b'\x03\x00\x00',
        'bequest': bequest(b'14:dane a.exam'),
        'bequest-empty': bequest(b''),
        'bequest-of-a-wrong-length': bequest(b'abc', 4) + bequest(b'abc', 2)
        + bequest(b'', 0xffffffff),
        'bequest-of-wrong-descriptors': bequest(b'abc', n_fds=0)
        + bequest(b'abc', n_fds=2),
        'bequest-long': bequest(b'x' * 10016) + bequest(b'y' * 10017),
    }


def trait(state, flags):
    return next(octet for octet in range(16 * flags, 16 * flags + 16)
                if octet % 5 == state)


BARE_DOMAIN = next(octet for octet in range(64, 128) if octet % 6 == DOMAIN)


def scene(hosts=(), settings=0, rule=7, nexthop=BARE_DOMAIN, how=0, mx=SECURE,
          matches=(0, 0), reason=b''):
    return (bytes([settings, rule, nexthop, how, mx])
            + struct.pack('<HHB', *matches, len(hosts))
            + b''.join(bytes([step, trait(state, flags)])
                       for step, state, flags in hosts) + reason)


def scenes():
    dane, none = (0, DANE, ADDRESS | SHA256), (1, NODANE, ADDRESS)
    error, unusable = (1, ERROR, ADDRESS), (1, UNUSABLE, ADDRESS)
    kills = (1, UNUSABLE, ADDRESS | KILLS)
    hosts = {
        'dane': [dane], 'none': [none], 'error': [error],
        'unusable': [unusable], 'absent': [(0, ABSENT, 0)],
        'dane-and-none': [dane, none], 'dane-and-error': [dane, error],
        'none-and-error': [none, error], 'kills': [kills],
        'dane-and-kills': [dane, kills], 'dane-and-unusable': [dane, unusable],
    }
    rules = ('fixed', 'dane', 'dane-only', 'may', 'dns', 'fixed-2',
             'at-least-encrypt', 'at-least-dane', 'at-least-dane-only')
    octets = (0x00, 0x01, 0x02, 0x03, 0x04, 0x40, 0x13, 0x23, 0x33)
    ret = {}
    for name, all_hosts in hosts.items():
        ret[name] = scene(all_hosts, matches=(2, 0), reason=b'a A: bogus')
        ret['fingerprint-' + name] = scene(all_hosts, FINGERPRINT,
                                           matches=(2, 0))
        ret['insecure-' + name] = scene(all_hosts, mx=INSECURE)
    for name, rule in zip(rules, octets):
        ret['rule-' + name] = scene([none], rule=rule, how=KNOWN)
        ret['rule-kills-' + name] = scene([dane, kills], rule=rule, how=KNOWN)
        ret['rule-fingerprint-' + name] = scene([dane], FINGERPRINT, rule,
                                                matches=(1, 0))
        ret['rule-address-' + name] = scene(nexthop=2, rule=rule)
    ret.update({
        'failed': scene(mx=FAILED, reason=b'example.org MX: SERVFAIL'),
        'nobody': scene(mx=NOBODY),
        'longest': scene([dane], FINGERPRINT, matches=(1041, 0)),
        'too-long': scene([dane], FINGERPRINT, matches=(1042, 0)),
        'too-long-sha512': scene([(0, DANE, SHA512)], FINGERPRINT | IN_SHA512,
                                 matches=(0, 521)),
        'stale-fingerprint': scene([dane], FINGERPRINT, how=STALE_USE,
                                   matches=(1, 0)),
        'deferral': scene(how=3 | DEFERRED, reason=b'x A: timed out'),
        'parent': scene(nexthop=3, rule=2, settings=FINGERPRINT),
        'past-64': scene([dane] * 64, mx=SECURE | MORE_HOSTS, matches=(3, 0)),
        'partial': scene([dane], FINGERPRINT, mx=SECURE | PARTIAL),
    })
    return ret


def text(octets):
    return bytes([len(octets)]) + octets


# As fuzz_walk.c reads it: TTL 60, or none for 0.
def reply(number, security, content=NODATA, canonical=None, mx=(), tlsa=(),
          ttl=60):
    shape = security | content << 2 | (16 if ttl else 0)
    rest = b''
    if canonical is not None:
        shape |= 32 | 64
        rest += text(canonical)
    if security < UNSIGNED:
        shape |= 128
        rest += text(b'SERVFAIL')
    for i in range(max(len(mx), len(tlsa))):
        preference, name = mx[i] if mx else (0, b'')
        data = tlsa[i] if tlsa else b''
        rest += bytes([len(data), preference]) + text(name) + data
    return bytes([number, shape, max(len(mx), len(tlsa)), ttl]) + rest


def domain(*replies, memory=255):
    return bytes([24, memory]) + b''.join(replies)


def bracketed(*replies):
    return bytes([25, 255]) + b''.join(replies)


def of_host(index, number):
    return PER_HOST * index + number


def walks():
    sha256 = bytes([3, 1, 1]) + b'\x11' * 32
    sha512 = bytes([3, 0, 2]) + b'\x22' * 64
    anchor = bytes([2, 0, 1]) + b'\x33' * 32
    whole = bytes([3, 1, 0]) + b'\x30\x01'
    useless = [bytes([1, 1, 1]) + b'\x11' * 32,
               bytes([3, 2, 1]) + b'\x11' * 32,
               bytes([3, 1, 3]) + b'\x11' * 32,
               bytes([3, 1, 1]) + b'\x11' * 31,
               bytes([3, 0, 0]), b'\3']
    one = [(10, b'mx.example.org')]
    mx = reply(MX, SIGNED, DATA, mx=one)
    unsigned_mx = reply(MX, UNSIGNED, DATA, mx=one)
    a, no_a = reply(A, SIGNED, DATA), reply(A, SIGNED)
    unsigned_a = reply(A, UNSIGNED, DATA)
    aaaa, no_aaaa = reply(AAAA, SIGNED, DATA), reply(AAAA, SIGNED)
    tlsa = reply(TLSA, SIGNED, DATA, tlsa=[sha256])
    no_tlsa = reply(TLSA, SIGNED, NXDOMAIN)
    alias = reply(A, SIGNED, DATA, canonical=b'mail.example.net')
    unsigned_alias = reply(A, UNSIGNED, DATA, canonical=b'mail.example.net')
    at_target = reply(TARGET, SIGNED, DATA, tlsa=[anchor])
    second = [reply(of_host(1, A), SIGNED, DATA),
              reply(of_host(1, AAAA), SIGNED)]
    two = reply(MX, SIGNED, DATA, mx=[(20, b'b.example'), (10, b'a.example')])
    seeds = {
        'dane': domain(mx, a, no_aaaa, tlsa),
        'dane-bracketed': bracketed(a, no_aaaa, tlsa),
        'dane-behind-unsigned-mx': domain(unsigned_mx, a, no_aaaa, tlsa),
        'dane-at-aaaa': domain(mx, no_a, aaaa, tlsa),
        'dane-without-ttl': domain(
            reply(MX, SIGNED, DATA, mx=one, ttl=0),
            reply(A, SIGNED, DATA, ttl=0), no_aaaa,
            reply(TLSA, SIGNED, DATA, tlsa=[sha256], ttl=0)),
        'dane-many-records': domain(mx, a, no_aaaa, reply(
            TLSA, SIGNED, DATA,
            tlsa=[sha256, sha512, anchor, whole, sha256] + useless)),
        'dane-in-reverse': domain(mx, tlsa, no_aaaa, a),
        'no-tlsa': domain(mx, a, no_aaaa, no_tlsa),
        'no-tlsa-behind-unsigned-mx': domain(unsigned_mx, a, no_aaaa, no_tlsa),
        'no-answer': domain(),
        'no-mx': domain(reply(MX, SIGNED), a, no_aaaa, tlsa),
        'no-mx-unsigned': domain(reply(MX, UNSIGNED), a, no_aaaa, tlsa),
        'no-domain': domain(reply(MX, SIGNED, NXDOMAIN)),
        'no-domain-unsigned': domain(reply(MX, UNSIGNED, NXDOMAIN)),
        'no-host': domain(mx, reply(A, SIGNED, NXDOMAIN)),
        'no-address': domain(mx, no_a, no_aaaa, tlsa),
        'no-memory': domain(mx, a, no_aaaa, tlsa, memory=0),
        'null-mx': domain(reply(MX, SIGNED, DATA, mx=[(0, b'.')])),
        'null-mx-among-others': domain(reply(
            MX, SIGNED, DATA, mx=[(0, b'.')] + one), a, no_aaaa, tlsa),
        'mx-without-records': domain(reply(MX, SIGNED, DATA)),
        'mx-of-odd-names': domain(reply(MX, SIGNED, DATA, mx=[
            (1, b'a..b'), (2, b'-a'), (3, b'192.0.2.1'), (4, b'A.Example.'),
            (3, b'a.example'), (5, b'123'), (6, b'_a.b'), (7, b'a' * 64),
            (8, b'.'.join([b'a' * 60] * 4))])),
        'mx-of-70-hosts': domain(reply(MX, SIGNED, DATA, mx=[
            (i % 5, b'mx%d' % i) for i in range(70)]), a, no_aaaa, tlsa),
        'mx-of-70-addresses': domain(reply(MX, SIGNED, DATA, mx=[
            (i, b'192.0.2.%d' % i) for i in range(70)])),
        'unsigned-address': domain(mx, unsigned_a, no_aaaa, tlsa),
        'unsigned-address-tlsa-fails': domain(
            mx, unsigned_a, no_aaaa, reply(TLSA, FAILED)),
        'unsigned-tlsa': domain(mx, a, no_aaaa, reply(
            TLSA, UNSIGNED, DATA, tlsa=[sha256])),
        'useless-tlsa': domain(mx, a, no_aaaa, reply(
            TLSA, SIGNED, DATA, tlsa=useless)),
        'tlsa-without-records': domain(mx, a, no_aaaa, reply(
            TLSA, SIGNED, DATA)),
        'tlsa-kills-smtp': domain(mx, a, no_aaaa, reply(
            TLSA, SIGNED, DATA, tlsa=[sha256, b'\3\1\1'])),
        'tlsa-of-255': domain(mx, a, no_aaaa, reply(
            TLSA, SIGNED, DATA, tlsa=[b'\3\1\xff'])),
        'aaaa-beside-lost-a': domain(mx, reply(A, FAILED), aaaa, tlsa),
        'no-aaaa-beside-lost-a': domain(mx, reply(A, BOGUS), no_aaaa, tlsa),
        'no-a-beside-lost-aaaa': domain(mx, no_a, reply(AAAA, BOGUS), tlsa),
        'no-a-beside-nxdomain': domain(
            mx, no_a, reply(AAAA, SIGNED, NXDOMAIN), tlsa),
        'alias': domain(mx, alias, no_aaaa, no_tlsa, at_target),
        'alias-of-aaaa': domain(mx, no_a, reply(
            AAAA, SIGNED, DATA, canonical=b'Mail.Example.NET.'), no_tlsa,
            at_target),
        'alias-without-tlsa': domain(
            mx, alias, no_aaaa, tlsa, reply(TARGET, SIGNED, NXDOMAIN)),
        'alias-with-unsigned-tlsa': domain(
            mx, alias, no_aaaa, tlsa,
            reply(TARGET, UNSIGNED, DATA, tlsa=[sha256])),
        'alias-of-itself': domain(mx, reply(
            A, SIGNED, DATA, canonical=b'MX.example.org'), no_aaaa, tlsa),
        'alias-of-a-long-name': domain(mx, reply(
            A, SIGNED, DATA, canonical=b'.'.join([b'a' * 61] * 4)), no_aaaa,
            tlsa),
        'alias-of-escapes': domain(mx, reply(
            A, SIGNED, DATA, canonical=b'a\\046b\\..example'), no_aaaa,
            tlsa, at_target),
        'alias-of-no-name': domain(mx, reply(
            A, SIGNED, DATA, canonical=b'a\\9'), no_aaaa, tlsa),
        'alias-of-nothing': domain(mx, reply(
            A, SIGNED, DATA, canonical=b''), no_aaaa, tlsa),
        'unsigned-end-of-signed-alias': domain(
            mx, unsigned_alias, no_aaaa, tlsa, reply(CNAME, SIGNED, DATA)),
        'unsigned-end-of-unsigned-alias': domain(
            mx, unsigned_alias, no_aaaa, tlsa, reply(CNAME, UNSIGNED, DATA)),
        'unsigned-end-of-no-alias': domain(
            mx, unsigned_alias, no_aaaa, tlsa, reply(CNAME, SIGNED)),
        'two-hosts': domain(two, a, no_aaaa, tlsa, *second, reply(
            of_host(1, TLSA), SIGNED, DATA, tlsa=[sha256, sha512])),
        'two-hosts-one-without': domain(two, a, no_aaaa, tlsa, *second, reply(
            of_host(1, TLSA), SIGNED)),
        'two-hosts-one-lost': domain(two, a, no_aaaa, no_tlsa, *second, reply(
            of_host(1, TLSA), FAILED)),
        'answers-again-and-unasked': domain(
            mx, reply(MX, SIGNED, NXDOMAIN), a, unsigned_a, no_aaaa, tlsa,
            no_tlsa, at_target, reply(255, SIGNED, DATA)),
    }
    for n in range(1, 9):
        seeds['memory-for-%d-pieces' % n] = domain(
            mx, alias, no_aaaa, reply(TLSA, SIGNED, DATA, tlsa=[sha256]),
            reply(TARGET, BOGUS), memory=n)
        seeds['memory-for-%d-pieces-of-tlsa' % n] = domain(
            mx, a, reply(AAAA, FAILED),
            reply(TLSA, SIGNED, DATA, tlsa=[sha256, sha512]), memory=n)
    for what, security in ('lost', FAILED), ('bogus', BOGUS):
        seeds.update({
            what + '-mx': domain(reply(MX, security)),
            what + '-address': domain(
                mx, reply(A, security), reply(AAAA, security), tlsa),
            what + '-tlsa': domain(
                mx, a, no_aaaa, reply(TLSA, security)),
            what + '-tlsa-of-alias': domain(
                mx, alias, no_aaaa, tlsa, reply(TARGET, security)),
            what + '-alias': domain(
                mx, unsigned_alias, no_aaaa, tlsa, reply(CNAME, security)),
        })
    return seeds


# Types of DNS records that fuzz_walk.c has no numbers for.
T_A, T_CNAME, T_SOA, T_MX, T_AAAA, T_TLSA, T_TXT = 1, 5, 6, 15, 28, 52, 16
IN, CHAOS = 1, 3
RESPONSE, TRUNCATED, NO_SUCH_NAME, NOT_IMPLEMENTED = 0x8180, 0x0200, 3, 4


def wire_name(name):
    return b''.join(text(label) for label in name.split(b'.') if label) + b'\0'


def record(owner, rtype, rdata, ttl=3600, rclass=IN):
    return (wire_name(owner) + struct.pack('>HHIH', rtype, rclass, ttl,
                                           len(rdata)) + rdata)


def packet(name, rtype, answers=(), authority=(), flags=RESPONSE,
           questions=1):
    head = struct.pack('>HHHHHH', 1, flags, questions, len(answers),
                       len(authority), 0)
    question = wire_name(name) + struct.pack('>HH', rtype, IN)
    return head + question * questions + b''.join(answers) + b''.join(
        authority)


def chain(n):
    return [record(b'%x' % i, T_CNAME, wire_name(b'%x' % (i + 1)))
            for i in range(n)]


def soa(ttl, minimum, names=b'\0\0', extra=b''):
    return record(b'', T_SOA, names + struct.pack(
        '>IIIII', 1, 2, 3, 4, minimum) + extra, ttl)


def packets():
    mx = struct.pack('>H', 10) + wire_name(b'mx')
    address, alias = b'\xc0\0\2\1', wire_name(b'b')
    return {
        'alias-of-16': packet(b'0', T_A, chain(16) + [
            record(b'10', T_A, address)]),
        'alias-of-17': packet(b'0', T_A, chain(17) + [
            record(b'11', T_A, address)]),
        'alias-of-16-denied': packet(b'0', T_MX, chain(16), [soa(60, 30)],
                                     RESPONSE | NO_SUCH_NAME),
        'alias-backwards': packet(b'0', T_A, [record(b'4', T_A, address)]
                                  + chain(4)[::-1]),
        'alias-to-two-targets': packet(b'a', T_A, [
            record(b'a', T_CNAME, alias),
            record(b'a', T_CNAME, wire_name(b'c')),
            record(b'b', T_A, address)]),
        'alias-told-twice': packet(b'a', T_A, [
            record(b'a', T_CNAME, alias), record(b'A', T_CNAME, alias, 60),
            record(b'B', T_A, address)]),
        'alias-with-octets-behind': packet(b'a', T_A, [
            record(b'a', T_CNAME, alias + b'\0'), record(b'b', T_A, address)]),
        'alias-itself': packet(b'a', T_CNAME, [record(b'a', T_CNAME, alias)]),
        'alias-to-the-root': packet(b'a', T_A, [
            record(b'a', T_CNAME, b'\0'), record(b'', T_A, address)]),
        'class-of-others': packet(b'a', T_A, [
            record(b'a', T_A, address, rclass=CHAOS),
            record(b'a', T_A, address)]),
        'denied-twice': packet(b'a', T_MX, (), [
            soa(60, 2 ** 32 - 1), soa(2 ** 31, 30)]),
        'denied-by-a-long-soa': packet(b'a', T_MX, (), [
            soa(60, 30, extra=b'x')]),
        'denied-by-a-short-soa': packet(b'a', T_MX, (), [soa(60, 30, b'\0')]),
        'denied-by-no-soa': packet(b'a', T_MX),
        'mx-short': packet(b'a', T_MX, [record(b'a', T_MX, mx[:2])]),
        'mx-with-octets-behind': packet(b'a', T_MX, [
            record(b'a', T_MX, mx + b'\0')]),
        'mx-of-several': packet(b'a', T_MX, [
            record(b'a', T_MX, mx), record(b'a', T_MX, b'\0\5\0', 60),
            record(b'a', T_TXT, b'\0'), record(b'other', T_MX, mx)]),
        'nxdomain-with-data': packet(b'a', T_A, [record(b'a', T_A, address)],
                                     flags=RESPONSE | NO_SUCH_NAME),
        'address-short': packet(b'a', T_A, [record(b'a', T_A, b'\1\2\3')]),
        'address-long': packet(b'a', T_AAAA, [
            record(b'a', T_AAAA, b'\1' * 17)]),
        'not-an-answer': packet(b'a', T_A, [record(b'a', T_A, address)],
                                flags=0x0100),
        'notimp': packet(b'a', T_A, flags=RESPONSE | NOT_IMPLEMENTED),
        'rcode-15': packet(b'a', T_A, flags=RESPONSE | 15),
        'tlsa-empty': packet(b'_25._tcp.mx', T_TLSA, [
            record(b'_25._tcp.mx', T_TLSA, b'')]),
        'truncated': packet(b'a', T_A, [record(b'a', T_A, address)],
                            flags=RESPONSE | TRUNCATED),
        'two-questions': packet(b'a', T_A, questions=2),
        'txt': packet(b'a', T_TXT, [record(b'a', T_TXT, b'\1x')]),
    }


# fuzz_control.c: replies are read late, outcomes come late
LATE_READS, LATE_OUTCOMES = 1, 2


def stream(octets, how=0, cuts=()):
    return bytes([how, len(cuts)]) + bytes(cuts) + octets


def controls():
    all_lines = b'status\nreload\r\nnonsense\n\nreload\nstatus\n'
    return {
        'all': stream(all_lines),
        'all-octet-by-octet': stream(all_lines, cuts=[1] * len(all_lines)),
        'all-late': stream(all_lines, LATE_READS | LATE_OUTCOMES, [3, 9, 20]),
        'reloads': stream(b'reload\n' * 6, cuts=[7] * 3),
        'reloads-late': stream(b'reload\n' * 6, LATE_OUTCOMES),
        'replace': stream(b'replace\nstatus\n'),
        'replace-behind-others': stream(b'status\nreplace\n'),
        'replace-behind-others-apart': stream(b'status\nreplace\n', 0, [7]),
        'no-end': stream(b'status\nstat'),
        'nul': stream(b'status\0\nstatus\n'),
        'longest': stream(b'x' * 255 + b'\nstatus\n'),
        'longest-cut': stream(b'x' * 255 + b'\nstatus\n', 0, [255]),
        'too-long': stream(b'x' * 256 + b'\nstatus\n'),
        'too-long-with-return': stream(b'x' * 255 + b'\r\nstatus\n'),
        'too-long-behind-others': stream(b'status\n' + b'x' * 300, 0, [7]),
        'unread': stream(b'status\n' * 60 + b'reload\n', LATE_READS),
        'nothing': stream(b''),
    }


# fuzz_segment.c
ADD_UP, CUT, OPEN_TO_ALL, OTHER_CONTEXT, TWICE = 1, 2, 4, 8, 16
CACHE_SIZE, MARKS = 4 << 20, 4096


def segment(how, *changes, size=None):
    def number(value):
        return struct.pack('<I', value)[:3]

    return (bytes([how]) + (number(size) if how & CUT else b'')
            + b''.join(number(at) + bytes([len(octets)]) + octets
                       for at, octets in changes))


def segments():
    header = {'magic': 0, 'version': 8, 'byte-order': 12, 'size': 16,
              'page-octets': 24, 'parts': 28, 'boot-id': 32, 'context': 72,
              'secret-of-index': 104, 'secret-of-sums': 120, 'sum': 136,
              'behind': 144}
    ret = {'sound': segment(0), 'sound-twice': segment(TWICE)}
    for name, at in header.items():
        ret['header-' + name] = segment(0, (at, b'X'))
        ret['header-%s-adds-up' % name] = segment(ADD_UP | TWICE, (at, b'X'))
    pages = [page * PAGE for page in range(1, 13)]
    tails = [(at + PAGE - 32, b'ZZ') for at in pages]
    ret.update({
        'cut': segment(CUT, size=CACHE_SIZE - 1),
        'cut-to-nothing': segment(CUT, size=0),
        'cut-to-header': segment(CUT, size=144),
        'cut-longer': segment(CUT, size=CACHE_SIZE + PAGE),
        'open-to-all': segment(OPEN_TO_ALL),
        'no-cache': segment(CUT, (0, b'some text'), size=9),
        'no-cache-open-to-all': segment(OPEN_TO_ALL, (0, b'some text')),
        'half-a-mark': segment(CUT, size=4),
        'other-context': segment(OTHER_CONTEXT | TWICE),
        'torn': segment(TWICE, *((at, b'\1') for at in pages)),
        'torn-marked': segment(TWICE, (MARKS, b'\2'), (2 * PAGE, b'\1')),
        'mark-past-the-part': segment(TWICE, (MARKS, b'\xff' * 8)),
        'counts': segment(TWICE, *((at + 8, b'\xff' * 4) for at in pages)),
        'slots': segment(TWICE, *((at + 16, b'\xff' * 8) for at in pages)),
        'tails': segment(0, *tails),
        'tails-and-secret': segment(ADD_UP, (104, b'\0' * 4), *tails),
    })
    return ret


# fuzz_conn.c
LAST_FIRST, LATE_READ, LATE_ANSWER, INHERITED, VANISHES = 1, 2, 4, 8, 16
NARROWLY = 32


def netstrings(*payloads):
    return b''.join(b'%d:%s,' % (len(p), p) for p in payloads)


def conns():
    some = netstrings(b'dane d.example', b'dane n.example', b'dane c.example',
                      b'dane x.example', b'dane f.example', b'dane [d.e]:587',
                      b'fingerprint d.example', b'fingerprint x.example',
                      b'Query [192.0.2.1]', b'dane .example', b'dune x',
                      'dane m\u00fcller.example'.encode(), b'dane \xff.e')
    many = netstrings(*(b'dane x%d.e' % i for i in range(70)))
    late = LAST_FIRST | LATE_READ | LATE_ANSWER
    thirds = [len(some) // 3] * 2
    return {
        'some': stream(some, 0, thirds),
        'some-late': stream(some, late, thirds),
        'some-octet-by-octet': stream(some, LATE_ANSWER, [1] * 60),
        'some-inherited': stream(some, INHERITED | LAST_FIRST, [150]),
        'some-vanishes': stream(some, VANISHES | LATE_ANSWER, [100]),
        'many': stream(many, LAST_FIRST),
        'many-narrowly': stream(netstrings(b'dane c.example') * 850,
                                NARROWLY | LATE_READ),
        'mixed-narrowly': stream(
            netstrings(*[b'dane c.example'] * 300, b'dane x.e', b'dane y.e')
            * 2, NARROWLY | LATE_READ),
        'many-late': stream(many, late, [200, 200]),
        'fault-behind': stream(some + b'x', late, thirds),
        'no-request': stream(netstrings(b'dane x.e', b'dane', b'dane y.e')),
        'no-comma': stream(b'8:dane x.e;8:dane y.e,'),
        'cut-short': stream(netstrings(b'dane x.e') + b'12:dane y', late),
        'too-long': stream(netstrings(b'dane x.e') + b'10001:', 0, [3]),
        'longest': stream(netstrings(b'dane ' + b'a' * 9995), 0, [255] * 20),
        'zero': stream(b'0:,'),
        'leading-zero': stream(b'08:dane x.e,'),
        'nothing': stream(b''),
    }


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    top = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, 'seeds')
    for folder, seeds in (('ask', asks()), ('cache', caches()),
                          ('order', orders()), ('decide', scenes()),
                          ('control', controls()), ('segment', segments()),
                          ('conn', conns()),
                          ('packet', packets()), ('walk', walks())):
        os.makedirs(os.path.join(top, folder), exist_ok=True)
        for name, octets in seeds.items():
            with open(os.path.join(top, folder, name), 'wb') as seed:
                seed.write(octets)


main()
