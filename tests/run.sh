#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
#
# All tests, on a fresh Debian 12, as root or by sudo: installs what is
# missing, builds a copy of this checkout in a temporary folder, runs each
# suite, and says on the last line how many tests passed and failed. Leaves
# nothing behind but packages.
#
#	run.sh [SUITE...]	(unit, scenarios, postfix, examples, tool, life,
#			quickstart)
#
# For other commands of the tests: WRAP is called with the build folder before
# the suites begin, and CHAPTERS are those of life to run.

set -eu

SUITES="unit scenarios postfix examples tool life quickstart"
SOURCE=$(cd "$(dirname "$0")/.." && pwd)
. "$SOURCE/tests/workshop.sh"
RESULTS=$WORK/results

give_up() {
	echo "not ok - $1" >>"$RESULTS/setup.tap"
	finish
}

# The results of one unit test program. If it died its TAP may look complete:
# make's own result file knows.
unit_results() {
	name=$(basename "$1" .log)
	result=$(sed -n 's/^:test-result: //p' "${1%.log}.trs")
	echo "# $name"
	grep -v '^1\.\.' "$1"
	if [ "$result" != PASS ] && ! grep -q '^not ok' "$1"; then
		echo "not ok - $name ends well ($result)"
	elif ! grep -q '^ok' "$1"; then
		echo "ok - $name"
	fi
}

suite_unit() {
	status=0
	make -C "$BUILD" -j "$JOBS" -k check || status=$?
	for log in "$BUILD"/tests/unit/*.trs "$BUILD"/tests/fuzz/*.trs; do
		[ ! -e "$log" ] || unit_results "${log%.trs}.log"
	done
	[ $status = 0 ] || echo "# make check: exit status $status"
	# Without its plan, this suite counts as failed.
	[ ! -e "$BUILD/test-suite.log" ] || echo 1..
}

# A module of the tests, in namespaces of its own.
alone() {
	(cd "$COPY/tests" && DANEMAPD=$BUILD/danemapd tree/netns.sh \
		"$PYTHON" -m "$@")
}

suite_scenarios() { alone tree.scenarios "$WORK/tree"; }
suite_postfix() { alone e2e.postfix "$WORK/tree"; }
suite_examples() { alone examples "$WORK/tree"; }
suite_tool() { "$COPY/tests/tool/run.sh" "$BUILD" "$WORK/tree"; }
suite_life() { "$COPY/tests/life/run.sh" "$BUILD" ${CHAPTERS-}; }
suite_quickstart() { alone e2e.quickstart "$BUILD"; }

# A suite that stops before its plan (1..N) has failed, whatever it counted.
run_suite() {
	out=$RESULTS/$1.tap
	echo "== $1"
	"suite_$1" >"$out" 2>&1 || :
	if ! grep -q '^1\.\.' "$out"; then
		echo "not ok - $1: the suite did not run to its end" >>"$out"
		tail -n 40 "$out"
	fi
	grep -A 30 '^not ok' "$out" | grep -v '^ok' || :
	echo "   $(count ok "$out") passed, $(count 'not ok' "$out") failed"
}

count() { grep -c "^$1\b" "$2" || :; }

finish() {
	cat "$RESULTS"/*.tap >"$WORK/all" 2>/dev/null || :
	failed=$(count 'not ok' "$WORK/all")
	if [ "$failed" != 0 ]; then
		echo "== failed"
		sed -n 's/^not ok[ 0-9]*- //p' "$WORK/all"
	fi
	passed=$(count ok "$WORK/all")
	echo "$passed passed, $failed failed"
	[ "$failed" = 0 ] && [ "$passed" != 0 ]
	exit
}

make_tree() {
	(cd "$COPY/tests" && "$PYTHON" -m tree.tree make "$WORK/tree")
}

mkdir "$RESULTS"
make_ready build tree tests
quietly "signed tree" make_tree
for suite in ${*:-$SUITES}; do
	run_suite "$suite"
done
finish
