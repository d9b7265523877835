#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
#
# The suites of run.sh with a checker inside or beneath danemapd. Does its own
# set-up, as run.sh does, and ends with its last line and with what the checker
# reported; exit status 1 if either has something to say.
#
#	sanitize.sh address|valgrind [SUITE...]
#
# address: AddressSanitizer and UndefinedBehaviorSanitizer, in all suites.
# valgrind: memory, leaks and descriptors of danemapd, in those end to end.
# ThreadSanitizer has nothing to look at: no process of danemap has a second
# thread, which a test of tests/life/confinement.py holds it to.
#
# The processes are not confined here: a checker wants calls and files of its
# own. What is confined has its tests elsewhere.

set -eu

TESTS=$(cd "$(dirname "$0")" && pwd)
KIND=${1-}

[ "$(id -u)" = 0 ] || exec sudo -- "$0" "$@"

case $KIND in
address)
	PACKAGES=
	DEFAULT="unit scenarios postfix tool life"
	CFLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined"
	CFLAGS="$CFLAGS -fno-sanitize-recover=all"
	# Fortified calls are not those that tests refuse, and a sanitizer
	# hides from gcc how long a text can be.
	CFLAGS="$CFLAGS -U_FORTIFY_SOURCE -Wno-format-truncation"
	;;
valgrind)
	PACKAGES=valgrind
	DEFAULT="scenarios postfix"
	CFLAGS="-O1 -g"
	;;
*)
	echo "usage: sanitize.sh address|valgrind [SUITE...]" >&2
	exit 64
	;;
esac
shift

REPORTS=$(mktemp -d /tmp/dmsan.XXXXXX)
trap 'rm -rf "$REPORTS"' EXIT
trap 'exit 1' HUP INT TERM
# Whoever danemapd becomes writes here.
chmod 1777 "$REPORTS"

# Puts a command in front of the danemapd of a build (run.sh calls it).
# A process that has become another user cannot be traced, and the search for
# leaks is a trace: those of danemapd are looked for by valgrind.
cat >"$REPORTS/wrap" <<EOF
#!/bin/sh
mv "\$1/danemapd" "\$1/danemapd-checked"
cp "$REPORTS/front" "\$1/danemapd"
EOF
{
	echo '#!/bin/sh'
	# -t warns of it, and starts nothing.
	echo 'sandbox="-o sandbox=no"'
	echo 'case " $* " in *" -t "*) sandbox= ;; esac'
	echo 'export ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0"'
	printf 'exec '
	[ $KIND = address ] ||
		printf '%s ' valgrind --track-fds=yes --leak-check=full \
			--errors-for-leak-kinds=definite,indirect \
			"--log-file=$REPORTS/report.%p"
	echo '"$(dirname "$0")/danemapd-checked" $sandbox "$@"'
} >"$REPORTS/front"
chmod 755 "$REPORTS/wrap" "$REPORTS/front"

[ -z "$PACKAGES" ] || "$TESTS/install-packages.sh" "$KIND"
export CFLAGS WRAP="$REPORTS/wrap" PATIENCE=4
export CHAPTERS="processes outage cachefile ageing reloads clients idle command
	activation succession wallclock liars anchors"
export ASAN_OPTIONS="log_path=$REPORTS/report"
export UBSAN_OPTIONS="print_stacktrace=1"
status=0
"$TESTS/run.sh" ${*:-$DEFAULT} || status=1
/usr/bin/python3 "$TESTS/sanitize.py" "$REPORTS" || status=1
exit $status
