#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
#
# Installs the Debian packages that are missing for the purposes named, and
# starts none of their services.
#
#	install-packages.sh build|tree|tests|valgrind|fuzz...
#
# build: to compile; tree: to serve the signed tree; tests: all the rest that
# tests/run.sh uses; valgrind: sanitize.sh; fuzz: fuzz/run.sh; packages, machine:
# packages/run.sh.

set -eu

PACKAGES_build="gcc make autoconf automake pkg-config libc6-dev libunbound-dev
	libevent-dev libssl-dev libidn2-dev libsystemd-dev
	libseccomp-dev libjansson-dev"
PACKAGES_tree="nsd ldnsutils openssl python3 python3-dnspython iproute2
	util-linux"
PACKAGES_tests="libcmocka-dev postfix postfix-lmdb unbound binutils mandoc
	apparmor systemd"
PACKAGES_fuzz="clang llvm libclang-rt-dev afl++"

# These bring services, which are nobody's wish here.
SERVERS="nsd unbound postfix"

POLICY=/usr/sbin/policy-rc.d

is_installed() {
	dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null |
		grep -qx installed
}

missing_for() {
	for purpose; do
		case $purpose in
		build) list=$PACKAGES_build ;;
		tree) list=$PACKAGES_tree ;;
		tests) list=$PACKAGES_tests ;;
		valgrind) list=valgrind ;;
		fuzz) list=$PACKAGES_fuzz ;;
		packages) list="debootstrap debian-archive-keyring rpm" ;;
		container) list=systemd-container ;;
		machine) list="cpio qemu-system-x86" ;;
		*)
			echo "install-packages.sh: build, tree, tests," \
				"valgrind or fuzz, not $purpose" >&2
			exit 64
			;;
		esac
		for package in $list; do
			is_installed "$package" || echo "$package"
		done
	done
}

# policy-rc.d answers 101 ("not allowed") for the time of the installation.
forbid_services() {
	if [ -e $POLICY ]; then
		mv $POLICY $POLICY.danemap-saved
	fi
	printf '#!/bin/sh\nexit 101\n' >$POLICY
	chmod 755 $POLICY
}

allow_services() {
	rm -f $POLICY
	if [ -e $POLICY.danemap-saved ]; then
		mv $POLICY.danemap-saved $POLICY
	fi
}

# Nor at the next boot. Only for what was not there before.
disable_new_servers() {
	command -v systemctl >/dev/null || return 0
	for package; do
		case " $SERVERS " in
		*" $package "*)
			systemctl disable --quiet "$package" 2>/dev/null || :
			;;
		esac
	done
}

missing=$(missing_for "$@")
[ -n "$missing" ] || exit 0
[ "$(id -u)" = 0 ] || exec sudo -- "$0" "$@"
echo "installing" $missing
export DEBIAN_FRONTEND=noninteractive
trap allow_services EXIT
trap 'exit 1' HUP INT TERM
forbid_services
apt-get -q update >/dev/null ||
	echo "install-packages.sh: package lists are old" >&2
apt-get -q install -y --no-install-recommends $missing >/dev/null
disable_new_servers $missing
