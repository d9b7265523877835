# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""The command line, exit codes, and who danemapd is once it runs."""

import contextlib
import grp
import os
import pathlib
import signal
import subprocess
import time

from e2e import daemon, socketmap

from . import stage
from .stage import Daemon, expect, wait_until

ROOT_DIRECTORY = (pathlib.Path(__file__).parents[2] /
                  "systemd/examples/root-directory.conf")
# The root directory that systemd would make of it, with the folders that the
# units make. Arguments: the folder, danemapd, the paths.
IN_ROOT = """set -e
root=$1 program=$2
shift 2
mount -t tmpfs none /var/spool/postfix
mkdir /var/spool/postfix/danemap
mount -t tmpfs none "$root"
mkdir -p "$root/run/danemapd" "$root/proc" "$root/dev"
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
place() {
	if [ -d "$1" ]; then
		mkdir -p "$root$2"
	else
		mkdir -p "$(dirname "$root$2")"
		: >"$root$2"
	fi
	mount --bind "$1" "$root$2"
}
place "$(dirname "$program")" "$(dirname "$program")"
for path; do
	[ "${path#-}" = "$path" ] || [ -e "${path#-}" ] || continue
	place "${path#-}" "${path#-}"
done
exec chroot "$root" "$program" -t -o user=nobody
"""
USAGE, UNAVAILABLE, OSERR, NOPERM, CONFIG = 64, 69, 71, 77, 78


def run(*words, **more):
    return subprocess.run([daemon.PROGRAM, *words], check=False, timeout=30,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, **more)


def check(done, status, words):
    """The exit status, and a text in what was printed."""
    said = done.stdout + done.stderr
    expect(done.returncode == status, "status", done.returncode, said)
    expect(words in said, "lacks", words, ":", said)


def test_help(_):
    """-h prints the usage, and anything unknown does too, with status 64"""
    check(run("-h"), 0, "usage: danemapd")
    check(run("--help"), 0, "usage: danemapd")
    check(run("-x"), USAGE, "usage: danemapd")
    check(run("--nonsense"), USAGE, "usage: danemapd")
    check(run("argument"), USAGE, "takes no arguments")
    check(run("-c"), USAGE, "usage: danemapd")


def test_version(_):
    """-V names danemapd and the libraries in use"""
    done = run("-V")
    for words in ("danemapd ", "libunbound 1.", "OpenSSL 3", "libevent 2."):
        check(done, 0, words)


def test_print(dns):
    """-n prints what differs from the defaults, -nn everything"""
    server = Daemon(dns.folder, no_dane_reply="encrypt")
    server.configure()
    done = run("-c", str(server.conf), "-n")
    check(done, 0, "no_dane_reply = encrypt\n")
    expect("insecure_mx" not in done.stdout, done.stdout)
    check(run("-c", str(server.conf), "-nn"), 0, "insecure_mx = dane\n")
    check(run("-c", str(server.conf), "-n", "-o", "no_dane_reply=none"), 0,
          "no_dane_reply = none\n")
    server.own.cleanup()


def test_check(dns):
    """-t finds nothing wrong with a good configuration"""
    server = Daemon(dns.folder)
    server.configure()
    done = run("-c", str(server.conf), "-t")
    check(done, 0, "")
    expect(done.stderr == "", done.stderr)
    expect(not server.cache.exists() and not os.path.exists(server.socket),
           "-t made something")
    server.own.cleanup()


def test_root_directory(dns):
    """-t finds nothing wrong in the root directory of systemd/examples"""
    paths = [path for line in ROOT_DIRECTORY.read_text().splitlines()
             if line.startswith("BindReadOnlyPaths=")
             for path in line.partition("=")[2].split()]
    root = dns.folder / "root"
    root.mkdir()
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", IN_ROOT, "sh", root,
         daemon.PROGRAM, *paths], check=False, timeout=30, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)
    root.rmdir()
    check(done, 0, "")
    expect(done.stderr == "", done.stderr)


def test_check_faults(dns):
    """-t names file, line and cause of what is wrong, status 78"""
    faults = [("no_dane_reply = perhaps\n", ":1: "),
              ("\n# x\nquery_timeot = 5s\n", ":3: "),
              ("query_timeot = 5s\n", "query_timeout"),
              ("query_timeout = soon\n", "query_timeout"),
              ("listen = unix:relative\n", ":1: listen: "),
              ("listen = inet:192.0.2.77:8461\n", "allow_remote"),
              ("listen = unix:/tmp/a inet:127.0.0.1:1 unix:/tmp/a\n",
               ":1: listen: unix:/tmp/a: named twice"),
              ("listen = unix:/etc/passwd\n", "is no socket: remove it or"),
              ("user = nosuchuser\n", ":1: user: "),
              ("trust_anchor_file = /nowhere/key\n",
               ":1: trust_anchor_file: /nowhere/key"),
              ("\nroot_hints_file = /nowhere/hints\n",
               ":2: root_hints_file: /nowhere/hints"),
              ("resolver_config = /nowhere/unbound.conf\n",
               ":1: resolver_config: /nowhere/unbou"),
              ("cache_file = /nowhere/at/all/cache\n",
               ":1: cache_file: /nowhere/at"),
              ("policy_file = /nowhere\n", ":1: policy_file: /nowhere"),
              ("forward = ::1%lo\n", ":1: forward: ::1%lo: not an"),
              ("cache_size = 1K\n", "cache_size"),
              ("no equals sign\n", ":1: ")]
    server = Daemon(dns.folder)
    server.configure()
    good = server.conf.read_text()
    for text, words in faults:
        name = text.split(" =")[0].strip()
        rest = "".join(line + "\n" for line in good.splitlines()
                       if not line.startswith(name + " ="))
        server.conf.write_text(text + rest)
        check(run("-c", str(server.conf), "-t"), CONFIG, words)
        check(run("-c", str(server.conf)), CONFIG, words)
    server.own.cleanup()


def test_default_listen(dns):
    """-t forgives a service of systemd, alone, a default that cannot be"""
    words = "listen: unix:/var/spool/postfix/danemap/policy.sock: there is no "
    server = Daemon(dns.folder)
    del server.settings["listen"]
    server.configure()
    subprocess.run(["mount", "-t", "tmpfs", "none", "/var/spool"], check=True)
    try:
        service = run("-c", str(server.conf), "-t",
                      env={**os.environ, "INVOCATION_ID": "0"})
        if "without libsystemd" in run("-V").stdout:
            check(service, CONFIG, words)
        else:
            check(service, 0, "warning: " + words)
        if not pathlib.Path("/run/systemd/system").exists():
            check(run("-c", str(server.conf), "-t"), CONFIG, words)
        check(run("-c", str(server.conf)), CONFIG, words)
    finally:
        subprocess.run(["umount", "/var/spool"], check=True)
    server.own.cleanup()


def test_check_control(dns):
    """-t warns of a control_socket that cannot be, and the daemon serves"""
    for path, words in (("relative", "needs a path that begins with /"),
                        ("/nowhere/at/all", "there is no folder /nowhere"),
                        ("/" + 120 * "x", "less than 108 octets"),
                        ("/etc/passwd", "is no socket")):
        with Daemon(dns.folder, control_socket=path) as server:
            done = run("-c", str(server.conf), "-t")
            check(done, 0, ": control_socket: ")
            check(done, 0, words)
            expect("control_socket" in server.log(), server.log())


@contextlib.contextmanager
def without_ipv6(folder):
    """No ::1 here, though localhost is said to have it."""
    hosts = folder / "hosts"
    hosts.write_text("127.0.0.1 localhost\n::1 localhost\n")
    loopback = ["::1/128", "dev", "lo"]
    subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)
    subprocess.run(["ip", "-6", "addr", "del", *loopback], check=True)
    try:
        yield
    finally:
        subprocess.run(["ip", "-6", "addr", "add", *loopback], check=True)
        subprocess.run(["umount", "/etc/hosts"], check=True)


def test_localhost(dns):
    """a name of which the machine lacks an address is listened on at others"""
    with Daemon(dns.folder) as server, without_ipv6(dns.folder):
        listen = server.settings["listen"]
        server.configure(listen="%s inet:localhost:8461" % listen)
        server.reload()
        expect("inet:[::1]:8461: Cannot assign" in server.log(), server.log())
        expect(socketmap.ask(("127.0.0.1", 8461), "dane", "one.cases.nsec") ==
               stage.SECURE)
        server.configure(listen="%s inet:[::1]:8461" % listen)
        server.reload(False)
        expect("this machine has no such address" in server.log())


def test_weak_validation(dns):
    """a resolver_config that weakens validation is refused"""
    server = Daemon(dns.folder)
    fragment = server.folder / "unbound.conf"
    for line in ("val-permissive-mode: yes", 'module-config: "iterator"',
                 "serve-expired: yes",
                 'auto-trust-anchor-file: "%s"' % (server.folder / "auto")):
        fragment.write_text("server:\n\t%s\n" % line)
        server.configure(resolver_config=fragment)
        check(run("-c", str(server.conf), "-t"), CONFIG, "refused")
    fragment.write_text("server:\n\tedns-buffer-size: 1400\n")
    check(run("-c", str(server.conf), "-t"), 0, "")
    server.own.cleanup()


def test_missing_file(_):
    """a configuration file that was named and is missing is status 78"""
    check(run("-c", "/nowhere/danemapd.conf", "-t"), CONFIG,
          "/nowhere/danemapd.conf")


def start_and_end(server):
    server.start()
    return server.process.wait(15)


def test_socket_taken(dns):
    """a socket on which somebody answers is status 69, a dead one is replaced"""
    with Daemon(dns.folder) as first:
        second = Daemon(dns.folder, listen=first.settings["listen"])
        expect(start_and_end(second) == UNAVAILABLE, second.log())
        expect("another process answers" in second.log(), second.log())
        second.own.cleanup()
        expect(first.ask("one.cases.nsec") == stage.SECURE)
        first.process.kill()
        first.process.wait()
        expect(os.path.exists(first.socket))
        wait_until(lambda: first.try_ask("one.cases.nsec", 1) is None, 5,
                   "nobody answers")
        first.start()
        first.wait_listening()


def test_no_socket(dns):
    """a file in the socket's place is left alone, status 78"""
    server = Daemon(dns.folder)
    pathlib.Path(server.socket).write_text("precious")
    expect(start_and_end(server) == CONFIG, server.log())
    expect("is no socket" in server.log(), server.log())
    expect(pathlib.Path(server.socket).read_text() == "precious")
    server.own.cleanup()


def test_port_taken(dns):
    """a TCP port in use is status 69"""
    first = Daemon(dns.folder)
    first.settings["listen"] += " inet:127.0.0.1:8462"
    with first:
        second = Daemon(dns.folder, listen="inet:127.0.0.1:8462")
        expect(start_and_end(second) == UNAVAILABLE, second.log())
        expect("127.0.0.1:8462" in second.log(), second.log())
        second.own.cleanup()


def test_no_permission(dns):
    """without the right to write where the socket goes: status 77"""
    server = Daemon(dns.folder)
    os.chown(server.folder, 0, 0)
    server.configure()
    with open(server.conf, encoding="ascii") as conf:
        os.fchmod(conf.fileno(), 0o644)
    os.chmod(server.folder, 0o755)
    done = run("-c", str(server.conf), user="nobody", group="nogroup",
               extra_groups=[])
    check(done, NOPERM, "ermission denied")
    server.own.cleanup()


def status_of(pid):
    text = pathlib.Path("/proc/%d/status" % pid).read_text()
    return dict(line.split(":\t", 1) for line in text.splitlines()
                if ":\t" in line)


def check_identity(pid):
    status, nobody = status_of(pid), stage.NOBODY
    expect(status["Uid"].split() == [str(nobody.pw_uid)] * 4, status["Uid"])
    expect(status["Gid"].split() == [str(nobody.pw_gid)] * 4, status["Gid"])
    groups = {str(nobody.pw_gid)} | {
        str(g.gr_gid) for g in grp.getgrall() if "nobody" in g.gr_mem}
    expect(set(status["Groups"].split()) <= groups, status["Groups"])
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        expect(int(status[name], 16) == 0, name, status[name])
    expect(status["NoNewPrivs"].strip() == "1", "new privileges")


def test_identity(dns):
    """all processes are the user's, without capabilities or new privileges"""
    with Daemon(dns.folder) as server:
        wait_until(server.settled, 10, "all processes")
        for pid in [server.process.pid, *server.children()]:
            check_identity(pid)


def test_socket_mode(dns):
    """sockets have the mode and group that were asked for"""
    server = Daemon(dns.folder)
    server.settings["listen"] = "unix:%s:0620:mail" % server.socket
    with server:
        status = os.stat(server.socket)
        expect(status.st_mode & 0o7777 == 0o620, oct(status.st_mode))
        expect(status.st_gid == grp.getgrnam("mail").gr_gid, status.st_gid)


def descriptors(pid):
    folder = "/proc/%d/fd" % pid
    return sorted(os.readlink(folder + "/" + fd)
                  for fd in os.listdir(folder))


def test_descriptors_stay(dns):
    """no descriptor is left over by reloads, and children have few"""
    with Daemon(dns.folder, log_level="notice") as server:
        wait_until(server.settled, 10, "all processes")
        server.reload()
        wait_until(server.settled, 10, "one generation")
        before = len(descriptors(server.process.pid))
        for _ in range(3):
            server.reload()
            wait_until(server.settled, 10, "one generation")
        time.sleep(0.2)
        after = descriptors(server.process.pid)
        expect(len(after) == before, before, after)
        for pid in server.named("work"):
            listed = descriptors(pid)
            expect(not any("cache" in name for name in listed), listed)


def test_nothing_left(dns):
    """SIGTERM and SIGINT end all processes with status 0, the socket goes"""
    for number in (signal.SIGTERM, signal.SIGINT):
        with Daemon(dns.folder) as server:
            children = server.children()
            server.process.send_signal(number)
            expect(server.process.wait(10) == 0, server.log())
            expect(all(map(stage.is_gone, children)), "someone is left")
            expect(not os.path.exists(server.socket), "the socket is left")
            expect("stopped" in server.log())


def test_signals_to_all(dns):
    """signals that a terminal sends to all processes change nothing"""
    with Daemon(dns.folder) as server:
        children = server.children()
        for pid in children:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                os.kill(pid, number)
        time.sleep(0.3)
        expect(server.children() == children, "somebody obeyed")
        expect(server.ask("one.cases.nsec") == stage.SECURE)


def test_early_signals(dns):
    """SIGTERM at any moment of the start ends danemapd"""
    for wait_ms in (0, 1, 3, 8, 15, 30, 60, 120):
        server = Daemon(dns.folder)
        server.start()
        time.sleep(wait_ms / 1000)
        server.process.terminate()
        status = server.process.wait(15)
        expect(status in (0, -signal.SIGTERM), wait_ms, status, server.log())
        expect(not os.path.exists(server.socket) or status != 0,
               "the socket is left")
        server.own.cleanup()
