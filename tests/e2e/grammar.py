# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""What Postfix makes of a reply: smtp(8)'s reading of its TLS policy table,
from 2.10 on, as a grammar.  A reply that breaks it would defer mail, or stop
smtp(8).
"""

import re

REPLY_MAX = 100000  # socketmap_max_reply_size
REASON_MAX = 200    # what smtp(8) logs of an error
LEVELS = {"may", "encrypt", "dane", "dane-only", "none"}
MATCH = re.compile(r"[0-9A-F]{2}(:[0-9A-F]{2})*(\|[0-9A-F]{2}"
                   r"(:[0-9A-F]{2})*)*")
NAMES = re.compile(r"[\w.-]+(:[\w.-]+)*")
PRINTABLE = re.compile(r"[\x20-\x7e]*")
# In the fingerprint map a level that does not exist defers one destination.
DEFERRAL = re.compile(r"defer-[a-z-]+")
# The octets of a digest in one match, by its length with colons.
DIGESTS = {95, 191}


def fault_of_policy(text):
    """What is wrong with a level and its attributes, or None."""
    level, _, attributes = text.partition(" ")
    if level in LEVELS:
        return "attributes that nobody wants" if attributes else None
    name, _, value = attributes.partition("=")
    if level in ("secure", "verify") and name == "match":
        return None if NAMES.fullmatch(value) else "no names to match"
    if level != "fingerprint":
        return "no such level"
    if name != "match" or not MATCH.fullmatch(value):
        return "no match that Postfix reads"
    matches = value.split("|")
    if len({len(match) for match in matches} - DIGESTS):
        return "a match of a strange length"
    if matches != sorted(set(matches)):
        return "matches that repeat or lack order"
    return None


def fault_of_error(keyword, text, map_name):
    if map_name == "fingerprint":
        return "an error, which Postfix 2.10 does not survive"
    if keyword not in ("TEMP", "PERM"):
        return "no such keyword"
    if not text or len(text) > REASON_MAX:
        return "a reason that does not fit a line of log"
    return None


def fault(reply, map_name):
    """What is wrong with a reply to a key that parses, or None."""
    keyword, space, text = reply.partition(" ")
    if not PRINTABLE.fullmatch(reply) or len(reply) > REPLY_MAX:
        return "octets or a length that Postfix does not take"
    if not space:
        return "no space after the keyword"
    if keyword == "NOTFOUND":
        return "words after NOTFOUND" if text else None
    if keyword != "OK":
        return fault_of_error(keyword, text, map_name)
    if map_name == "fingerprint" and DEFERRAL.fullmatch(text):
        return None
    if map_name == "fingerprint" and text.startswith("dane"):
        return "a level for Postfix with DANE"
    return fault_of_policy(text)
