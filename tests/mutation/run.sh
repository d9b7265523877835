#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
#
# Changes one operator or constant of src/policy and src/cache at a time, and
# says which changes no unit test notices; see README. Works on a copy of this
# checkout in a temporary folder. Exit status 1 if fewer than 90 percent of the
# changes of a room are noticed.
#
#	run.sh [--sample N] [--seed S] [--jobs N] [ROOM|FILE...]

set -eu

TESTS=$(cd "$(dirname "$0")/.." && pwd)

export LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
WORK=$(mktemp -d /tmp/dm.XXXXXX)
trap 'rm -rf "$WORK"' EXIT
trap 'exit 1' HUP INT TERM

"$TESTS/copy-source.sh" "$WORK/source"
(cd "$WORK/source" && autoreconf -fi) >"$WORK/said" 2>&1 || {
	cat "$WORK/said"
	exit 1
}
cd "$WORK/source/tests"
/usr/bin/python3 -m mutation --folder "$WORK" "$@"
