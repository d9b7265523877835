# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""A Debian mail host to try the examples on: Debian's own main.cf and master.cf
and its way of filling the chroot, a resolver that validates and one that does
not, danemapd configured as a document says, and somebody to send mail to.

/etc, /var/lib and /var/spool are covered by temporary folders in a mount
namespace: the system's own are not touched.
"""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

from e2e import daemon, postfix
from tree import tree

from . import document, servers

HERE = pathlib.Path(__file__).parent
SHARE = pathlib.Path("/usr/share/postfix")
POSTFIX = pathlib.Path("/etc/postfix")
SPOOL = pathlib.Path("/var/spool")
QUEUE = SPOOL / "postfix"
MASTER = "/usr/lib/postfix/sbin/master"
CONF = pathlib.Path("/etc/danemap/danemapd.conf")
SOCKET = QUEUE / "danemap/policy.sock"
VALIDATES = "192.0.2.4"
DOES_NOT = "192.0.2.5"
NAMES = document.Names()
UNRULED = "dane.nsec3"  # no example has a rule for it
LOG_S = 25
READY_S = 10

# What an installation asks the administrator for, and a log without syslog.
MAIN_CF = """
myhostname = client.nsec
mydestination =
alias_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
maillog_file = {log}
"""


class Danemapd(daemon.Daemon):
    """As a document configures it; what is set here are the tree's roots, and
    a user and a cache that need no installation."""

    def __init__(self, zones, folder, streams=()):
        super().__init__(zones, folder, user="nobody")
        del self.settings["listen"]
        self.streams = streams

    def command(self, *more):
        words = super().command(*more)
        if CONF.exists():
            words[words.index("/dev/null")] = str(CONF)
        return words

    def start(self):
        if not self.streams:
            return super().start()
        return self.start_by_socket()

    def start_by_socket(self):
        """As systemd does it: sockets 3 and up, and their count."""
        passed = [listening(stream) for stream in self.streams]
        words = ["sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh", *self.command()]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.folder, close_fds=False,
                env={**os.environ, "LISTEN_FDS": str(len(passed))},
                preexec_fn=lambda: move_sockets(passed))
        for one in passed:
            one.close()
        return self


def listening(stream):
    """A socket as danemapd.socket has it."""
    if stream.startswith("/"):
        os.makedirs(os.path.dirname(stream), exist_ok=True)
        made = socket.socket(socket.AF_UNIX)
        made.bind(stream)
        shutil.chown(stream, group="postfix")
        os.chmod(stream, 0o660)
    else:
        host, _, port = stream.rpartition(":")
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, int(port)))
    made.listen(4096)
    return made


def move_sockets(passed):
    high = [os.dup2(one.fileno(), 100 + n) for n, one in enumerate(passed)]
    for n, fd in enumerate(high):
        os.dup2(fd, 3 + n, inheritable=True)
        os.close(fd)


def run(command, **more):
    """What a shell command prints."""
    return subprocess.run(command, shell=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60, **more).stdout


def settle():
    """Postfix sleeps where main.cf is not older than a second."""
    for path in pathlib.Path("/etc").glob("postfix*/main.cf"):
        long_ago = path.stat().st_mtime - 10
        os.utime(path, (long_ago, long_ago))


def start_master(instance):
    """The first time by `postfix start`, which makes the queue.  It takes two
    seconds, all but a moment of them for checks: later only by what it runs at
    its end.
    """
    if not (SPOOL / instance / "pid/master.pid").exists():
        postfix.run("postfix", "-c", "/etc/" + instance, "start")
        return
    subprocess.run([MASTER, "-w"], check=True, stdin=subprocess.DEVNULL,
                   env={**os.environ, "MAIL_CONFIG": "/etc/" + instance})


def end_master(queue):
    """Ends an instance of Postfix as `postfix abort` does, and waits."""
    try:
        pid = int((queue / "pid/master.pid").read_text())
        os.kill(pid, signal.SIGTERM)
    except (FileNotFoundError, ProcessLookupError):
        return
    end = time.monotonic() + READY_S
    while os.path.exists("/proc/%d" % pid):
        assert time.monotonic() < end, "Postfix does not stop"
        time.sleep(0.02)


def wait_for_port(port):
    end = time.monotonic() + READY_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert time.monotonic() < end, "nobody listens"
            time.sleep(0.05)


def log_text():
    """The logs of all instances."""
    return "".join(path.read_text(errors="replace")
                   for path in SPOOL.glob("postfix*/maillog"))


class Site:
    """One for all documents; `configure` begins each anew."""

    def __init__(self, folder, zones):
        self.folder = pathlib.Path(folder)
        self.tree = pathlib.Path(zones)
        self.running = []
        self.danemapd = None
        self.before = ""

    def __enter__(self):
        try:
            self.begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def begin(self):
        run("cp -a /etc %s/etc" % self.folder)
        postfix.cover("/etc", self.folder / "etc")
        for name in ("lib", "spool"):
            postfix.cover("/var/" + name, self.folder / name)
            (pathlib.Path("/var") / name / "postfix").mkdir()
        shutil.chown("/var/lib/postfix", "postfix")
        CONF.parent.mkdir(exist_ok=True)
        self.start_unbound(VALIDATES, "")
        self.start_unbound(DOES_NOT, '\tmodule-config: "iterator"\n')
        for module in ("e2e.sink", "examples.servers"):
            self.start([sys.executable, "-m", module, self.tree / "certs"],
                       module, cwd=HERE.parent)
        self.write_postfix()
        postfix.run("/usr/lib/postfix/configure-instance.sh")

    def start_unbound(self, address, more):
        conf = self.folder / (address + ".conf")
        conf.write_text(postfix.UNBOUND_CONF.format(
            address=address, folder=self.folder, tree=self.tree) +
            "server:\n" + more)
        self.start(["unbound", "-d", "-c", conf], address)
        tree.wait_until_answering(address)

    def start(self, command, name, **more):
        with open(self.folder / (name + ".log"), "ab") as log:
            self.running.append(subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                **more))

    @staticmethod
    def write_postfix(resolver=VALIDATES):
        """Debian's files, as after an installation."""
        text = "".join((SHARE / name).read_text()
                       for name in ("main.cf.debian", "main.cf.tls"))
        (POSTFIX / "main.cf").write_text(
            text + MAIN_CF.format(log=QUEUE / "maillog"))
        shutil.copy(SHARE / "master.cf.dist", POSTFIX / "master.cf")
        for etc in (pathlib.Path("/etc"), QUEUE / "etc"):
            etc.mkdir(exist_ok=True)
            (etc / "resolv.conf").write_text("nameserver %s\n" % resolver)
        settle()

    def stop(self):
        """Postfix, all of it, and danemapd."""
        for instance in SPOOL.glob("postfix*"):
            end_master(instance)
        if self.danemapd:
            self.danemapd.__exit__()
            self.danemapd = None

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            for process in self.running:
                process.terminate()
                process.wait()

    def fresh(self, resolver=VALIDATES):
        """As after an installation, with nothing running."""
        self.stop()
        self.write_postfix(resolver)
        CONF.unlink(missing_ok=True)
        (QUEUE / "maillog").unlink(missing_ok=True)
        for path in ("/etc/postfix-out", "/var/lib/postfix-out",
                     "/var/spool/postfix-out"):
            shutil.rmtree(path, ignore_errors=True)
        self.remember()

    def serve(self, conf=None, streams=(), address=str(SOCKET)):
        """danemapd, configured by a block or by danemapd.socket."""
        if conf:
            CONF.write_text(conf)
        folder = self.folder / ("danemapd%d" % time.monotonic_ns())
        folder.mkdir()
        shutil.chown(folder, "nobody")
        self.danemapd = Danemapd(self.tree, folder, streams)
        self.danemapd.socket = address
        self.danemapd.start()
        self.danemapd.wait_ready(UNRULED)

    @staticmethod
    def files(doc, names):
        """Writes the files that a document shows."""
        for path, text in doc.files():
            pathlib.Path(path).write_text(names.translate(text))

    @staticmethod
    def edit(block, names=NAMES, instance="postfix"):
        """Edits main.cf as an administrator who reads the document."""
        postfix.run("postconf", "-c", "/etc/" + instance, "-e",
                    *document.parameters(names.translate(block)))
        settle()

    def trust(self, certificate):
        """Makes it a certificate authority of smtp(8)."""
        self.edit("smtp_tls_CAfile = %s" % (self.tree / "certs" / certificate))

    def configure(self, block, names=NAMES):
        self.edit(block, names)
        start_master("postfix")

    def remember(self):
        """What an undo is to restore."""
        self.before = self.settings()

    @staticmethod
    def settings():
        return "".join(run("postconf -c /etc/%s -n" % queue.name)
                       for queue in sorted(SPOOL.glob("postfix*")))

    @staticmethod
    def add_instance(name):
        """As MULTI_INSTANCE_README has it."""
        for command in ("-e init", "-I %s -e create" % name,
                        "-i %s -e enable" % name):
            postfix.run("postmulti", *command.split())
            settle()
        run("cp -a %s %s" % (QUEUE / "etc", SPOOL / name))
        Site.edit(MAIN_CF.format(log=SPOOL / name / "maillog") +
                  "authorized_submit_users = static:anyone\n", instance=name)

    @contextlib.contextmanager
    def policy_server(self):
        """What stands in for postfix-mta-sts-resolver."""
        self.start([sys.executable, "-m", "examples.servers", "policies"],
                   "policies", cwd=HERE.parent)
        try:
            wait_for_port(servers.POLICY_PORT)
            yield
        finally:
            process = self.running.pop()
            process.terminate()
            process.wait()

    def expect(self, block, names, sender="sendmail"):
        """Sends mail to whom the log lines speak of, and waits for them."""
        text = names.translate(block)
        for recipient in document.recipients(text):
            subprocess.run([*sender.split(), "-f", "", recipient], check=True,
                           input=b"Subject: a test\n\nBody\n")
        wait_for_lines(text, log_text)

    def expect_decisions(self, block, names):
        """Lines that danemapd itself logs."""
        wait_for_lines(names.translate(block), self.danemapd.log)

    @staticmethod
    def console(block, names):
        """Runs the commands of a block and compares what they print."""
        for command, output in document.commands(names.translate(block)):
            seen = run(command)
            settle()
            wanted = "\n".join(map(document.pattern, output.splitlines()))
            assert re.fullmatch(wanted, seen.rstrip("\n")), \
                "%s\nwanted:\n%s\ngot:\n%s" % (command, output, seen)

    def undo(self, block, names):
        """After the commands main.cf says what it said before."""
        self.console(block, names)
        after = self.settings()
        assert after == self.before, "%s\n---\n%s" % (self.before, after)


def wait_for_lines(text, read):
    end = time.monotonic() + LOG_S
    missing = text.splitlines()
    while missing:
        seen = read()
        missing = [line for line in missing if not re.search(
            document.pattern(line) + "$", seen, re.MULTILINE)]
        assert not missing or time.monotonic() < end, \
            "not in the log:\n%s\n---\n%s" % ("\n".join(missing), seen)
        time.sleep(0.1 if missing else 0)
