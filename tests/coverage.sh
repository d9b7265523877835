#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
#
# How much of each room the unit tests run: builds a copy of this checkout with
# gcc's counters in a temporary folder, runs `make check` there and prints what
# tests/coverage.py finds. Exit status 1 if a room that is shown has less than
# it must have, or a test failed.
#
#	coverage.sh [--missing ROOM]... [ROOM...]
#
# Without a ROOM (policy, wire, cache, ...) all are shown. --missing lists the
# lines and branches of a room that never ran. Asserts are left out: that they
# never fail is their purpose, and would count as a branch not taken.

set -eu

SOURCE=$(cd "$(dirname "$0")/.." && pwd)
JOBS=${JOBS:-$(nproc)}

export LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
WORK=$(mktemp -d /tmp/dm.XXXXXX)
trap 'rm -rf "$WORK"' EXIT
trap 'exit 1' HUP INT TERM
COPY=$WORK/source
BUILD=$WORK/build

build() {
	"$SOURCE/tests/copy-source.sh" "$COPY" &&
		(cd "$COPY" && autoreconf -fi) &&
		mkdir "$BUILD" &&
		gcc -O2 -c -o "$WORK/exit.o" "$COPY/tests/coverage_exit.c" &&
		(cd "$BUILD" && "$COPY/configure" CC=gcc \
			CFLAGS='--coverage -O0 -g' CPPFLAGS=-DNDEBUG \
			LDFLAGS='--coverage -Wl,--wrap=_exit' \
			LIBS="$WORK/exit.o") &&
		make -C "$BUILD" -j "$JOBS"
}

build >"$WORK/said" 2>&1 || {
	tail -n 60 "$WORK/said"
	exit 1
}
status=0
make -C "$BUILD" -j "$JOBS" -k check >"$WORK/said" 2>&1 || {
	status=1
	grep -E '^(FAIL|ERROR): ' "$WORK/said" || tail -n 60 "$WORK/said"
	find "$BUILD/tests" -name '*.log' -exec grep -h -A 9 '^not ok' {} +
}
/usr/bin/python3 "$COPY/tests/coverage.py" "$BUILD" "$@" || status=1
exit $status
