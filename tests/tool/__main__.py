# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""danemap on the signed tree: what explain shows against texts that people have
read (golden/*.txt), that it answers as the daemon does, and how policy and
reload behave.

    python3 -m tool TREE [--write]

--write makes the golden texts anew, to be read again by somebody.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

from e2e import daemon, tap
from tree import tree, zonefile

HERE = pathlib.Path(__file__).parent
PROGRAM = os.environ.get("DANEMAP", "danemap")
USAGE, UNAVAILABLE, CONFIG = 64, 69, 78
STRANGER = 23456  # nobody's uid and gid

# File of golden texts: key, and the exit status of explain.
GOLDEN = {
    "dane": ("one.cases.nsec", 0),
    "host-and-port": ("[good.mail.nsec]:587", 0),
    "mixed": ("mixedunsigned.cases.nsec", 0),
    "unsigned-mx": ("signedhosts.unsigned.plain", 0),
    "alias": ("bothnames.cases.nsec", 0),
    "alias-to-unsigned": ("outside.cases.nsec", 0),
    "tlsa-alias": ("tlsaalias.cases.nsec", 0),
    "unusable": ("partly.cases.nsec", 0),
    "killer": ("killmixed.cases.nsec", 2),
    "full-certificate": ("ta200.cases.nsec", 0),
    "address-as-mx": ("literalgood.cases.nsec", 0),
    "no-address": ("danegone.cases.nsec", 0),
    "bogus-host": ("hostexpired.cases.nsec", 2),
    "failed-tlsa": ("errortarget.cases.nsec", 2),
    "null-mx": ("null.cases.nsec", 0),
    "no-such-name": ("nosuch.cases.nsec", 0),
    "address": ("192.0.2.7", 1),
    "nonsense": ("a b", 1),
}
POLICY = """# rules of the tests
none.cases.nsec   at-least encrypt   # a partner
.cases.nsec       may until=2020-01-01
.floor.nsec       at-least encrypt
.fixed.nsec       may
[mx.plain]:587    secure
*                 at-least may
"""


class Server(daemon.Daemon):
    """A danemapd that reads a file, so that it can be reloaded."""

    def __init__(self, folder, **settings):
        super().__init__(folder, **settings)
        self.conf = self.folder / "conf"

    def write(self, more=""):
        self.conf.write_text("".join(
            "%s = %s\n" % pair for pair in self.settings.items()) + more)

    def command(self, *more):
        self.write()
        return [daemon.PROGRAM, "-c", str(self.conf), *more]

    def control(self, requests, timeout_s=20):
        """The lines that control_socket answers."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(timeout_s)
            client.connect(str(self.settings["control_socket"]))
            client.sendall(requests)
            client.shutdown(socket.SHUT_WR)
            return client.makefile("rb").read().decode().splitlines()

    def control_process(self):
        """Its pid, or None."""
        for pid in self.children():
            comm = pathlib.Path("/proc/%d/comm" % pid)
            if comm.read_text().startswith("danemapd-ctrl"):
                return pid
        return None


def run(*words, **more):
    return subprocess.run([PROGRAM, *map(str, words)], check=False, timeout=120,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, **more)


def expect(condition, *what):
    if not condition:
        raise AssertionError(" ".join(map(str, what)))


def wait_until(ask, server):
    """Until ask() is true; else the server's log says why."""
    end = time.monotonic() + 10
    while not ask():
        expect(time.monotonic() < end, server.log())
        time.sleep(0.02)


def check(done, status, words=""):
    """The exit status, and a text in what was printed."""
    said = done.stdout + done.stderr
    expect(done.returncode == status, "status", done.returncode, said)
    expect(words in said, "lacks", words, ":", said)


def settings(folder):
    """The options that make danemap ask the tree."""
    return ["-c", "/dev/null", "-o", "root_hints_file=%s/root.hints" % folder,
            "-o", "trust_anchor_file=%s/root.key" % folder,
            "-o", "query_timeout=6s"]


def steady(text):
    """Without what differs from run to run: keys, and seconds gone by."""
    text = re.sub(r"[0-9a-f]{8}\.\.\.([0-9a-f]{8})?", "<data>", text)
    text = re.sub(r"\(\d{3,} octets\)", "(<n> octets)", text)
    text = re.sub(r"match=[0-9A-F:|]+", "match=<fingerprints>", text)
    text = re.sub(r"\b359\d(?= ?s)", "3600", text)
    return re.sub(r"\b89\d(?= ?s)", "900", text)


# ---- explain ----

def golden_test(folder, name):
    key, status = GOLDEN[name]
    done = run("explain", *settings(folder), key)
    path = HERE / "golden" / (name + ".txt")
    if "--write" in sys.argv:
        path.write_text(steady(done.stdout))
    check(done, status)
    expect(steady(done.stdout) == path.read_text(), done.stdout)


def domains():
    """All owners of MX records in cases.nsec."""
    zone = next(z for z in zonefile.read(tree.HERE / "zones")
                if z.name == "cases.nsec.")
    owners = {line.split()[0] for line in zone.records if " MX " in line}
    return sorted(owner.replace("*", "any") + ".cases.nsec"
                  for owner in owners if owner != "@")


def test_like_the_daemon(folder):
    """explain answers as the daemon does, all over the tree"""
    keys = domains()
    expect(len(keys) > 60, len(keys), "domains")
    done = run("explain", "--json", *settings(folder), *keys)
    told = [json.loads(line) for line in done.stdout.splitlines()]
    expect([one["key"] for one in told] == keys, "keys", len(told))
    with Server(folder) as server, \
            concurrent.futures.ThreadPoolExecutor(20) as pool:
        for name in ("dane", "fingerprint"):
            replies = pool.map(lambda key: server.ask(key, name), keys)
            for one, reply in zip(told, replies):
                expect(one["answers"][name] == reply, one["key"], name,
                       one["answers"][name], "daemon:", reply)


def test_logged_verdict(folder):
    """The daemon logs the verdict that explain shows, whatever it answers"""
    policy = folder / "floor"
    policy.write_text("unsigned.plain at-least encrypt\n")
    more = {"no_dane_reply": "none", "policy_file": policy}
    told = [("none.cases.nsec", "OK none", "none"),
            ("unsigned.plain", "OK encrypt", "none"),
            ("kill.cases.nsec", "OK encrypt", "dane"),
            ("[nodane.mail.nsec]", "NOTFOUND ", "none")]
    options = [word for pair in more.items() for word in ("-o", "%s=%s" % pair)]
    with Server(folder, **more) as server:
        for key, reply, verdict in told:
            expect(server.ask(key) == reply, key, server.ask(key))
            line = "domain=%s answer=%s reason=" % (key, verdict)
            wait_until(lambda line=line: line in server.log(), server)
            done = run("explain", *settings(folder), *options, key)
            expect("  verdict      %s: " % verdict in done.stdout, done.stdout)


def test_settings_count(folder):
    """explain heeds the parameters that decide"""
    key = "signedhosts.unsigned.plain"
    done = run("explain", *settings(folder), "-o", "insecure_mx=may", key)
    check(done, 0, "dane         OK may\n")
    done = run("explain", *settings(folder), "-o", "insecure_mx=may",
               "-o", "no_dane_reply=none", key)
    check(done, 0, "dane         OK none\n")


def test_not_found(folder):
    """explain exits with 1 where the reply to a key is NOTFOUND"""
    for more in (["-o", "no_dane_reply=notfound", "none.cases.nsec"],
                 ["[nodane.mail.nsec]"], [".cases.nsec"],
                 ["192.0.2.7", "one.cases.nsec"]):
        done = run("explain", *settings(folder), *more)
        check(done, 1, "dane         NOTFOUND\n")
    done = run("explain", *settings(folder), "192.0.2.7", "wrongds.nsec")
    check(done, 2, "dane         TEMP ")


def test_no_root(folder):
    """Where the root does not validate explain says so, and exits with 2"""
    anchor = folder / "wrong.key"
    anchor.write_text(". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E8"
                      "80409BBC683457104237C7F8EC8D\n")
    done = run("explain", *settings(folder),
               "-o", "trust_anchor_file=%s" % anchor, "one.cases.nsec")
    check(done, 2, "not asked    ")
    check(done, 2, "dane         TEMP ")


def test_usage(_):
    """Without a key, or with an unknown option, the status is 64"""
    for words in (["explain"], ["explain", "--nonsense", "a"], ["nonsense"],
                  ["reload", "argument"], ["policy", "a", "b"], []):
        check(run(*words), USAGE, "usage: danemap")


def test_options(_):
    """A wrong option is told as any fault is, with the usage behind it"""
    for command in ("query", "explain", "policy", "reload"):
        for word in ("-z", "-o"):
            done = run(command, word)
            check(done, USAGE, "\nusage: danemap %s " % command)
            expect(re.match("danemap: .*option.* -- '%s'\n" % word[1],
                            done.stderr), done.stderr)


def test_wrong_configuration(_):
    """A wrong configuration is told with its place, with status 78"""
    for command in (["explain", "a"], ["policy"], ["reload"], ["query", "a"]):
        done = run(command[0], "-o", "nonsense=1", *command[1:])
        check(done, CONFIG, "-o nonsense=1: ")


# ---- policy ----

def test_policy(folder):
    """policy lists the rules, and finds the one for a key"""
    path = folder / "policy"
    path.write_text(POLICY)
    options = ["-c", "/dev/null", "-o", "policy_file=%s" % path]
    done = run("policy", *options)
    check(done, 0, "6 rules: 5 in force")
    check(done, 0, "(expired: its last day was 2020-01-01)")
    done = run("policy", *options, "none.cases.nsec")
    check(done, 0, "applies: line 2, at-least encrypt  # a partner")
    check(done, 0, "skipped: line 3, may")
    check(run("policy", *options, "[mx.plain]"), 1, "no rule applies")
    check(run("policy", *options, ".fixed.nsec"), 0, "applies: line 5, may")
    check(run("policy", *options, ".floor.nsec"), 1, "not found")
    check(run("policy", *options, ".other.nsec"), 1, "no rule applies")
    done = run("explain", *settings(folder), "-o", "policy_file=%s" % path,
               "none.cases.nsec")
    check(done, 0, "%s:2: none.cases.nsec  at-least encrypt" % path)
    check(done, 0, "dane         OK encrypt\n")


def test_policy_fault(folder):
    """A fault in the policy file is told with its place, with status 78"""
    path = folder / "policy-fault"
    path.write_text("good.example may\nbad.example perhaps\n")
    for command in (["policy"], ["explain", "a"], ["reload"]):
        done = run(command[0], "-c", "/dev/null",
                   "-o", "policy_file=%s" % path, *command[1:])
        check(done, CONFIG, "%s:2:" % path)


def test_no_policy(_):
    """Without a policy file policy says so, with status 1"""
    check(run("policy", "-c", "/dev/null"), 1, "policy_file is empty")


# ---- reload ----

def test_reload(folder):
    """reload returns once nobody answers by the old configuration"""
    with Server(folder) as server:
        expect(server.ask("none.cases.nsec") == "OK may", "may before")
        for answer in ("encrypt", "may", "NOTFOUND") * 5:
            server.write("no_dane_reply = %s\n" % answer)
            check(run("reload", "-c", server.conf), 0, "in force")
            for _ in range(4):
                reply = server.ask("none.cases.nsec")
                expect(reply.split()[-1] == answer, reply, "not", answer)


def test_reload_twice(folder):
    """Several reloads at once all come to a good end"""
    with Server(folder) as server, \
            concurrent.futures.ThreadPoolExecutor(4) as pool:
        for done in pool.map(
                lambda _: run("reload", "-c", server.conf), range(4)):
            check(done, 0, "in force")


def test_reload_survives_control(folder):
    """reload asks anew where the process that it asked dies"""
    with Server(folder) as server:
        asked = server.control_process()
        server.process.send_signal(signal.SIGSTOP)
        with subprocess.Popen([PROGRAM, "reload", "-c", str(server.conf)],
                              stdout=subprocess.PIPE, text=True) as asking:
            wait_until(lambda: "a reload was asked for" in server.log(),
                       server)
            os.kill(asked, signal.SIGKILL)
            server.process.send_signal(signal.SIGCONT)
            asking.communicate(timeout=60)
        expect(asking.returncode == 0, asking.returncode, server.log())


def test_reload_fault(folder):
    """reload tells a fault itself, and the daemon never hears of it"""
    with Server(folder) as server:
        server.write("cache_size = 1\n")
        check(run("reload", "-c", server.conf), CONFIG, "cache_size")
        server.write("resolver_config = /nowhere\n")
        check(run("reload", "-c", server.conf), CONFIG, "resolver_config")
        expect("reload" not in server.log(), server.log())


def test_reload_refused(folder):
    """A reload that the daemon refuses has status 1, and the old one serves"""
    with Server(folder) as server:
        taken = server.folder / "taken"
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(taken))
            other.listen()
            server.write("listen = unix:%s\n" % taken)
            check(run("reload", "-c", server.conf), 1, "danemapd's log")
        expect("another process answers on it" in server.log(), server.log())
        expect(server.ask("one.cases.nsec") == "OK dane-only", "serves")


def test_unreachable(folder):
    """Without a daemon the status is 69"""
    done = run("reload", *settings(folder), "-o",
               "control_socket=%s/nobody" % folder,
               "-o", "listen=inet:127.0.0.1:8460")
    expect(done.returncode in (UNAVAILABLE, CONFIG), done.stderr)
    with Server(folder, control_socket="") as server:
        check(run("reload", "-c", server.conf), UNAVAILABLE, "control_socket")


def test_stranger(folder):
    """Who may not open a socket is told who may"""
    with Server(folder) as server:
        server.folder.chmod(0o755)
        program = shutil.copy(PROGRAM, server.folder)
        for words in (["reload", "-c", "/dev/null", "-o", "user=nobody", "-o",
                       "control_socket=%s/control" % server.folder,
                       "-o", "cache_file=%s/cache" % server.folder,
                       "-o", "listen=inet:127.0.0.1:8460"],
                      ["query", "-s", "unix:" + server.socket, "a"]):
            done = run(*words, executable=program, user=STRANGER,
                       group=STRANGER, extra_groups=[])
            check(done, UNAVAILABLE, ": Permission denied: only root and ")
            check(done, UNAVAILABLE, ": use sudo\n")


# ---- control_socket ----

def test_control_mode(folder):
    """control_socket is the daemon's user's alone"""
    with Server(folder) as server:
        mode = server.settings["control_socket"].stat().st_mode
        expect(mode & 0o777 == 0o600, oct(mode))
    expect(not server.settings["control_socket"].exists(), "is left behind")


def test_control_status(folder):
    """status counts what was asked, and is JSON"""
    with Server(folder) as server:
        for _ in range(3):
            server.ask("one.cases.nsec")
        lines = server.control(b"status\nnonsense\nstatus\n")
        expect(len(lines) == 3, lines)
        expect(json.loads(lines[0])["requests"] >= 3, lines[0])
        expect(json.loads(lines[2])["anchored"] == 1, lines[2])
        expect(lines[1].startswith("error "), lines[1])


def test_control_leaves(folder):
    """A control process that leaves tells late clients to ask again"""
    with Server(folder) as server, socket.socket(socket.AF_UNIX) as late:
        late.settimeout(20)
        late.connect(str(server.settings["control_socket"]))
        lines = late.makefile("rb")
        late.sendall(b"status\n")
        lines.readline()
        check(run("reload", "-c", server.conf), 0, "in force")
        late.sendall(b"status\nreload\n")
        expect(lines.readline().startswith(b"{"), server.log())
        expect(lines.readline() == b"again\n", server.log())


def test_control_killed(folder):
    """A control process that dies is started again, and nobody else notices"""
    with Server(folder) as server:
        before = server.control_process()
        others = set(server.children()) - {before}
        os.kill(before, signal.SIGKILL)
        wait_until(lambda: server.control_process() not in (None, before),
                   server)
        expect(others <= set(server.children()), "others were ended")
        check(run("reload", "-c", server.conf), 0, "in force")


def test_control_taken(folder):
    """A control_socket that is taken is told, and Postfix is served"""
    with Server(folder) as first, Server(
            folder, control_socket=first.settings["control_socket"]) as second:
        expect("another process answers on it" in second.log(), second.log())
        expect(second.ask("one.cases.nsec") == "OK dane-only", "serves")
        expect(second.control_process() is None, "has a control process")
        check(run("reload", "-c", first.conf), 0, "in force")


def test_control_moves(folder):
    """A reload may give control_socket another place"""
    with Server(folder) as server:
        old = server.settings["control_socket"]
        new = server.folder / "elsewhere"
        server.settings["control_socket"] = new
        server.write()
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(60)
            client.connect(str(old))
            client.sendall(b"reload\n")
            expect(client.recv(10) == b"ok\n", server.log())
        check(run("reload", "-c", server.conf), 0, "in force")
        expect(not old.exists(), "the old one is left behind")


def golden_tests():
    for name in GOLDEN:
        def test(folder, name=name):
            golden_test(folder, name)
        test.__doc__ = "explain tells the story %s" % name
        yield test


def main():
    folder = pathlib.Path(sys.argv[1])
    tests = list(golden_tests())
    tests += [test for name, test in globals().items()
              if name.startswith("test_")]
    with tree.Servers(folder):
        return tap.run(tests, folder)


if __name__ == "__main__":
    sys.exit(main())
