#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
#
# The AppArmor profile as apparmor_parser reads it: without fault, and with a
# rule for each path that the program names by itself. Where the kernel has
# AppArmor and this is root, it is tried under another name, on a copy of the
# program. Speaks TAP.
set -eu

source=${srcdir:-.}
profile=$source/apparmor/usr.sbin.danemapd
features=/etc/apparmor.d/abi/3.0
kernel=/sys/kernel/security/apparmor
n=0
status=0

report() {
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
	else
		status=1
		echo "not ok $n - $1"
		echo "$2" | sed 's/^/# /'
	fi
}

# Every warning counts, but for the one that this kernel cannot be asked.
compile() {
	apparmor_parser -Q -K -T -M "$features" --Werror=all "$profile" 2>&1 |
		grep -v 'interface file missing' || :
}

# Lines "REGULAR-EXPRESSION PERMISSIONS". A variable that is not known here
# matches nothing.
flatten() {
	apparmor_parser -p "$profile" 2>/dev/null | sed -n '
		s|@{run}|{/,/var/}run/|g
		s|@{PROC}|/proc/|g
		s|^ *\([/{][^ ]*\) \{1,\}\([a-zA-Z]*\),.*|\1 \2|p' |
		sed '
		s|^\([^ ]*\)//*/|\1/|g
		s|[.+]|\\&|g
		s|{|(|g; s|}|)|g; s#,#|#g
		s#(|\([^()]*\))#(\1)?#g
		s#(\([^()]*\)|)#(\1)?#g
		s|\*\*|\x01|g; s|\*|[^/]*|g; s|\x01|.+|g'
}

# allowed PATH: the letters of all rules that match.
allowed() {
	path=$1 awk '
	ENVIRON["path"] ~ ("^" $1 "$") { all = all $2 }
	END { print all }' "$work/rules"
}

# need LETTERS PATH: says which are missing.
need() {
	has=$(allowed "$2")
	for letter in $(echo "$1" | sed 's/./& /g'); do
		case $has in
		*"$letter"*) ;;
		*) echo "$2 lacks $letter" ;;
		esac
	done
}

default_of() {
	./danemapd -c /dev/null -nn | sed -n "s/^$1 = //p"
}

# A socket is made under another name beside its own.
need_socket() {
	folder=${1%/*}
	need rw "$1"
	need rw "$folder/.1a2b"
	need w "$folder/"
}

need_cache() {
	for end in '' .lock .new .saved.1; do
		need rwk "$1$end"
	done
	need w "${1%/*}/"
}

# What of danemapd's own paths is in no rule: as a file, or as a folder of
# certificates.
need_literals() {
	grep -ohE '"/[a-z][^"% ]*"' \
		"$source"/src/base/*.[ch] "$source"/src/cache/*.[ch] \
		"$source"/src/dns/*.[ch] "$source"/src/parent/*.[ch] \
		"$source"/src/resolver/*.[ch] "$source"/src/danemapd.c |
		tr -d '"' | sort -u | grep -v '^/danemap/' >"$work/literals"
	grep -q boot_id "$work/literals" || echo "no paths found in src"
	while read -r path; do
		found=
		for end in '' /x /certs/x /trust/anchors/x; do
			found=$found$(allowed "$path$end")
		done
		[ -n "$found" ] || echo "$path is in no rule"
	done <"$work/literals"
}

has_kernel() {
	[ "$(id -u)" = 0 ] && [ -w $kernel/.replace ] &&
		[ "$(cat /sys/module/apparmor/parameters/enabled)" = Y ]
}

# The profile with another name, for a copy of the program.
load_copy() {
	cp ./danemapd "$work/danemapd"
	sed "s|^profile danemapd [^ ]*|profile $name $work/danemapd|
		s|/usr/{,local/}{,s}bin/danemapd mr|$work/danemapd mr|" \
		"$profile" >"$work/$name"
	apparmor_parser -K -T -a "$work/$name"
	loaded=$work/$name
}

# Standard output is a pipe: another file would have to have a rule.
printed() {
	"$work/danemapd" "$@" 2>&1 | cat
}

confined() {
	printed -nn | grep -q '^workers = auto$' ||
		echo "it does not print its defaults"
}

refuses() {
	echo 'workers = 3' >"$work/conf"
	printed -c "$work/conf" -n | grep -q 'Permission denied' ||
		echo "it read a file that no rule names"
}

if ! command -v apparmor_parser >/dev/null || [ ! -e $features ]; then
	echo "1..0 # SKIP there is no apparmor_parser"
	exit 0
fi
work=$(mktemp -d)
name=danemap-test-$$
loaded=
trap '[ -z "$loaded" ] || apparmor_parser -R "$loaded"; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
report 'the profile is without fault' "$(compile)"
flatten >"$work/rules"
report 'it has the default socket' \
	"$(need_socket "$(default_of listen | sed 's/^unix:\([^:]*\).*/\1/')")"
report 'it has the default control socket' \
	"$(need_socket "$(default_of control_socket)")"
report 'it has the default cache' "$(need_cache "$(default_of cache_file)")"
report 'it has the default configuration' "$(need r "/etc$(
	sed -n 's/.*CONF_DEFAULT_FILE SYSCONFDIR "\(.*\)"/\1/p' \
		"$source/src/base/conf.h")")"
report 'it has each path that the program names' "$(need_literals)"
report 'it has no rule for what is nobody'\''s business' "$(
	for path in /etc/shadow /root/x /home/x/y /var/spool/postfix/active/x; do
		[ -z "$(allowed $path)" ] || echo "$path: $(allowed $path)"
	done)"
if has_kernel; then
	load_copy
	report 'under it danemapd starts' "$(confined)"
	report 'under it danemapd reads no file without a rule' "$(refuses)"
fi
echo "1..$n"
exit $status
