#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
#
# The tarball and the Debian packages: made twice, to the same bytes; looked at
# by lintian; installed, used, upgraded, removed and purged; tried by their own
# tests. Each release of Debian is fetched by debootstrap from the mirror that
# this machine's apt uses. Needs root; leaves nothing behind but packages.
#
#	run.sh [--container] [--machine] [RELEASE...]	(bookworm, trixie)
#
# --container: the service too, in a container (systemd-nspawn) where systemd is
# process 1. --machine: all once more in a virtual machine, where systemd is process 1 and the
# kernel has AppArmor.
set -eu

RELEASES="bookworm trixie"
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)
container=
machine=

[ "$(id -u)" = 0 ] || exec sudo -- "$0" "$@"

export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$PATH
while :; do
	case ${1-} in
	--container) container=yes ;;
	--machine) machine=yes ;;
	*) break ;;
	esac
	shift
done
work=$(mktemp -d /tmp/dmp.XXXXXX)
results=$work/results
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 1' HUP INT TERM
chmod 755 "$work"
: >"$results"

# report SENTENCE FAULTS
report() {
	if [ -z "$2" ]; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		echo "$2" | tail -n 60 | sed 's/^/# /'
	fi | tee -a "$results"
}

finish() {
	passed=$(grep -c '^ok' "$results" || :)
	failed=$(grep -c '^not ok' "$results" || :)
	if [ "$failed" != 0 ]; then
		echo "== failed"
		sed -n 's/^not ok[ 0-9]*- //p' "$results"
	fi
	echo "$passed passed, $failed failed"
	[ "$failed" = 0 ] && [ "$passed" != 0 ]
	exit
}

# try COMMAND...: what it said, if it failed.
try() {
	"$@" >"$work/said" 2>&1 </dev/null || {
		tail -n 60 "$work/said"
		echo "failed: $*"
	}
}

# need SENTENCE COMMAND...: without which there is no going on.
need() {
	sentence=$1
	shift
	faults=$(try "$@")
	[ -z "$faults" ] || {
		report "$sentence" "$faults"
		finish
	}
}

# tap COMMAND...: its lines of TAP are ours, and it must come to its end.
tap() {
	"$@" >"$work/tap" 2>&1 </dev/null || :
	tr -d '\r' <"$work/tap" >"$work/clean"
	grep -E '^(ok|not ok|#)' "$work/clean" |
		sed "s/^\(ok\|not ok\)[ 0-9]*-/\1 - $where:/" |
		tee -a "$results"
	grep -q '^1\.\.' "$work/clean" ||
		report "$where: ${1##*/} comes to its end" \
			"$(tail -n 40 "$work/clean")"
}

# --- in a system of another release ---

# The mirror of the release that this machine is of.
find_mirror() {
	. /etc/os-release
	apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' \
		'Created-By: Packages' |
		sed -n "s/^$VERSION_CODENAME main //p" | head -n 1
}

# chrooted NETWORK ROOT COMMAND...: in namespaces of its own, so that all that
# is mounted and started ends with it. NETWORK: shared, or none. The root is a
# mount, for those who make namespaces in there.
chrooted() {
	net=
	[ "$1" = shared ] || net=--net
	root=$2
	shift 2
	unshare --mount --pid --fork --kill-child $net sh -c '
		mount --bind "$1" "$1"
		mount -t proc proc "$1/proc"
		mount --rbind /dev "$1/dev"
		ip link set lo up
		root=$1
		shift
		exec chroot "$root" env -i PATH="$PATH" LC_ALL=C.UTF-8 \
			HOME=/root DEBIAN_FRONTEND=noninteractive "$@"' \
		sh "$root" "$@"
}

install_in() {
	root=$1
	shift
	chrooted shared "$root" apt-get -q -y --no-install-recommends install \
		"$@"
}

# A system that starts no services.
bootstrap() {
	unshare --mount debootstrap --variant=minbase "$release" "$base" \
		"$mirror" &&
		printf '#!/bin/sh\nexit 101\n' >"$base/usr/sbin/policy-rc.d" &&
		chmod 755 "$base/usr/sbin/policy-rc.d" &&
		chrooted shared "$base" apt-get -q update
}

# --- the tarball ---

# make_dist FOLDER UMASK DATE BUILD-FOLDER
make_dist() (
	umask "$2"
	mkdir -p "${1%/*}" && "$source/tests/copy-source.sh" "$1" &&
		find "$1" -exec touch -d "$3" {} + &&
		cd "$1" && autoreconf -fi &&
		mkdir -p "$1/$4" && cd "$1/$4" &&
		"$1/configure" && make dist
)

# From sources of other times, in other folders; beside the sources and apart.
make_tarball() {
	SOURCE_DATE_EPOCH=$(git -c safe.directory='*' -C "$source" log -1 \
		--format=%ct 2>/dev/null || stat -c %Y "$source/configure.ac")
	export SOURCE_DATE_EPOCH
	need 'a tarball is made' \
		make_dist "$work/one" 022 2020-02-02 .
	need 'a tarball is made apart from the sources' \
		make_dist "$work/in/another/place" 077 2021-03-04 build
	unset SOURCE_DATE_EPOCH
	tarball=$(echo "$work"/one/danemap-*.tar.gz)
	version=${tarball##*/danemap-}
	version=${version%.tar.gz}
	report 'two tarballs are the same' "$(cmp "$tarball" \
		"$work/in/another/place/build/danemap-$version.tar.gz" 2>&1)"
}

# The tarball of a tarball, with nothing said about the time.
make_tarball_again() {
	mkdir "$work/again"
	tar -xzf "$tarball" -C "$work/again"
	need 'a tarball is made from a tarball' sh -c '
		cd "$1" && ./configure && make dist' sh \
		"$work/again/danemap-$version"
	report 'a tarball makes the same tarball' "$(cmp "$tarball" \
		"$work/again/danemap-$version/danemap-$version.tar.gz" 2>&1)"
}

# Those of others can be read here, and no more.
check_recipes() {
	report 'the RPM spec can be read' \
		"$(try rpmspec -P "$source/packaging/rpm/danemap.spec")"
	report 'the APKBUILD is a shell script' \
		"$(try sh -n "$source/packaging/alpine/APKBUILD")"
	report 'RPM spec and APKBUILD are of this version' "$(
		grep -q "^Version: *$version\$" \
			"$source/packaging/rpm/danemap.spec" ||
			echo "not the spec"
		grep -q "^pkgver=$version\$" \
			"$source/packaging/alpine/APKBUILD" ||
			echo "not the APKBUILD")"
}

# --- the packages ---

# As README.source says.
lay_out() {
	mkdir -p "$1"
	cp "$tarball" "$1/danemap_$version.orig.tar.gz"
	tar -xzf "$tarball" -C "$1"
	cp -R "$source/debian" "$1/danemap-$version/"
	chrooted none "$build" chown -R builder: "/${1#"$build"/}"
}

prepare_build() {
	cp -a "$base" "$build"
	install_in "$build" build-essential faketime fakeroot lintian
	chrooted none "$build" useradd -m builder
	lay_out "$build/build/one"
	lay_out "$build/build/in/another/place"
	chrooted shared "$build" apt-get -q -y --no-install-recommends \
		build-dep "/build/one/danemap-$version"
}

# as_builder FOLDER COMMAND: without network, and as nobody in particular.
as_builder() {
	chrooted none "$build" runuser -u builder -- sh -c "
		cd '/build/$1' && $2"
}

build_one() {
	as_builder "one/danemap-$version" '
		umask 022
		DEB_BUILD_OPTIONS=parallel=2 dpkg-buildpackage -us -uc'
}

# At another time, elsewhere, with another umask and one job.
build_other() {
	as_builder "in/another/place/danemap-$version" '
		umask 002
		export TZ=Asia/Kolkata HOME=/tmp LC_ALL=C
		DEB_BUILD_OPTIONS="parallel=1 nocheck" \
			faketime "+500 days" dpkg-buildpackage -us -uc'
}

# The examples of systemd/ that the package lacks.
missing_examples() {
	dpkg-deb -c "$new" >"$work/contents"
	for file in "$source"/systemd/examples/*; do
		grep -q "/doc/danemap/examples/${file##*/}\$" \
			"$work/contents" || echo "${file##*/}"
	done
}

compare_builds() {
	n=0
	for file in "$build"/build/one/*.deb \
		"$build"/build/one/*.debian.tar.xz; do
		n=$((n + 1))
		cmp "$file" "$build/build/in/another/place/${file##*/}" 2>&1
	done
	[ $n -ge 3 ] || echo "only $n files"
}

# The package under a lower version, with another text in its configuration.
make_old() {
	dpkg-deb -R "$new" "$work/old" &&
		sed -i 's/^\(Version: .*\)/\1~before/' \
			"$work/old/DEBIAN/control" &&
		echo '# An older text.' \
			>>"$work/old/etc/danemap/danemapd.conf" &&
		dpkg-deb -b "$work/old" "$work/packages/old.deb"
	rm -rf "$work/old"
}

build_packages() {
	need "$release: what the build needs is there" prepare_build
	faults=$(try build_one)
	report "$release: the packages build, and their tests pass" "$faults"
	[ -z "$faults" ] || return 1
	report "$release: they build elsewhere and at another time" \
		"$(try build_other)"
	report "$release: to the same bytes" "$(compare_builds)"
	report "$release: lintian finds no errors and warnings" "$(
		try as_builder one 'lintian --fail-on error,warning ./*.changes')"
	rm -rf "$work/packages"
	mkdir "$work/packages"
	cp "$build"/build/one/danemap_*.deb "$work/packages/new.deb"
	new=$work/packages/new.deb
	report "$release: the examples for systemd are in" "$(missing_examples)"
	need "$release: an older package" make_old
	rm -rf --one-file-system "$build"
}

# All but the package itself.
prepare_life() {
	cp -a "$base" "$life"
	cp -R "$work/packages" "$life/packages"
	cp "$here/inside.sh" "$here/service.sh" "$life/packages/"
	install_in "$life" apparmor dns-root-data iproute2 postfix procps \
		systemd-sysv
	chrooted shared "$life" apt-get -q -y --no-install-recommends satisfy \
		"$(dpkg-deb -f "$new" Depends)"
}

# The names of the tests, and what they need besides the package.
tests_of() {
	sed -n 's/^Tests: *//p' "$source/debian/tests/control"
}

needs_of_tests() {
	tr '\n' ' ' <"$source/debian/tests/control" | tr -s ' ' |
		sed 's/Tests:/\n&/g' | sed -n 's/.*Depends: @, \(.*\) Restr.*/\1/p' |
		paste -s -d ,
}

# A copy of the source, for the tests read it.
prepare_tests() {
	chrooted shared "$life" apt-get -q -y --no-install-recommends satisfy \
		"$(needs_of_tests)"
	tar -xzf "$tarball" -C "$life/packages"
	mv "$life/packages/danemap-$version" "$life/packages/source"
	cp -R "$source/debian" "$life/packages/source/"
}

# boot machine|container ARGUMENT...: a copy, for what boots starts services.
boot() {
	how=$1
	shift
	cp -a "$life" "$life.$how"
	where="$release, $how"
	tap "$here/$how.sh" "$life.$how" "$@"
	rm -rf --one-file-system "$life.$how"
}

try_tests() {
	need "$release: the package is there to be tested" \
		install_in "$life" /packages/new.deb
	for test in $(tests_of); do
		faults=$(try chrooted none "$life" sh -c "
			cd /packages/source && debian/tests/$test")
		skipped=$(grep '^SKIP: ' "$work/said" || :)
		[ -z "$skipped" ] || faults=
		passes="passes${skipped:+ # $skipped}"
		report "$release: the test $test of the package $passes" \
			"$faults"
	done
}

try_release() {
	base=$work/$release
	build=$work/build
	life=$work/life
	need "debootstrap makes a $release" bootstrap
	build_packages || return 0
	need "$release: what the package needs is there" prepare_life
	where=$release
	tap chrooted none "$life" /packages/inside.sh /packages/old.deb \
		/packages/new.deb
	need "$release: what the tests of the package need is there" \
		prepare_tests
	[ -z "$container" ] || boot container
	# Too slow for the test with Postfix, which runs outside of it.
	[ -z "$machine" ] || boot machine installed
	try_tests
	rm -rf --one-file-system "$base" "$life"
}

need packages "$source/tests/install-packages.sh" build packages \
	${container:+container} ${machine:+machine}
mirror=$(find_mirror)
[ -n "$mirror" ] || {
	apt-get -q update >/dev/null
	mirror=$(find_mirror)
}
make_tarball
make_tarball_again
check_recipes
for release in ${*:-$RELEASES}; do
	try_release
done
finish
