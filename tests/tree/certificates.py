# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""Makes the keys and certificates that the tree's TLSA records speak of, with
openssl, and says what a TLSA record of each holds.  `good` and `next` are what
mail hosts present, `other` nobody does, `ca` has signed `issued`.
"""

import hashlib
import pathlib
import subprocess

SELF_SIGNED = ("good", "next", "other")
HASHES = {1: hashlib.sha256, 2: hashlib.sha512}


def openssl(*args):
    return subprocess.run(["openssl", *map(str, args)], check=True,
                          stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          stdout=subprocess.PIPE).stdout


def request(folder, name, *more):
    """A new P-256 key and a certificate (or what `more` turns it into)."""
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-days", 30,
            "-subj", "/CN=%s.mail.nsec" % name,
            "-keyout", folder / (name + ".key"),
            "-out", folder / (name + ".pem"), *more)


def make(folder):
    """All of them as NAME.key and NAME.pem."""
    folder = pathlib.Path(folder)
    folder.mkdir()
    for name in SELF_SIGNED + ("ca",):
        request(folder, name)
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=issued",
            "-keyout", folder / "issued.key", "-out", folder / "issued.csr")
    extensions = folder / "issued.ext"
    extensions.write_text("subjectAltName = DNS:ta201.mail.nsec\n")
    openssl("x509", "-req", "-days", 30, "-in", folder / "issued.csr",
            "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key",
            "-extfile", extensions, "-out", folder / "issued.pem")
    with open(folder / "issued.pem", "a", encoding="ascii") as chain:
        chain.write((folder / "ca.pem").read_text())


def der(folder, name, selector):
    """The octets that a selector takes of a certificate."""
    pem = pathlib.Path(folder) / (name + ".pem")
    if selector == 0:
        return openssl("x509", "-in", pem, "-outform", "DER")
    public = openssl("x509", "-in", pem, "-noout", "-pubkey")
    return subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"],
                          input=public, check=True,
                          stdout=subprocess.PIPE).stdout


class Associations:
    """TLSA data by certificate, selector and matching type, each made once."""

    def __init__(self, folder):
        self.folder = folder
        self.known = {}

    def data(self, name, selector, matching):
        if (name, selector) not in self.known:
            self.known[name, selector] = der(self.folder, name, selector)
        octets = self.known[name, selector]
        if matching in HASHES:
            octets = HASHES[matching](octets).digest()
        return octets.hex()
