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
STRICT, DROP, PATCHES, OVER_SOUND, MARK = 1, 2, 4, 8, 16
PAGE = 16384


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
        'put-and-drop': bytes([DROP]) + b'value',
        'torn': patches(0, (0, 1)),
        'torn-where-unmarked': patches(MARK, (0, 1)),
        'torn-second-page': patches(MARK, (PAGE, 1)),
        'torn-third-page-dropped': patches(2 * MARK | DROP, (2 * PAGE, 1)),
        'mark-past-the-part': patches(15 * MARK, (0, 1)),
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


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    top = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, 'seeds')
    for folder, seeds in ('ask', asks()), ('cache', caches()):
        os.makedirs(os.path.join(top, folder), exist_ok=True)
        for name, octets in seeds.items():
            with open(os.path.join(top, folder, name), 'wb') as seed:
                seed.write(octets)


main()
