# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""A danemapd of the tests' own: socket, cache and log in a temporary folder,
trust anchor and root hints of the tree.  DANEMAPD names the program.
"""

import os
import pathlib
import signal
import subprocess
import tempfile
import time

from . import socketmap

# How many times longer than usual a slow machine may take.
PATIENCE = int(os.environ.get("PATIENCE", "1"))
START_S = 15 * PATIENCE
PROGRAM = os.environ.get("DANEMAPD", "danemapd")
SIGNED_NAME = "one.cases.nsec"


class Daemon:
    """Started with `with`, ended at the end of the block."""

    def __init__(self, tree, folder=None, **settings):
        self.tree = pathlib.Path(tree)
        self.own = None
        if folder is None:
            self.own = tempfile.TemporaryDirectory(prefix="dm")
            folder = self.own.name
        self.folder = pathlib.Path(folder)
        self.socket = str(self.folder / "s")
        self.log_path = self.folder / "log"
        self.cache = self.folder / "cache"
        self.settings = {
            "listen": "unix:%s:0600" % self.socket,
            "cache_file": self.cache,
            "control_socket": self.folder / "control",
            "cache_size": "8M",
            "root_hints_file": self.tree / "root.hints",
            "trust_anchor_file": self.tree / "root.key",
            "user": "root",
            "query_timeout": "%ds" % (8 * PATIENCE),
            "log_target": "stderr",
            "log_level": "debug",
            **settings,
        }
        self.process = None

    def command(self, *more):
        words = [PROGRAM, "-c", "/dev/null"]
        for name, value in self.settings.items():
            words += ["-o", "%s=%s" % (name, value)]
        return words + list(more)

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, cwd=self.folder)
        return self

    def stop(self):
        """SIGTERM; the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def __enter__(self):
        self.start()
        self.wait_ready()
        return self

    def __exit__(self, *_):
        try:
            if self.process.poll() is None:
                self.stop()
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            if self.own:
                self.own.cleanup()

    def wait_ready(self, name=SIGNED_NAME):
        """Until a secure answer comes: the root has validated by then."""
        end = time.monotonic() + START_S
        reply = "no connection"
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                reply = self.ask(name)
                if reply == "OK dane-only":
                    return
            except (OSError, EOFError) as error:
                reply = str(error)
            time.sleep(0.05)
        raise RuntimeError("danemapd does not serve (%s):\n%s" %
                           (reply, self.log()))

    def ask(self, key, name="dane", timeout_s=30):
        return socketmap.ask(self.socket, name, key, timeout_s)

    def client(self, timeout_s=30):
        return socketmap.Client(self.socket, timeout_s)

    def log(self):
        return self.log_path.read_text(errors="replace")

    def log_about(self, text, last=4):
        """The last lines of the log that hold a text."""
        lines = [line for line in self.log().splitlines() if text in line]
        return "\n".join(lines[-last:])

    def children(self):
        """The pids of its child processes."""
        path = "/proc/%d/task/%d/children" % (self.process.pid,
                                              self.process.pid)
        return [int(pid) for pid in pathlib.Path(path).read_text().split()]
