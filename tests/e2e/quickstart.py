# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""Runs postfix-examples/quickstart.sh where there is no Internet.

    quickstart.py BUILD-FOLDER
"""

import pathlib
import re
import subprocess
import sys
import time

from . import tap

SCRIPT = pathlib.Path(__file__).parents[2] / "postfix-examples/quickstart.sh"
WAIT_S = 120
END_S = 10
# What the part of the script in the namespaces was called with.
INSIDE = "quickstart.sh --inside"
# A folder of the script's own, as it names it.
FOLDER = re.compile(r"/tmp/danemap\.\w+")


def quickstart(build, *words):
    """What it printed."""
    done = subprocess.run(
        [SCRIPT, "--build", build, *words], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=WAIT_S, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


def check_table(text):
    """Each kind of answer is there, with a reason that fits."""
    rows = dict(re.findall(r"^(\S+) +(\(not found\)|\S+) +\S", text,
                           re.MULTILINE))
    for answer in ("dane-only", "dane", "encrypt", "may", "TEMP",
                   "(not found)"):
        assert answer in rows.values(), (answer, text)
    assert re.search(r"^wrongds\.nsec +TEMP +.*bogus", text, re.MULTILINE), text
    assert "OK fingerprint match=" in text, text


def running_in(folder):
    """Processes whose command line names a folder."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if folder in path.read_text().replace("\0", " "):
                found.append(path.parent.name)
        except OSError:
            pass  # it has just ended
    return found


def check_gone(folder):
    """Soon nothing runs any more, and the folder is not there."""
    end = time.monotonic() + END_S
    while running_in(folder) or running_in(INSIDE):
        assert time.monotonic() < end, running_in(folder) + running_in(INSIDE)
        time.sleep(0.02)
    assert not pathlib.Path(folder).exists(), folder


def folders():
    return set(pathlib.Path("/tmp").glob("danemap.*"))


def test_demo(build):
    """--demo shows each kind of answer, a bogus one included."""
    check_table(quickstart(build, "--demo"))


def test_no_internet(build):
    """Without the Internet quickstart says so and shows its own tree."""
    text = quickstart(build)
    assert "cannot be reached" in text, text
    check_table(text)


def test_leaves_nothing(build):
    """Nothing is left in the file system and nothing goes on running."""
    before = folders()
    quickstart(build, "--demo")
    assert folders() == before, folders() - before
    assert not running_in("/tmp/danemap."), running_in("/tmp/danemap.")


def test_keep(build):
    """--keep leaves a daemon that answers, and says how to end it."""
    text = quickstart(build, "--demo", "--keep")
    folder = FOLDER.search(text)[0]
    ask = re.search(r"^ +(\S+/danemap query -s \S+) NEXT-HOP$", text,
                    re.MULTILINE)[1]
    end = re.search(r"^ +(kill -s \w+ \d+; rm -r %s)$" % folder, text,
                    re.MULTILINE)[1]
    try:
        reply = subprocess.run(ask.split() + ["three.cases.nsec"], text=True,
                               stdout=subprocess.PIPE, check=False).stdout
    finally:
        subprocess.run(["sh", "-c", end], check=True)
    assert reply == "three.cases.nsec\tOK dane-only\n", reply
    check_gone(folder)


def test_stopped(build):
    """Stopped in mid-demo, quickstart leaves nothing."""
    before = folders()
    with subprocess.Popen([SCRIPT, "--build", build, "--demo", "--keep"],
                          stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL) as demo:
        try:
            while not running_in("tree.tree serve"):
                assert demo.poll() is None, demo.returncode
                time.sleep(0.02)
            demo.terminate()
            assert demo.wait(END_S) == 1, demo.returncode
        finally:
            demo.kill()
    check_gone("/tmp/danemap.")
    assert folders() == before, folders() - before


if __name__ == "__main__":
    sys.exit(tap.run([test_demo, test_no_internet, test_leaves_nothing,
                      test_keep, test_stopped], sys.argv[1]))
