# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""Finds what may be changed in a C source: one operator or constant a time.

Works on tokens, and trusts the layout that clang-format gives: an operator
with two operands has space on both sides, one with a single operand has not.
Leaves alone what is no code that runs: comments, strings, directives, types,
sizes of arrays, and what is asserted.
"""

import re
import typing

TOKEN = re.compile(
    r"""(?P<directive>^[ \t]*\#(?:\\\n|[^\n])*)
      | (?P<comment>//[^\n]*|/\*.*?\*/)
      | (?P<string>"(?:\\.|[^"\\])*")
      | (?P<character>'(?:\\.|[^'\\])*')
      | (?P<word>[A-Za-z_]\w*)
      | (?P<number>\.?\d(?:[eEpP][+-]|[\w.])*)
      | (?P<operator><<=|>>=|->|\+\+|--|<<|>>|&&|\|\||\.\.\.|[-+*/%&|^<>=!]=
                    |[^\s\w])""", re.VERBOSE | re.MULTILINE | re.DOTALL)
INTEGER = re.compile(r"(0[xX])?([0-9a-fA-F]+?)([uUlL]*)")
ENUM = re.compile(r"\benum(?:\s+\w+)?\s*\{(.*?)\}", re.DOTALL)
ENUMERATOR = re.compile(r"(?:^|,)\s*([A-Za-z_]\w*)")
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)

# With two operands.
BINARY = {
    "<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==",
    "+": "-", "-": "+", "*": "/", "/": "*", "%": "/",
    "&&": "||", "||": "&&",
    "&": "|", "|": "&", "^": "|", "<<": ">>", ">>": "<<",
    "+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=", "%=": "/=",
    "&=": "|=", "|=": "&=", "^=": "|=", "<<=": ">>=", ">>=": "<<=",
}
STEP = {"++": "--", "--": "++"}
DROPPED = {"!", "-", "~"}  # where they have one operand
WORDS = {"true": "false", "false": "true",
         "break": "continue", "continue": "break"}
# What stands in their parentheses does not run, or must hold.
SILENT = {"assert", "static_assert", "_Static_assert", "sizeof", "offsetof",
          "__attribute__"}
# A statement that begins with one of these declares nothing.
STARTS = {"return", "case", "else", "goto", "do"}
# A condition with one of these is changed there.
CONDITIONS = {"<", "<=", ">", ">=", "==", "!=", "&&", "||", "!"}


class Token(typing.NamedTuple):
    kind: str
    text: str
    start: int
    end: int


class Change(typing.NamedTuple):
    start: int
    end: int
    old: str
    new: str

    def apply(self, text):
        return text[:self.start] + self.new + text[self.end:]

    def line(self, text):
        return text.count("\n", 0, self.start) + 1


def tokens_of(text):
    return [Token(found.lastgroup, found.group(), *found.span())
            for found in TOKEN.finditer(text)
            if found.lastgroup not in ("comment", "directive")]


def enumerators_of(text):
    """For each enumerator of these definitions, the next one in its enum."""
    following = {}
    for body in ENUM.findall(COMMENT.sub("", text)):
        names = ENUMERATOR.findall(body)
        if len(names) > 1:
            following.update(zip(names, names[1:] + names[:1]))
    return following


def next_integer(text):
    """The literal of the number that follows, or None for another literal."""
    parts = INTEGER.fullmatch(text)
    if parts is None:
        return None
    prefix, digits, suffix = parts[1] or "", parts[2], parts[3]
    if prefix:
        return "%s%x%s" % (prefix, int(digits, 16) + 1, suffix)
    if len(digits) > 1 and digits[0] == "0":
        return "0%o%s" % (int(digits, 8) + 1, suffix)
    return "%d%s" % (int(digits) + 1, suffix)


class Finder:
    """The changes of one source, in their order."""

    def __init__(self, text, enumerators):
        self.text = text
        self.enumerators = enumerators
        self.tokens = tokens_of(text)
        self.partner = self.match_brackets()
        self.changes = []
        self.find()

    def match_brackets(self):
        """The index of each bracket's other half."""
        partner, open_ones = {}, []
        for i, token in enumerate(self.tokens):
            if token.kind != "operator":
                continue
            if token.text in "([{":
                open_ones.append(i)
            elif token.text in ")]}":
                partner[i] = open_ones.pop()
                partner[partner[i]] = i
        return partner

    def find(self):
        i = 0
        while i < len(self.tokens):
            text = self.tokens[i].text
            if text in SILENT and self.is_at(i + 1, "("):
                i = self.partner[i + 1]
            elif text == "[" and self.declares(i):
                i = self.partner[i]
            elif text == "enum" and self.skips_enum(i):
                i = self.skips_enum(i)
            else:
                self.look_at(i)
            i += 1

    def is_at(self, i, text):
        return i < len(self.tokens) and self.tokens[i].text == text

    def skips_enum(self, i):
        """The end of the definition that begins here, or None."""
        for brace in (i + 1, i + 2):
            if self.is_at(brace, "{"):
                return self.partner[brace]
        return None

    def declares(self, i):
        """Whether the bracket holds the size of an array that is declared."""
        begin = i
        while begin > 0:
            before = begin - 1
            text = self.tokens[before].text
            if text in (")", "]"):
                begin = self.partner[before]
            elif text in (";", "{", "}", "(", "[", "="):
                break
            else:
                begin = before
        first, second = self.tokens[begin], self.tokens[begin + 1]
        return (first.kind == "word" and first.text not in STARTS and
                (second.kind == "word" or second.text == "*"))

    def look_at(self, i):
        token = self.tokens[i]
        if token.kind == "operator":
            self.look_at_operator(token)
        elif token.kind == "number":
            self.change(token, next_integer(token.text))
        elif token.kind == "character":
            self.change(token, "(%s + 1)" % token.text)
        elif token.text in ("if", "while"):
            self.look_at_condition(i + 1)
        elif token.kind == "word":
            self.change(token, WORDS.get(token.text) or
                        self.enumerators.get(token.text))

    def look_at_operator(self, token):
        before = self.text[token.start - 1].isspace()
        after = self.text[token.end].isspace()
        if token.text in STEP:
            self.change(token, STEP[token.text])
        elif token.text in BINARY and before and after:
            self.change(token, BINARY[token.text])
        elif token.text in DROPPED and not after:
            self.change(token, "")

    def look_at_condition(self, i):
        """The condition as a whole, where nothing in it says when it holds."""
        inner = self.tokens[i + 1:self.partner[i]]
        if any(token.text in CONDITIONS for token in inner):
            return
        begin, end = self.tokens[i].end, inner[-1].end
        old = self.text[begin:end]
        self.changes.append(Change(begin, end, old, "!(%s)" % old))

    def change(self, token, new):
        if new is not None:
            self.changes.append(
                Change(token.start, token.end, token.text, new))


def find(text, headers):
    """What may be changed in a source; headers: where its enums may be."""
    return Finder(text, enumerators_of(headers + text)).changes
