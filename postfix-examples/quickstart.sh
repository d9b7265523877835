#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
#
# Shows danemapd at work in a minute, on Debian 12, as root or by sudo: installs
# what is missing, builds, starts a danemapd of its own and asks it about a
# dozen next-hops as Postfix would. Where the Internet's root servers cannot be
# reached, or with --demo, it resolves a small signed Internet of its own, in
# which everything that can go wrong does. All files are in one temporary
# folder; nothing else is touched, and nothing goes on running without --keep.
#
#	quickstart.sh [--demo] [--keep] [--build FOLDER]
#
# --build takes the programs of a folder in which make has already run.

set -eu

REAL_NEXTHOPS="posteo.de mailbox.org debian.org ietf.org nlnetlabs.nl
	bund.de freebsd.org gmail.com example.com [mail.ietf.org]
	no-such-domain.example [192.0.2.1]"
# The tree in tests/tree/zones.
DEMO_NEXTHOPS="one.cases.nsec fifteen.many.nsec mixed.cases.nsec
	signedhosts.unsigned.plain pkix.cases.nsec kill.cases.nsec
	none.cases.nsec null.cases.nsec unsigned.plain wrongds.nsec expired.nsec
	to-tlsa.servfail.nsec tlsa-good.servfail.nsec bücher.cases.nsec
	[good.mail.nsec]:587 [nodane.mail.nsec] [192.0.2.1]"
ROOT_WAIT_S=6
SIGNAL=TERM # what ends the process DAEMON
PYTHON=/usr/bin/python3
SOURCE=$(cd "$(dirname "$0")/.." && pwd)

usage() {
	echo "usage: quickstart.sh [--demo] [--keep] [--build FOLDER]" >&2
	exit 64
}

DEMO=no KEEP=${KEEP-no} INSIDE=no
[ "$(id -u)" = 0 ] || exec sudo -- "$0" "$@"
while [ $# -gt 0 ]; do
	case $1 in
	--demo) DEMO=yes ;;
	--keep) KEEP=yes ;;
	--build)
		BUILD=$(cd "${2-}" && pwd) || usage
		shift
		;;
	--inside) INSIDE=yes ;; # what this script says to itself
	*) usage ;;
	esac
	shift
done

say() { echo "quickstart: $*"; }

# Runs a command; what it said is shown only if it failed.
quietly() {
	"$@" >"$WORK/said" 2>&1 && return
	tail -n 40 "$WORK/said" >&2
	say "failed: $*" >&2
	exit 1
}

# Joined by &&: `set -e` sleeps in a function whose status is looked at.
build() {
	mkdir "$WORK/source" "$BUILD" &&
		(cd "$SOURCE" && tar -cf - --exclude=.git --exclude='*.o' \
			--exclude=config.status --exclude=autom4te.cache .) |
		tar -xf - -C "$WORK/source" &&
		(cd "$WORK/source" && autoreconf -fi) &&
		(cd "$BUILD" && "$WORK/source/configure" --sysconfdir=/etc) &&
		make -C "$BUILD" -j "$(nproc)" danemapd danemap
}

# start_daemon [OPTION...]: a danemapd that stays in this folder, as nobody.
start_daemon() {
	mkdir -p "$WORK/run"
	: >"$WORK/log"
	chown nobody "$WORK/run"
	"$BUILD/danemapd" -c /dev/null -o user=nobody \
		-o "listen=unix:$WORK/policy.sock:0666" \
		-o "cache_file=$WORK/run/cache" -o log_target=stderr \
		-o "control_socket=$WORK/run/control" \
		-o query_timeout=8s "$@" </dev/null >>"$WORK/log" 2>&1 &
	DAEMON=$!
}

stop_daemon() {
	[ -n "${DAEMON-}" ] || return 0
	kill -s "$SIGNAL" "$DAEMON" 2>/dev/null || :
	wait "$DAEMON" 2>/dev/null || :
	DAEMON=
}

root_validates() {
	tries=$((ROOT_WAIT_S * 10))
	while [ $tries -gt 0 ]; do
		! grep -q 'the root zone validates' "$WORK/log" || return 0
		kill -0 "$DAEMON" 2>/dev/null || return 1
		sleep 0.1
		tries=$((tries - 1))
	done
	return 1
}

# ask_by_postmap KEY: sets ANSWER and perhaps REASON.
ask_by_postmap() {
	if ANSWER=$(postmap -c "$WORK/postfix" -q "$1" \
		"socketmap:unix:$WORK/policy.sock:dane" 2>"$WORK/said"); then
		return
	fi
	REASON=$(sed -n 's/.*temporary error: //p' "$WORK/said" | head -n 1)
	ANSWER=${REASON:+TEMP}
	ANSWER=${ANSWER:-(not found)}
}

# ask_by_danemap KEY: the same where there is no Postfix.
ask_by_danemap() {
	ANSWER=$("$BUILD/danemap" query -s "unix:$WORK/policy.sock" "$1" |
		cut -f 2) || :
	case $ANSWER in
	OK*) ANSWER=${ANSWER#OK } ;;
	TEMP*) REASON=${ANSWER#TEMP } ANSWER=TEMP ;;
	NOTFOUND*) ANSWER="(not found)" ;;
	esac
}

# The reason that the daemon logged past a line of its log.
logged_reason() {
	sed "1,$1d" "$WORK/log" |
		sed -n 's/.* reason="*\(.*[^"]\)"* ttl=.*/\1/p' | tail -n 1
}

ask() {
	before=$(wc -l <"$WORK/log")
	REASON=
	"$ASK" "$1"
	sleep 0.05 # the log is written beside the answer
	REASON=${REASON:-$(logged_reason "$before")}
	REASON=${REASON:-nothing to look up: main.cf decides}
	printf '%-28s %-12s %s\n' "$1" "$ANSWER" "$REASON"
}

# ask_all KEY...: the table.
ask_all() {
	ASK=ask_by_danemap
	if command -v postmap >/dev/null; then
		ASK=ask_by_postmap
		mkdir -p "$WORK/postfix"
		echo "compatibility_level = 3.6" >"$WORK/postfix/main.cf"
	fi
	echo
	printf '%-28s %-12s %s\n' "next-hop" "answer" "reason"
	for key; do
		ask "$key"
	done
	echo
	echo "The same for a Postfix that cannot do DANE (map fingerprint):"
	"$BUILD/danemap" query -s "unix:$WORK/policy.sock" \
		-m fingerprint "$1"
	echo
}

show_internet() {
	start_daemon
	say "asking the Internet's root servers"
	if ! root_validates; then
		say "they cannot be reached from here within $ROOT_WAIT_S s:"
		sed 's/^/    /' "$WORK/log"
		say "showing a signed tree of its own instead (as --demo does)"
		stop_daemon
		return 1
	fi
	ask_all $REAL_NEXTHOPS
}

# Within the namespaces: the tree, a danemapd on it, the table.
show_tree() {
	"$PYTHON" -B -m tree.tree serve "$WORK/tree" &
	while [ ! -e "$WORK/tree/ready" ]; do
		kill -0 $!
		sleep 0.1
	done
	start_daemon -o "root_hints_file=$WORK/tree/root.hints" \
		-o "trust_anchor_file=$WORK/tree/root.key"
	root_validates || {
		cat "$WORK/log" >&2
		exit 1
	}
	ask_all $DEMO_NEXTHOPS
	touch "$WORK/shown"
	[ "$KEEP" = no ] || wait "$DAEMON"
}

demo() {
	quietly "$SOURCE/tests/install-packages.sh" tree
	cd "$SOURCE/tests"
	quietly "$PYTHON" -B -m tree.tree make "$WORK/tree"
	export WORK BUILD KEEP
	# What may be kept running must not hold our caller's output open.
	tree/netns.sh "$SOURCE/postfix-examples/quickstart.sh" --inside \
		</dev/null >"$WORK/table" 2>&1 &
	# unshare is deaf to TERM; the namespaces end with it.
	DAEMON=$! SIGNAL=KILL
	while [ ! -e "$WORK/shown" ] && kill -0 $DAEMON 2>/dev/null; do
		sleep 0.1
	done
	cat "$WORK/table"
	[ -e "$WORK/shown" ]
}

finish() {
	if [ "$KEEP" = no ]; then
		stop_daemon
		return
	fi
	trap - EXIT
	say "goes on running; ask it by"
	echo "    $BUILD/danemap query -s unix:$WORK/policy.sock NEXT-HOP"
	say "and end it by"
	echo "    kill -s $SIGNAL $DAEMON; rm -r $WORK"
}

clean_up() {
	stop_daemon
	rm -rf "$WORK"
}

if [ $INSIDE = yes ]; then
	show_tree
	exit
fi
WORK=$(mktemp -d /tmp/danemap.XXXXXX)
trap clean_up EXIT
trap 'exit 1' HUP INT TERM
chmod 755 "$WORK"
if [ -z "${BUILD-}" ]; then
	BUILD=$WORK/build
	say "installing what is missing, building in $WORK"
	quietly "$SOURCE/tests/install-packages.sh" build
	quietly build
fi
if [ $DEMO = yes ] || ! show_internet; then
	demo
fi
finish
