#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
#
# The life of the Debian package on a system that nobody minds: installed, used,
# changed by its administrator, upgraded, removed, purged. Where systemd runs,
# the service is started by the package; elsewhere by hand. Speaks TAP.
#
#	inside.sh OLD.deb NEW.deb
set -u

old=$1
new=$2
conf=/etc/danemap/danemapd.conf
rules=/etc/danemap/policy
cache=/run/danemapd/cache
queue=/var/spool/postfix/danemap
socket=$queue/policy.sock
work=$(mktemp -d)
complaints=$work/postmap
pid=
n=0

export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
trap 'stop; rm -rf "$work"' EXIT

report() {
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		echo "$2" | sed 's/^/# /'
	fi
}

is_booted() { [ -d /run/systemd/system ]; }

# What a command said, if it failed.
try() {
	"$@" >"$work/said" 2>&1 || {
		tail -n 20 "$work/said"
		echo "failed: $*"
	}
}

apt() {
	try apt-get -q -y --allow-downgrades -o Dpkg::Options::=--force-confold \
		"$@"
}

# wait_for COMMAND...: says if it did not come true within a minute.
wait_for() {
	for _ in $(seq 600); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.1
	done
	echo "in vain: $*"
}

said() {
	if is_booted; then
		journalctl --no-pager -q -o cat -u danemapd
	else
		cat "$work/log" 2>/dev/null
	fi
}

start() {
	if ! is_booted; then
		danemapd >>"$work/log" 2>&1 &
		pid=$!
	fi
	wait_for answers '[192.0.2.1]' ''
	wait_for [ -S /run/danemapd/control.sock ]
}

# By the id that we know, or by systemd.
stop() {
	if is_booted; then
		systemctl stop danemapd.socket danemapd.service 2>/dev/null
	elif [ -n "$pid" ]; then
		kill "$pid" && wait "$pid"
		pid=
	fi
}

# Postfix's own client: 1 is "not found", which is an answer.
answers() {
	found=$(timeout 60 postmap -q "$1" "socketmap:unix:$socket:dane" \
		2>"$complaints")
	[ $? -le 1 ] && [ ! -s "$complaints" ] && [ "$found" = "$2" ]
}

ask() {
	answers "$1" "$2" || echo "$1 is answered \"$found\", not \"$2\""
}

# mode PATH WANTED: mode, owner and group.
mode() {
	is=$(stat -c '%a %U:%G' "$1" 2>&1)
	[ "$is" = "$2" ] || echo "$1: $is, not $2"
}

gone() {
	for path; do
		[ ! -e "$path" ] || ls -ld "$path"
	done
}

there() {
	for path; do
		[ -e "$path" ] || echo "there is no $path"
	done
}

# Everything but what a package manager, a log or a running system changes. The
# lines that dh_apparmor adds take empty folders of AppArmor along.
list_files() {
	find / -xdev '(' -path /proc -o -path /sys -o -path /dev -o \
		-path /tmp -o -path "$work" -o -path '/var/lib/dpkg/*' -o \
		-path '/var/lib/apt/*' -o -path '/var/log/*' -o \
		-path '/var/cache/*' -o -path '/var/lib/systemd/*' -o \
		-path '/run/*' -o -path /etc/apparmor.d/disable -o \
		-path '/var/tmp/*' -o -path '/var/spool/postfix/*/*' -o \
		-path '/etc/*-' \
		')' -prune -o -print | sort
}

check_files() {
	mode /usr/sbin/danemapd '755 root:root'
	mode /usr/bin/danemap '755 root:root'
	mode /etc/danemap '755 root:root'
	mode $conf '644 root:root'
	mode /etc/apparmor.d/usr.sbin.danemapd '644 root:root'
	mode /etc/apparmor.d/local/usr.sbin.danemapd '644 root:root'
	mode /run/danemapd '755 danemap:danemap'
	for page in man1/danemap.1 man5/danemapd.conf.5 man5/danemap-policy.5 \
		man8/danemapd.8; do
		mode /usr/share/man/$page.gz '644 root:root'
	done
	dpkg -L danemap | grep -c '/systemd/system/danemapd\.' |
		grep -qx 2 || echo "there are no units"
	dpkg -V danemap
}

check_user() {
	getent passwd danemap |
		grep -q '^danemap:[^:]*:[0-9]*:[0-9]*:.*:/.*/nologin$' ||
		getent passwd danemap
	getent group danemap | grep -q '^danemap:[^:]*:[0-9]*:$' ||
		getent group danemap
}

check_enabled() {
	for unit in danemapd.service danemapd.socket; do
		[ "$(systemctl is-enabled $unit)" = enabled ] ||
			echo "$unit is not enabled"
	done
}

# Processes, sockets and cache of the daemon that runs.
check_running() {
	mode $socket '660 root:postfix'
	mode /run/danemapd/control.sock '600 danemap:danemap'
	mode $cache '600 danemap:danemap'
	for one in $(pidof danemapd); do
		grep -q "^Uid:.*$(id -u danemap)\$" /proc/"$one"/status &&
			grep -q '^CapPrm:.*0000000000$' /proc/"$one"/status ||
			grep -E '^(Name|Uid|CapPrm)' /proc/"$one"/status
	done
	[ "$(pidof danemapd | wc -w)" -ge 4 ] || echo "processes are missing"
}

is_confined() {
	for one in $(pidof danemapd); do
		grep -q '^danemapd (enforce)$' "/proc/$one/attr/current" ||
			cat "/proc/$one/attr/current"
	done
}

# Rules are read at a reload alone, so that the answer shows that there was one.
administrate() {
	echo 'relay.example secure match=mx.relay.example' >$rules
	sed -i "s|^#policy_file =.*|policy_file = $rules|" $conf
	sed -i 's/^#log_level =.*/log_level = debug/' $conf
	grep -c "^policy_file = $rules\$\|^log_level = debug\$" $conf |
		grep -qx 2 || echo "parameters are not in it"
	try danemapd -t
	try danemap reload
	ask relay.example 'secure match=mx.relay.example'
}

# Under systemd's own filters as well.
check_sandbox() {
	said | grep -q 'confined: seccomp=yes' || echo "not one has"
	said | grep 'confined: seccomp=no'
}

# Asks without an end, and keeps what went wrong.
keep_asking() {
	complaints=$work/postmap.asker
	asked=0
	while [ -e "$work/asking" ]; do
		asked=$((asked + 1))
		answers '[192.0.2.1]' '' || cat "$complaints"
	done
	[ $asked -gt 2 ] || echo "it has hardly asked"
}

# As danemapd(8) says under REPLACING, where there is no systemd.
replace() {
	predecessor=$pid
	danemapd --replace >>"$work/log" 2>&1 &
	pid=$!
	wait "$predecessor"
}

upgrade() {
	: >"$work/asking"
	keep_asking >"$work/failures" 2>&1 &
	asker=$!
	apt install "$new"
	is_booted || replace
	wait_for answers '[192.0.2.1]' ''
	rm "$work/asking"
	wait $asker
}

check_upgrade() {
	[ "$(dpkg-query -W -f '${Version}' danemap)" = \
		"$(dpkg-deb -f "$new" Version)" ] || dpkg-query -W danemap
	[ "$(sha256sum <$conf)" = "$configured" ] ||
		echo "$conf is not as it was"
	ask relay.example 'secure match=mx.relay.example'
}

# The same file, and not one that a start made anew.
check_cache() {
	[ "$(stat -c %i $cache)" = "$inode" ] || echo "it is another file"
	said | grep 'starts empty'
}

check_removed() {
	gone /usr/sbin/danemapd /usr/bin/danemap /usr/share/doc/danemap
	there $conf $rules $cache /etc/apparmor.d/usr.sbin.danemapd
	[ -z "$(pidof danemapd)" ] || echo "it runs on"
	getent passwd danemap >/dev/null || echo "its user is gone"
}

# Policy of Debian: users stay, for files may be theirs.
check_purged() {
	gone /etc/danemap /run/danemapd $queue \
		/etc/apparmor.d/usr.sbin.danemapd \
		/etc/apparmor.d/local/usr.sbin.danemapd
	list_files | diff "$work/before" - | grep '^[<>]'
	getent passwd danemap >/dev/null || echo "its user is gone"
}

denials() {
	dmesg | grep -E 'apparmor="DENIED".*profile="danemapd"'
}

list_files >"$work/before"
report 'an older package installs' "$(apt install "$old")"
report 'its files are there, and whose they should be' "$(check_files)"
report 'it has a user who cannot log in' "$(check_user)"
report 'danemapd -t finds nothing wrong' "$(try danemapd -t)"
if is_booted; then
	report 'its units are enabled' "$(check_enabled)"
fi
start >"$work/start"
report 'danemapd starts and answers' "$(cat "$work/start")"
report 'it has given up root, and its sockets and cache are its own' \
	"$(check_running)"
if is_booted; then
	report 'all of it is confined by AppArmor' "$(is_confined)"
fi
report 'a changed configuration is put to work' "$(administrate)"
report 'its children have locked themselves in' "$(check_sandbox)"
configured=$(sha256sum <$conf)
inode=$(stat -c %i $cache)
upgrade >"$work/upgrade"
report 'the new package upgrades it' "$(cat "$work/upgrade")"
report 'no question failed meanwhile' "$(cat "$work/failures")"
report 'the configuration is as it was left' "$(check_upgrade)"
report 'the cache is the one there was' "$(check_cache)"
is_booted || stop
report 'it is removed' "$(apt remove danemap)"
report 'without it, configuration and cache stay' "$(check_removed)"
rm $rules
report 'it is purged' "$(apt purge danemap)"
report 'nothing is left but its user' "$(check_purged)"
report 'it installs again' "$(apt install "$new")"
start >"$work/start"
report 'and starts again' "$(cat "$work/start")"
is_booted || stop
report 'it is purged while it is there' "$(apt purge danemap)"
report 'nothing is left but its user, again' "$(check_purged)"
if is_booted; then
	report 'AppArmor denied it nothing' "$(denials)"
fi
echo "1..$n"
