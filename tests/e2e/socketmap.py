# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""A socketmap client, as strict as Postfix's own."""

import socket

REPLY_MAX = 100000


class Malformed(Exception):
    """The server said something that is no netstring."""


def netstring(payload):
    return b"%d:%s," % (len(payload), payload)


def request(name, key):
    """The octets that ask map `name` for key (text or octets)."""
    if isinstance(key, str):
        key = key.encode()
    return netstring(name.encode() + b" " + key)


class Client:
    """One connection; address is a path or (host, port)."""

    def __init__(self, address, timeout_s=30):
        family = socket.AF_UNIX if isinstance(address, str) else (
            socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        self.socket = socket.socket(family)
        self.socket.settimeout(timeout_s)
        self.socket.connect(address)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, octets):
        self.socket.sendall(octets)

    def fill(self):
        octets = self.socket.recv(65536)
        if not octets:
            raise EOFError("the server closed the connection")
        self.buffer += octets

    def receive(self):
        """The next reply, as text."""
        while b":" not in self.buffer[:7]:
            if len(self.buffer) > 6 or not self.buffer.isdigit() \
                    and self.buffer:
                raise Malformed(self.buffer[:40])
            self.fill()
        head, rest = self.buffer.split(b":", 1)
        if not head.isdigit() or int(head) > REPLY_MAX:
            raise Malformed(head)
        while len(rest) < int(head) + 1:
            self.fill()
            rest = self.buffer.split(b":", 1)[1]
        if rest[int(head):int(head) + 1] != b",":
            raise Malformed("no comma")
        self.buffer = rest[int(head) + 1:]
        return rest[:int(head)].decode("utf-8", "backslashreplace")

    def at_end(self):
        """Whether the server closes without another word."""
        if self.buffer:
            return False
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def ask(self, name, key):
        self.send(request(name, key))
        return self.receive()


def ask(address, name, key, timeout_s=30):
    with Client(address, timeout_s) as client:
        return client.ask(name, key)
