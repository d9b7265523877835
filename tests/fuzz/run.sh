#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
#
# Fuzzes, on a fresh Debian 12: installs what is missing (as root or by sudo),
# builds a copy of this checkout in a temporary folder, runs each fuzzer for a
# minute, and says in a line what it did. Where one crashed the last lines name
# the files with the input, and the exit status is 1.
#
#	run.sh [--seconds N | --minutes N | --hours N] [--afl] [--coverage]
#		[--corpus FOLDER] [--jobs N] [FUZZER...]
#
# --afl       by AFL++ instead of libFuzzer
# --coverage  builds a second time, to count the lines that are reached of the
#             files that a fuzzer is for
# --corpus    where each fuzzer finds and leaves its corpus, FOLDER/NAME; with
#             --coverage FOLDER/NAME.lines shows which lines were reached
# --jobs      so many fuzzers at once (1)

set -eu

HERE=$(cd "$(dirname "$0")" && pwd)
TESTS=$(dirname "$HERE")

usage() {
	sed -n '/^#	run/,/^$/s/^# \{0,1\}//p' "$0" >&2
	exit 64
}

number() {
	case $1 in
	'' | *[!0-9]* | 0*) usage ;;
	esac
}

SECONDS_EACH=60 JOBS=1 ENGINE=libfuzzer COVERAGE= CORPUS=
while [ $# -gt 0 ]; do
	case $1 in
	--seconds | --minutes | --hours | --jobs) number "${2-}" ;;
	--corpus) [ $# -gt 1 ] || usage ;;
	esac
	case $1 in
	--seconds) SECONDS_EACH=$2 && shift ;;
	--minutes) SECONDS_EACH=$(($2 * 60)) && shift ;;
	--hours) SECONDS_EACH=$(($2 * 3600)) && shift ;;
	--jobs) JOBS=$2 && shift ;;
	--corpus) CORPUS=$2 && shift ;;
	--afl) ENGINE=afl ;;
	--coverage) COVERAGE=yes ;;
	-*) usage ;;
	*) break ;;
	esac
	shift
done
for name; do
	[ -e "$HERE/fuzz_$name.c" ] || {
		echo "there is no fuzzer $name" >&2
		exit 64
	}
done
[ $# -gt 0 ] || set -- $(cd "$HERE" && ls fuzz_*.c | sed 's/^fuzz_//; s/\.c$//')

export LC_ALL=C.UTF-8
WORK=$(mktemp -d /tmp/dmf.XXXXXX)
RUNNING=
trap 'rm -rf "$WORK"' EXIT
trap 'stop_all; exit 1' HUP INT TERM
SOURCE=$WORK/source
if [ -n "$CORPUS" ]; then
	mkdir -p "$CORPUS"
	KEPT=$(cd "$CORPUS" && pwd)
	CORPUS=$KEPT
else
	KEPT=
	CORPUS=$WORK/corpus
fi

# build FOLDER COMPILER OPTION
build() {
	mkdir "$WORK/$1" && cd "$WORK/$1" &&
		"$SOURCE/configure" "$3" CC="$2" --without-systemd &&
		AFL_QUIET=1 nice -n 19 make -j "$(nproc)" fuzzers
}

build_all() {
	"$TESTS/copy-source.sh" "$SOURCE" &&
		(cd "$SOURCE" && autoreconf -fi) &&
		if [ $ENGINE = afl ]; then
			(build fuzz afl-clang-fast --enable-fuzzing)
		else
			(build fuzz clang --enable-fuzzing)
		fi &&
		if [ -n "$COVERAGE" ]; then
			(build coverage clang --enable-fuzzing=coverage)
		fi
}

# In a process group of their own, so that all can be ended.
fuzz_all() {
	printf '%s\n' "$@" |
		setsid xargs -P "$JOBS" -n 1 "$HERE/run-one.sh" &
	RUNNING=$!
	wait "$RUNNING"
}

stop_all() {
	[ -z "$RUNNING" ] || kill -- "-$RUNNING" 2>/dev/null || :
	wait
}

# Each names a file; those of a corpus that is kept are there already.
keep_crashes() {
	ls "$WORK"/crashes/*/* >/dev/null 2>&1 || return 0
	kept=${KEPT:-$(mktemp -d /tmp/danemap-crashes.XXXXXX)}
	for file in "$WORK"/crashes/*/*; do
		name=$(basename "$(dirname "$file")")
		cp "$file" "$kept/$name.$(basename "$file")"
		echo "crash: $kept/$name.$(basename "$file")"
	done
}

"$TESTS/install-packages.sh" build fuzz
build_all >"$WORK/said" 2>&1 || {
	tail -n 40 "$WORK/said"
	exit 1
}
export WORK SOURCE SECONDS_EACH ENGINE COVERAGE CORPUS KEPT
status=0
fuzz_all "$@" || status=1
keep_crashes
exit $status
