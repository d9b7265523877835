#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
#
# The order of the house, held to its words: who includes whom (the table in
# src/README), which file alone knows a foreign library, that the pure room
# links nothing impure, and that every file says whose it is. Speaks TAP. Reads
# the sources under $srcdir and the library built below the working directory.

set -u
LC_ALL=C
export LC_ALL

srcdir=${srcdir:-.}
nm=${NM:-nm}
pure_library=src/policy/libpolicy.a
tab=$(printf '\t')

# Headers of the C library and the kernel; all others are foreign.
libc='^(assert|ctype|dirent|endian|errno|fcntl|getopt|grp|ifaddrs|inttypes|limits|locale|malloc|math|netdb|poll|pwd|resolv|sched|setjmp|signal|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|string|strings|sysexits|syslog|termios|time|unistd|wchar)[.]h$|^(arpa|linux|net|netinet|sys)/'

# thin LIBRARY: the only files that may include its headers.
thin() {
	case $1 in
	unbound) echo src/dns/dns.c ;;
	openssl) echo src/x509/x509.c ;;
	idn2) echo src/base/idn.c ;;
	jansson) echo src/tool/object.c ;;
	systemd) echo src/base/systemd.c src/base/log.c ;;
	seccomp) echo src/base/sandbox.c ;;
	esac
}

# What the pure room may link: memory, strings, text of addresses, and text
# into a buffer. Fortified names (__memcpy_chk) count as their plain ones.
pure='bcmp inet_ntop inet_pton memchr memcmp memcpy memmove memrchr memset'
pure="$pure snprintf strcmp strlen strncasecmp strnlen strspn vsnprintf"

# What compilers add: stack protector, sanitizers, coverage.
added='^(__stack_chk_fail|_GLOBAL_OFFSET_TABLE_|__(asan|ubsan|tsan|msan|hwasan|sanitizer|sancov|gcov|gcc|llvm|cyg)_.*)$'

n=0
failed=0

# report SENTENCE FAULTS: one line of TAP; faults, one a line, make it fail.
report() {
	n=$((n + 1))
	if [ -z "$2" ]; then
		printf 'ok %d - %s\n' "$n" "$1"
		return
	fi
	failed=$((failed + 1))
	printf 'not ok %d - %s\n' "$n" "$1"
	printf '%s\n' "$2" | sed 's/^/# /'
}

# The table of src/README as ROOM, ROOMS IT MAY INCLUDE, FOREIGN, with tabs.
table() {
	awk '
	/^ +room  +may include  +foreign$/ { in_table = 1; next }
	in_table && NF == 0 { exit }
	in_table {
		sub(/^ +/, "")
		if (split($0, column, /  +/) == 3)
			print column[1] "\t" column[2] "\t" column[3]
		else
			print "*\t" $0
	}' "$srcdir/src/README"
}

# All includes as ROOM, FILE, FORM (" or <), HEADER, with tabs. The room of a
# file that lies in src itself is the file.
includes() {
	find "$srcdir/src" -name '*.[ch]' | sort | while read -r path; do
		file=src/${path#"$srcdir/src/"}
		room=${file#src/}
		awk -v file="$file" -v room="${room%%/*}" '
		/^[ \t]*#[ \t]*include/ {
			sub(/^[ \t]*#[ \t]*include[ \t]*/, "")
			form = substr($0, 1, 1)
			match(substr($0, 2), /[">]/)
			print room "\t" file "\t" form "\t" \
			    substr($0, 2, RSTART - 1)
		}' "$path"
	done
}

rooms=$(table)
found=$(includes)

# Rooms that there are, as folders of src with sources in them.
folders() {
	printf '%s\n' "$found" | awk -F"$tab" '$1 !~ /\./ { print $1 }' |
		sort -u
}

# The row of a room, one column of it.
column() {
	printf '%s\n' "$rooms" | awk -F"$tab" -v room="$1" -v i="$2" \
		'$1 == room { print $i }'
}

# Includes of ROOM in quotes that are neither config.h nor of ALLOWED rooms.
strangers() {
	printf '%s\n' "$found" | awk -F"$tab" -v room="$1" -v allowed="$2" '
	BEGIN { split(allowed, name, " "); for (i in name) may[name[i]] = 1 }
	$1 == room && $3 == "\"" && $4 != "config.h" {
		split($4, part, "/")
		if ($4 !~ /\// || !(part[1] in may))
			print $2 " includes " $4
	}'
}

# The library of each foreign header: "event2/event.h" is event2,
# "unbound-event.h" is unbound.
foreign() {
	printf '%s\n' "$found" | awk -F"$tab" -v libc="$libc" '
	$3 == "<" && $4 !~ libc {
		library = $4
		sub(/[\/.-].*/, "", library)
		print $1 "\t" $2 "\t" $4 "\t" library
	}'
}

foreigners() {
	foreign | awk -F"$tab" -v room="$1" -v allowed="$2" '
	BEGIN { split(allowed, name, " "); for (i in name) may[name[i]] = 1 }
	$1 == room && !($4 in may) { print $2 " includes " $3 }'
}

test_table() {
	faults=$(for room in $(folders); do
		[ -n "$(column "$room" 2)" ] ||
			echo "src/README has no row for src/$room"
	done)
	[ -n "$(folders)" ] || faults="no sources below $srcdir/src"
	report 'every room has its row in src/README' "$faults"
}

test_rooms() {
	for room in $(folders); do
		report "$room includes no room that it may not know" \
			"$(strangers "$room" "$(column "$room" 2)")"
		report "$room includes no library that it may not know" \
			"$(foreigners "$room" "$(column "$room" 3)")"
	done
}

# The programs beside the rooms may include every room.
test_top() {
	files=$(column '*' 2 | sed 's/:.*//; s/,/ /g')
	faults=$(printf '%s\n' "$found" | awk -F"$tab" -v files="$files" '
	BEGIN { split(files, name, " "); for (i in name) may[name[i]] = 1 }
	$1 ~ /\./ && !($1 in may) { print $2 " lies in no room" }' | sort -u)
	report 'only the programs lie outside the rooms' "$faults"
}

test_thin() {
	for library in unbound openssl idn2 jansson systemd seccomp; do
		files=$(thin "$library")
		report "$library is known to $files alone" "$(foreign |
			awk -F"$tab" -v library="$library" -v files="$files" '
		BEGIN { split(files, name, " "); for (i in name) may[name[i]] = 1 }
		$4 == library && !($2 in may) { print $2 " includes " $3 }')"
	done
}

# Names that the pure room takes from elsewhere and may not.
impure() {
	{
		"$nm" -P --defined-only "$pure_library" | sed 's/^/D /'
		"$nm" -P -u "$pure_library" | sed 's/^/U /'
	} | awk -v pure="$pure" -v added="$added" '
	BEGIN { split(pure, name, " "); for (i in name) may[name[i]] = 1 }
	NF < 3 { next }
	$1 == "D" { ours[$2] = 1 }
	$1 == "U" && $2 !~ added { wanted[$2] = 1 }
	END {
		for (symbol in wanted) {
			plain = symbol
			if (plain ~ /^__.*_chk$/) {
				sub(/^__/, "", plain)
				sub(/_chk$/, "", plain)
			}
			if (!(symbol in ours) && !(plain in may))
				print "policy links " symbol
		}
	}' | sort
}

test_pure() {
	if [ ! -f "$pure_library" ]; then
		report 'policy links nothing impure' "$pure_library is not built"
		return
	fi
	report 'policy links nothing impure: no I/O, clock, log or malloc' \
		"$(impure)"
}

# Sources, scripts and makefiles; prose and samples speak for themselves.
test_spdx() {
	faults=$({
		find "$srcdir/src" "$srcdir/tests" -name '*.[ch]' -o \
			-name '*.mk' -o -name '*.sh' -o -name '*.py'
		printf '%s\n' "$srcdir/Makefile.am" "$srcdir/configure.ac" \
			"$srcdir/m4/danemap.m4"
	} | sort | while read -r path; do
		head -n 3 "$path" | awk '
		/SPDX-License-Identifier: MIT$/ { licence = 1 }
		/Copyright \(c\) the danemap authors$/ { owner = 1 }
		END { exit !(licence && owner) }' ||
			printf '%s does not say whose it is\n' "$path"
	done)
	report 'every file says its licence and its authors' "$faults"
}

test_table
test_rooms
test_top
test_thin
test_pure
test_spdx
printf '1..%d\n' "$n"
[ "$failed" -eq 0 ]
