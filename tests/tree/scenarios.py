# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""Asks danemapd every row of the file `scenarios` on the signed tree, all rows
of a group at once, and reports each as a test.  Then it asks all of them again
in both maps, and holds the replies against what Postfix can parse.

    scenarios.py TREE [GROUP...]
"""

import concurrent.futures
import dataclasses
import pathlib
import re
import sys

from e2e import daemon, grammar, tap

from . import certificates, tree

HERE = pathlib.Path(__file__).parent
GAP = re.compile(r"\t+| {2,}")
KINDS = re.compile(r"\{([\w.,\\-]+)\}")
FINGERPRINTS = re.compile(r"<([\w ]+)>")
# A slow danemapd would take servers for silent.
AT_ONCE = max(1, 200 // daemon.PATIENCE ** 2)
MAPS = ("dane", "fingerprint")


@dataclasses.dataclass(frozen=True)
class Row:
    key: bytes
    expected: str  # exact, or a /regular expression/
    sentence: str


@dataclasses.dataclass
class Group:
    name: str
    map: str
    settings: dict
    rows: list


def key_octets(text):
    """A key as written in the table: escapes as in Python, "" for none."""
    if text == '""':
        return b""
    return text.encode("utf-8").decode("unicode_escape").encode("latin-1")


def rows_of(line):
    """The rows that a line stands for: one for each kind in braces."""
    key, expected, sentence = GAP.split(line)
    found = KINDS.search(key)
    for kind in found[1].split(",") if found else [""]:
        yield Row(key_octets(KINDS.sub(lambda _: kind, key)),
                  expected.replace("KIND", kind),
                  sentence.replace("KIND", kind))


def read(path):
    groups = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            line = line.rstrip()
            if not line or line.startswith(";"):
                continue
            if line.startswith("group "):
                _, name, map_name, *settings = line.split()
                groups.append(Group(name, map_name, dict(
                    word.replace("HERE", str(HERE)).split("=", 1)
                    for word in settings), []))
            else:
                groups[-1].rows += rows_of(line)
    return groups


class Expectation:
    """Compares replies with what the table says."""

    def __init__(self, folder):
        self.associations = certificates.Associations(folder / "certs")

    def fingerprints(self, found):
        """`<good311 next311>` as Postfix wants the digests."""
        matches = set()
        for word in found[1].split():
            name, _, selector, matching = re.fullmatch(
                r"([a-z]+)(\d)(\d)(\d)", word).groups()
            octets = bytes.fromhex(self.associations.data(
                name, int(selector), int(matching)))
            matches.add(octets.hex(":").upper())
        return "|".join(sorted(matches))

    def text(self, expected):
        if expected == "NOTFOUND":
            return "NOTFOUND "  # socketmap_table(5) has the space
        return FINGERPRINTS.sub(self.fingerprints, expected)

    def fits(self, reply, expected):
        if expected.startswith("/"):
            return re.fullmatch(expected.strip("/"), reply) is not None
        return reply == self.text(expected)


def ask(server, map_name, row):
    try:
        return server.ask(row.key, map_name)
    except (OSError, EOFError, ValueError) as error:
        return "%s: %s" % (type(error).__name__, error)


def judge(server, group, row, expectation):
    """None, or what was seen instead."""
    reply = ask(server, group.map, row)
    if expectation.fits(reply, row.expected):
        return None
    name = row.key.decode("utf-8", "backslashreplace").strip("[]")
    return "key: %r\nwanted: %s\ngot: %s\n%s" % (
        row.key, expectation.text(row.expected), reply[:400],
        server.log_about(name))


def ungrammatical(server, map_name, row):
    """None, or what Postfix would not make of the reply in a map."""
    reply = ask(server, map_name, row)
    fault = grammar.fault(reply, map_name)
    return fault and "key: %r\nreply: %s\nfault: %s" % (
        row.key, reply[:400], fault)


def run_group(folder, group, report):
    expectation = Expectation(folder)
    with daemon.Daemon(folder, **group.settings) as server, \
            concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        problems = pool.map(
            lambda row: judge(server, group, row, expectation), group.rows)
        for row, problem in zip(group.rows, problems):
            report.add("%s: %s" % (group.name, row.sentence), problem)
        for map_name in MAPS:
            faults = pool.map(
                lambda row: ungrammatical(server, map_name, row), group.rows)
            report.add("%s: Postfix understands every reply of the map %s" %
                       (group.name, map_name),
                       "\n".join(filter(None, faults)))


def main():
    folder = pathlib.Path(sys.argv[1])
    report = tap.Report()
    with tree.Servers(folder):
        for group in read(HERE / "scenarios"):
            if not sys.argv[2:] or group.name in sys.argv[2:]:
                run_group(folder, group, report)
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
