# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""Reads the file `zones`: which zones there are, how each is signed, and which
answers its server spoils.  Knows nothing of keys, servers or certificates.

A zone begins with a line `zone NAME [WORD...]`; the lines after it are records
in master file form, with three additions: `{1..40}` repeats a line with 1 to 40
in place of each `{n}` (and `{n64}`: as 64 hexadecimal digits), `{NAME}` as TLSA
data stands for what the certificate NAME gives, and a line
`fault OWNER TYPE ACTION` spoils answers (`*` is any owner or type).  With
`for KIND a b` after its words a zone is made once for each value, which
replaces KIND in all its lines.
"""

import dataclasses
import re

REPEAT = re.compile(r"\{(\d+)\.\.(\d+)\}")
WORDS = {"alg8", "nsec", "nsec3", "optout", "unsigned", "no-ds", "wrong-ds",
         "expired", "future", "brief"}


@dataclasses.dataclass(frozen=True)
class Fault:
    owner: str  # absolute, lower case, or "*"
    rdtype: str
    action: str


@dataclasses.dataclass
class Zone:
    name: str  # absolute
    words: frozenset
    records: list
    faults: list
    server: str = ""  # its address, given when the tree is made

    @property
    def signed(self):
        return "unsigned" not in self.words

    @property
    def has_ds(self):
        return self.signed and "no-ds" not in self.words


def absolute(name, origin):
    """A name of the zone file in full."""
    if name == "@":
        return origin
    if name.endswith("."):
        return name
    return name + "." + origin if origin != "." else name + "."


def expand(line):
    """The lines that one line with `{1..40}` stands for."""
    found = REPEAT.search(line)
    if not found:
        return [line]
    first, last = int(found[1]), int(found[2])
    line = REPEAT.sub("", line)
    return [line.replace("{n64}", "%064x" % n).replace("{n}", str(n))
            for n in range(first, last + 1)]


def sections(lines):
    """The lines of one zone after another, once for each kind there is."""
    section, kinds = [], [("", "")]
    for line in lines:
        fields = line.split(";", 1)[0].split()
        if fields[:1] == ["zone"]:
            yield from variants(section, kinds)
            section, kinds = [], [("", "")]
            if "for" in fields:
                name, *values = fields[fields.index("for") + 1:]
                kinds = [(name, value) for value in values]
                fields = fields[:fields.index("for")]
        if fields:
            section.append(" ".join(fields))
    yield from variants(section, kinds)


def variants(section, kinds):
    for name, value in kinds if section else []:
        yield [line.replace(name, value) if name else line
               for line in section]


def parse(section):
    """The zone that some lines describe."""
    _, name, *words = section[0].split()
    if set(words) - WORDS:
        raise ValueError("zone %s: unknown word among %s" % (name, words))
    zone = Zone(absolute(name, "."), frozenset(words), [], [])
    for line in section[1:]:
        if line.startswith("fault "):
            owner, rdtype, action = line.split()[1:]
            if owner != "*":
                owner = absolute(owner, zone.name).lower()
            zone.faults.append(Fault(owner, rdtype, action))
        else:
            zone.records += expand(line)
    return zone


def read(path):
    """All zones of the file, in its order."""
    with open(path, encoding="utf-8") as file:
        return [parse(section) for section in sections(file)]


def parent_of(zone, zones):
    """The closest zone above, or None for the root."""
    above = [z for z in zones if z is not zone and
             (z.name == "." or zone.name.endswith("." + z.name))]
    return max(above, key=lambda z: len(z.name), default=None)
