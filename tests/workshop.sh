# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
#
# Where the tests are made ready, read by run.sh and soak.sh: root, a temporary
# folder that goes at the end, the packages that are missing, and a build of a
# copy of this checkout. Who reads it has set SOURCE, the checkout, and has a
# function `give_up NAME` for a step that failed.

[ "$(id -u)" = 0 ] || exec sudo -- "$0" "$@"

JOBS=$(nproc)
PYTHON=/usr/bin/python3

export LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$PATH
WORK=$(mktemp -d /tmp/dm.XXXXXX)
trap 'rm -rf "$WORK"' EXIT
trap 'exit 1' HUP INT TERM
chmod 755 "$WORK"
COPY=$WORK/source
BUILD=$WORK/build

# Joined by &&: `set -e` sleeps in a function whose status is looked at.
build() {
	"$SOURCE/tests/copy-source.sh" "$COPY" &&
		mkdir "$BUILD" &&
		(cd "$COPY" && autoreconf -fi) &&
		(cd "$BUILD" && "$COPY/configure" --enable-werror \
			--localstatedir=/var --sysconfdir=/etc) &&
		make -C "$BUILD" -j "$JOBS" all bench-programs &&
		${WRAP:-:} "$BUILD"
}

# quietly NAME COMMAND...: shows what a command said only if it failed.
quietly() {
	name=$1
	shift
	echo "== $name"
	"$@" >"$WORK/said" 2>&1 && return
	tail -n 60 "$WORK/said"
	give_up "$name"
}

# make_ready PURPOSE...: of install-packages.sh.
make_ready() {
	quietly "packages" "$SOURCE/tests/install-packages.sh" "$@"
	quietly "build" build
}
