#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
#
# The limits in src/README against the sources: each constant there is one, with
# the value that the table gives it. Speaks TAP. srcdir is the top of the
# source.
set -eu

source=${srcdir:-.}/src
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0
failed=0

report() {
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
	else
		failed=1
		echo "not ok $n - $1"
		echo "$2" | sed 's/^/# /'
	fi
}

# NAME VALUE, one a line: of "A_MAX, B_MAX  48, 16" two. The value is - where
# the table has words.
table() {
	sed '1,/^Limits$/d' "$source/README" | awk -F'  +' '
	$2 ~ /^[A-Z]/ && /^      [A-Z]/ {
		names = split($2, name, ", ")
		split($3, value, ", ")
		for (i = 1; i <= names; i++) {
			split(value[i], part, " ")
			number = part[1]
			gsub(",", "", number)
			if (part[2] == "KiB")
				number *= 1024
			if (part[2] == "MiB")
				number *= 1048576
			print name[i], number ~ /^[0-9]+$/ ? number : "-"
		}
	}'
}

# All constants as NAME EXPRESSION, which the shell can reckon with.
constants() {
	find "$source" -name '*.[ch]' -exec sed -n '
		/^#define [A-Z]/ {
			s|//.*||
			s|\([0-9]\)[uU]\>|\1|g
			s|^#define \([A-Z][A-Z0-9_]*\)[ 	][ 	]*|\1 |p
		}' {} +
}

expression() { sed -n "s/^$1 //p" "$work/constants" | head -n 1; }

# Of NAME, through those that it is made of; fails where there is none.
value() (
	sum=$(expression "$1")
	[ -n "$sum" ] || exit 1
	while part=$(echo "$sum" | grep -o '[A-Z][A-Z0-9_]*' | head -n 1) &&
		[ -n "$part" ]; do
		sum=$(echo "$sum" | sed "s/\<$part\>/($(expression "$part"))/g")
	done
	echo $(($sum))
)

wrong_values() {
	while read -r name wanted; do
		found=$(value "$name") || found=nothing
		case $name,$wanted,$found in
		_*) ;; # the end of a name
		*,*,nothing) echo "$name is nowhere in the sources" ;;
		*,-,* | *,"$found","$found") ;;
		*) echo "$name is $found, and in README $wanted" ;;
		esac
	done <"$work/table"
}

table >"$work/table"
constants >"$work/constants"
report 'the table of limits can be read' \
	"$([ "$(wc -l <"$work/table")" -ge 50 ] || cat "$work/table")"
report 'each limit has the value that the table gives it' "$(wrong_values)"
echo "1..$n"
[ $failed = 0 ]
