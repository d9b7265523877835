#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
#
# Runs a command in namespaces of its own: a network that ends at this machine,
# in which the documentation addresses are local, and a process tree that ends
# with the command. Nothing outside notices.
#
#	netns.sh COMMAND [ARGUMENT...]

set -eu

if [ "${1-}" != --inside ]; then
	exec unshare --net --mount --pid --fork --mount-proc --kill-child \
		"$0" --inside "$@"
fi
shift
ip link set lo up
ip route add local 192.0.2.0/24 dev lo
ip route add local 198.51.100.0/24 dev lo
ip -6 route add local 2001:db8::/32 dev lo 2>/dev/null ||
	echo "netns.sh: no IPv6 here" >&2
# As the last command of all, this shell stays to end what it leaves behind.
"$@"
