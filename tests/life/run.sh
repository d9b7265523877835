#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
#
# Tests how danemapd lives: killed, stopped, reloaded, abused, without DNS, with
# a spoilt cache. Speaks TAP. Needs root (namespaces), nsd, ldns-signzone.
#
#	run.sh BUILD-FOLDER [--hours N] [--seed S] [CHAPTER[.TEST]...]

set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
shift
[ -x "$build/danemapd" ] || {
	echo "run.sh: there is no danemapd in $build" >&2
	exit 2
}
export DANEMAPD="$build/danemapd" PYTHONPATH="$here/.."
export PYTHONDONTWRITEBYTECODE=1
exec /usr/bin/python3 -m life "$@"
