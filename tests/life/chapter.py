# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""Runs the tests of one chapter, inside its network namespace.  A test is a
function of its module whose name begins with `test_`; it gets the DNS.

    python3 -m life.chapter NAME[.TEST] TREE [--hours N] [--seed S]
"""

import argparse
import importlib
import pathlib
import shutil
import sys
import tempfile

from e2e import tap

from . import chance, stage


def tests_of(name):
    """Those of a chapter, or the one that is named behind a dot."""
    chapter, _, only = name.partition(".")
    module = importlib.import_module("life." + chapter)
    return [test for test_name, test in vars(module).items()
            if test_name.startswith("test_" + only)]


def main():
    parser = argparse.ArgumentParser(prog="chapter")
    parser.add_argument("name")
    parser.add_argument("tree")
    parser.add_argument("--hours", type=float, default=0)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    tests = tests_of(args.name)
    chance.begin(args.seed, args.hours * 3600, tests)
    # NSD writes beside its zones: each chapter has its own copy.
    with tempfile.TemporaryDirectory(prefix="life") as folder:
        pathlib.Path(folder).chmod(0o755)
        own = pathlib.Path(folder) / "tree"
        shutil.copytree(args.tree, own)
        for conf in own.glob("*.conf"):
            conf.write_text(conf.read_text().replace(args.tree, str(own)))
        with stage.Dns(own) as dns:
            return tap.run(tests, dns, note=chance.told)


if __name__ == "__main__":
    sys.exit(main())
