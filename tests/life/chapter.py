# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""Runs the tests of one chapter, inside its network namespace.  A test is a
function of its module whose name begins with `test_`; it gets the DNS.

    python3 -m life.chapter NAME TREE [--hours N]
"""

import argparse
import importlib
import pathlib
import shutil
import sys
import tempfile

from e2e import tap

from . import stage


def main():
    parser = argparse.ArgumentParser(prog="chapter")
    parser.add_argument("name")
    parser.add_argument("tree")
    parser.add_argument("--hours", type=float, default=0)
    args = parser.parse_args()
    module = importlib.import_module("life." + args.name)
    module.HOURS = args.hours
    tests = [getattr(module, name) for name in vars(module)
             if name.startswith("test_")]
    # NSD writes beside its zones: each chapter has its own copy.
    with tempfile.TemporaryDirectory(prefix="life") as folder:
        pathlib.Path(folder).chmod(0o755)
        own = pathlib.Path(folder) / "tree"
        shutil.copytree(args.tree, own)
        for conf in own.glob("*.conf"):
            conf.write_text(conf.read_text().replace(args.tree, str(own)))
        with stage.Dns(own) as dns:
            return tap.run(tests, dns)


if __name__ == "__main__":
    sys.exit(main())
