#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
#
# The systemd units as systemd-analyze sees them: without fault, and no more
# exposed than they have been. Speaks TAP. SOURCE is the folder systemd/.
set -eu

source=${srcdir:-.}/systemd
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0
failed=0

report() {
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
	else
		failed=1
		echo "not ok $n - $1"
		echo "$2" | sed 's/^/# /'
	fi
}

# With a program that is there, so that it is not what is found missing.
make_unit() {
	sed 's;@s*bindir@/danemapd*;/bin/true;; /^Documentation=/d' \
		"$source/danemapd.service.in" >"$work/danemapd.service"
	sed '/^Documentation=/d' "$source/danemapd.socket" \
		>"$work/danemapd.socket"
}

# drop_in FILE: its settings, and ours.
drop_in() {
	mkdir -p "$work/$1.d"
	sed -n '/^\[Service\]/,$p' "$source/examples/$1.conf" |
		cat "$work/danemapd.service" - >"$work/$1.d/danemapd.service"
}

verify() {
	systemd-analyze verify "$@" 2>&1 | grep danemapd || :
}

# exposure FILE: in tenths.
exposure() {
	systemd-analyze security --offline=true --no-pager "$1" 2>/dev/null |
		sed -n 's/.*Overall exposure level.*: \([0-9]*\)\.\([0-9]\).*/\1\2/p'
}

at_most() {
	found=$(exposure "$2")
	if [ -z "$found" ] || [ "$found" -gt "$1" ]; then
		echo "wanted is $1 tenths at most, found ${found:-nothing}"
	fi
}

if ! systemd-analyze security --help >/dev/null 2>&1; then
	echo "1..0 # SKIP there is no systemd-analyze"
	exit 0
fi
make_unit
drop_in root-directory
report 'the units are without fault' \
	"$(verify "$work/danemapd.service" "$work/danemapd.socket")"
report 'the service is exposed by 1.1 at most' \
	"$(at_most 11 "$work/danemapd.service")"
report 'with a root directory of its own by 1.0 at most' \
	"$(at_most 10 "$work/root-directory.d/danemapd.service")"
echo "1..$n"
[ $failed = 0 ]
