# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""The other programs that the examples speak of: relays on the submission
port, or a policy server that stands in for one of MTA-STS.

    servers.py CERTIFICATES | policies
"""

import asyncio
import pathlib
import sys

from e2e import sink, socketmap

# Addresses of the tree's hosts: the first has TLSA records for port 587, the
# others have none; the last has no STARTTLS.
RELAYS = {"198.51.100.10": "good", "198.51.100.20": "good",
          "198.51.100.22": None}
POLICIES = {b"none.cases.nsec": b"secure match=good.mail.nsec"}
POLICY_PORT = 8461


async def answer_policies(reader, writer):
    """Socketmap requests of one connection, whatever the map's name."""
    try:
        while True:
            length = int((await reader.readuntil(b":"))[:-1])
            octets = await reader.readexactly(length + 1)
            policy = POLICIES.get(octets[:-1].partition(b" ")[2])
            writer.write(socketmap.netstring(
                b"OK " + policy if policy else b"NOTFOUND "))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def serve_policies():
    return [await asyncio.start_server(answer_policies, "127.0.0.1",
                                       POLICY_PORT)]


async def serve_relays(folder):
    servers = []
    for address, name in RELAYS.items():
        tls = sink.context(folder, name) if name else None
        servers.append(await asyncio.start_server(
            lambda reader, writer, tls=tls: sink.serve(tls, reader, writer),
            address, 587))
    return servers


async def main():
    if sys.argv[1] == "policies":
        servers = await serve_policies()
    else:
        servers = await serve_relays(pathlib.Path(sys.argv[1]))
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(main())
