# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""Reads the examples for administrators: the fenced blocks of a document, by
their label (the words after the fence), so that what is tried is what is read.

    main.cf         lines for main.cf
    danemapd.conf   a configuration of danemapd
    ini             a drop-in for danemapd.socket
    file PATH       a file
    console         "# " and a command, then what it prints
    log             lines that the log must have
    sh              commands that cannot be tried without systemd or a network

A word after the first tells two blocks of a kind apart.  "..." stands for
anything.
"""

import pathlib
import re
import textwrap

FOLDER = pathlib.Path(__file__).parents[2] / "postfix-examples"
BLOCK = re.compile(r"^( *)```(\S+(?: \S+)*)\n(.*?)^\1```$",
                   re.MULTILINE | re.DOTALL)
UNTRIED = "sh"
NAMES = {
    "dane.example": "one.cases.nsec",
    "mx.dane.example": "good.mail.nsec",
    "plain.example": "none.cases.nsec",
    "mx.plain.example": "nodane.mail.nsec",
    "wrong.example": "wrong.delivery.nsec",
    "mx.wrong.example": "wronghost.delivery.nsec",
    "bogus.example": "to-tlsa.flip.nsec",
    "mx.bogus.example": "tlsa.flip.nsec",
}
RECIPIENT = re.compile(r" to=<([^>]+)>")


class Document:
    """Blocks by label; remembers which were asked for."""

    def __init__(self, name):
        self.name = name
        self.blocks = {}
        self.used = set()
        text = (FOLDER / (name + ".md")).read_text()
        for _, label, block in BLOCK.findall(text):
            self.blocks[self.free_label(label)] = textwrap.dedent(block)

    def free_label(self, label):
        """Shown commands need no name of their own; all else does."""
        if label == UNTRIED:
            return "%s %d" % (UNTRIED, len(self.blocks))
        assert label not in self.blocks, (self.name, label)
        return label

    def __getitem__(self, label):
        self.used.add(label)
        return self.blocks[label]

    def files(self):
        """Pairs of a path and what is in it."""
        return [(label.split()[1], self[label]) for label in self.blocks
                if label.split()[0] == "file"]

    def shown_only(self):
        return [text for label, text in self.blocks.items()
                if label.split()[0] == UNTRIED]

    def untried(self):
        return [label for label in self.blocks
                if label not in self.used and label.split()[0] != UNTRIED]


class Names:
    """Turns the names that a document uses into those of the signed tree."""

    def __init__(self, **more):
        """more: a name of the document, with "_" for "." and without
        ".example", and its name in the tree."""
        self.names = dict(NAMES)
        for name, there in more.items():
            here = name.replace("_", ".") + ".example"
            self.names[here] = there
            # As a regular expression has it.
            self.names[re.escape(here)] = re.escape(there)
        longest_first = sorted(self.names, key=len, reverse=True)
        self.pattern = re.compile("|".join(map(re.escape, longest_first)))

    def translate(self, text):
        return self.pattern.sub(lambda found: self.names[found[0]], text)


def parameters(block):
    """The `name = value` of each logical line."""
    joined = re.sub(r"\n[ \t]+", " ", re.sub(r"^#.*\n", "", block, flags=re.M))
    return [line.strip() for line in joined.splitlines() if line.strip()]


def listen_streams(block):
    return re.findall(r"^ListenStream=(.+)$", block, re.MULTILINE)


def pattern(line):
    """What a line of a document matches."""
    return ".*".join(map(re.escape, line.split("...")))


def commands(block):
    """Pairs of a command and what it is to print."""
    for part in re.split(r"^# ", block, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def recipients(block):
    return sorted(set(RECIPIENT.findall(block)))
