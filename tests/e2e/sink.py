# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""An SMTP server that takes all mail and keeps none, with STARTTLS and a
certificate of the tree on each of its addresses.

    sink.py CERTIFICATES
"""

import asyncio
import pathlib
import ssl
import sys

NETWORK = "198.51.100."
# Last octet of the address: certificate, or None for no STARTTLS.
PRESENTED = {**{n: "good" for n in range(10, 21)}, 15: "issued", 21: "next",
             22: None}
REPLIES = {"MAIL": "250 2.1.0 fine", "RCPT": "250 2.1.5 fine",
           "RSET": "250 2.0.0 forgotten", "NOOP": "250 2.0.0 fine"}


def context(folder, name):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(folder / (name + ".pem"), folder / (name + ".key"))
    return made


class Session:
    """One client."""

    def __init__(self, reader, writer, tls):
        self.reader, self.writer, self.tls = reader, writer, tls

    async def say(self, text):
        self.writer.write(text.encode() + b"\r\n")
        await self.writer.drain()

    async def take_message(self):
        await self.say("354 go on")
        while await self.reader.readline() not in (b".\r\n", b""):
            pass
        await self.say("250 2.0.0 taken")

    async def start_tls(self):
        await self.say("220 2.0.0 go on")
        await self.writer.start_tls(self.tls)
        self.tls = None

    async def command(self, verb):
        if verb == "EHLO":
            await self.say("250-sink")
            await self.say("250 STARTTLS" if self.tls else "250 8BITMIME")
        elif verb == "STARTTLS" and self.tls:
            await self.start_tls()
        elif verb == "DATA":
            await self.take_message()
        else:
            await self.say(REPLIES.get(verb, "500 5.5.2 what?"))

    async def run(self):
        await self.say("220 sink ESMTP")
        while True:
            verb = (await self.reader.readline())[:8].decode("ascii", "replace")
            verb = verb.split()[0].upper() if verb.split() else "QUIT"
            if verb == "QUIT":
                await self.say("221 2.0.0 bye")
                return
            await self.command(verb)


async def serve(tls, reader, writer):
    try:
        await Session(reader, writer, tls).run()
    except (OSError, ssl.SSLError, asyncio.IncompleteReadError):
        pass  # a client that does not like the certificate just goes
    finally:
        writer.close()


async def main():
    folder = pathlib.Path(sys.argv[1])
    servers = []
    for octet, name in PRESENTED.items():
        tls = context(folder, name) if name else None
        servers.append(await asyncio.start_server(
            lambda reader, writer, tls=tls: serve(tls, reader, writer),
            NETWORK + str(octet), 25))
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(main())
