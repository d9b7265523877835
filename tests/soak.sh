#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
#
# Those tests of life that try their luck, for hours: kills, spoilt caches,
# reloads, restarts, garbage, and more names than any cache holds. On a fresh
# Debian 12, as root or by sudo: installs what is missing and builds like
# run.sh. Speaks TAP, with what each test counted, and names its seed.
#
#	soak.sh [--hours N] [--seed S] [CHAPTER[.TEST]...]

set -eu

SOURCE=$(cd "$(dirname "$0")/.." && pwd)
# The last of two counts.
set -- --hours 1 "$@"
. "$SOURCE/tests/workshop.sh"

give_up() {
	echo "soak.sh: $1 failed" >&2
	exit 1
}

make_ready build tree
"$COPY/tests/life/run.sh" "$BUILD" "$@"
