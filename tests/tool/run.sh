#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
#
# Tests danemap on the signed tree and with a running danemapd. Speaks TAP.
# Needs root (namespaces), nsd, ldns-signzone.
#
#	run.sh BUILD-FOLDER [TREE]

set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
export DANEMAPD="$build/danemapd" DANEMAP="$build/danemap"
export PYTHONDONTWRITEBYTECODE=1
cd "$here/.."
if [ $# -gt 1 ]; then
	exec tree/netns.sh /usr/bin/python3 -m tool "$2"
fi
tree=$(mktemp -d /tmp/dmt.XXXXXX)
trap 'rm -rf "$tree"' EXIT
/usr/bin/python3 -m tree.tree make "$tree"
tree/netns.sh /usr/bin/python3 -m tool "$tree"
