#!/bin/bash
# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
#
# How fast danemapd is, as ratios to what is possible on the same machine in
# the same minute: a bare epoll echo for cached answers, bare libunbound for
# cold ones. `make bench` runs it; FIGURES is where the lines are kept.
#
#	bench.sh BUILD-FOLDER [FIGURES]
#
# ROUNDS (3), SECONDS_EACH (3), DOMAINS (6000) and SANDBOX (yes) may be set.
set -euo pipefail
build=$(cd "$1" && pwd) figures=$(realpath "${2:-bench-figures.txt}")
here=$(cd "$(dirname "$0")" && pwd)
rounds=${ROUNDS:-3} each=${SECONDS_EACH:-3} n_domains=${DOMAINS:-6000}
bin=$build/tests/bench
work=$(mktemp -d /tmp/dmb.XXXXXX)
# The cache lives in memory, as in /run: writes to a disk would be measured.
memory=/dev/shm
[ -w "$memory" ] || memory=/tmp
segment=$(mktemp -d "$memory/dmb.XXXXXX")
port=5391
workers=$(nproc)
pids=()

finish()
{
	for pid in "${pids[@]:-}"; do
		[ -z "$pid" ] || kill "$pid" 2> /dev/null || true
	done
	wait 2> /dev/null || true
	rm -rf "$work" "$segment"
}
trap finish EXIT

say()
{
	echo "$@" | tee -a "$figures"
}

# value NAME LINE: the figure NAME= of a result line.
value()
{
	sed -n "s/.*\\b$1=\\([0-9.]*\\).*/\\1/p" <<< "$2"
}

median()
{
	printf '%s\n' "$@" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

fastest()
{
	printf '%s\n' "$@" | sort -n | tail -n 1
}

ratio()
{
	awk -v a="${1:-0}" -v b="${2:-0}" 'BEGIN { printf "%.3f\n", (b > 0 ? a / b : 0) }'
}

# Asks KEY until an answer other than TEMP comes, ten seconds at most.
wait_for_answer()
{
	local try
	for try in $(seq 200); do
		if "$build/danemap" query -s "unix:$work/dm.sock" "$1" \
		    2> /dev/null | grep -q 'OK'; then
			return 0
		fi
		sleep 0.05
	done
	cat "$work/danemapd.log" >&2
	echo "danemapd does not answer" >&2
	return 1
}

write_config()
{
	cat > "$work/danemapd.conf" <<EOF
listen = unix:$work/dm.sock
user = root
sandbox = ${SANDBOX:-yes}
cache_file = $segment/cache
control_socket = $work/control
trust_anchor_file = $work/root.key
forward = 127.0.0.1@$port
log_level = notice
log_target = stderr
EOF
}

# start_daemon [NAME=VALUE...]: on an empty cache.
start_daemon()
{
	local options=() o
	for o in "$@"; do
		options+=(-o "$o")
	done
	"$build/danemapd" -c "$work/danemapd.conf" "${options[@]:-"-olog_level=notice"}" \
	    2>> "$work/danemapd.log" &
	daemon=$!
	pids+=("$daemon")
	wait_for_answer "$(tail -n 1 "$work/domains")"
}

stop_daemon()
{
	kill "$daemon"
	wait "$daemon" || true
	rm -f "$segment/cache"
}

load()
{
	"$bin/bench_load" "$@" || true
}

# One row: rate and p99 of danemapd and the echo in turn, a second each, so that
# a slow spell of the machine meets both.
cached_row()
{
	local c=$1 note=$2 rates=() tails=() i mine bare
	for i in $(seq $((rounds * each))); do
		bare=$(load -s "$work/echo.sock" -c "$c" -t 1 "$warm")
		mine=$(load -s "$work/dm.sock" -c "$c" -t 1 "$warm")
		rates+=("$(ratio "$(value rate "$mine")" "$(value rate "$bare")")")
		tails+=("$(ratio "$(value p99_us "$mine")" \
		    "$(value p99_us "$bare")")")
	done
	say "cached$note connections=$c rate=$(value rate "$mine")" \
	    "p50_us=$(value p50_us "$mine") p99_us=$(value p99_us "$mine")" \
	    "echo_rate=$(value rate "$bare")" \
	    "echo_p50_us=$(value p50_us "$bare")" \
	    "echo_p99_us=$(value p99_us "$bare")" \
	    "rate_ratio=$(median "${rates[@]}")" \
	    "p99_ratio=$(median "${tails[@]}")"
}

bench_cached()
{
	local c
	start_daemon "workers=$workers"
	for c in 1 16 256 1000; do
		cached_row "$c" ""
	done
	stop_daemon
}

# The same while 1,000 cold domains are in flight in the daemon, for both. Each
# row has a daemon of its own: a domain that libunbound knows is not cold.
bench_cached_beside_cold()
{
	local c cold
	for c in 16 256; do
		start_daemon "workers=$workers"
		load -s "$work/dm.sock" -c 1000 -t $((each * rounds * 2 + 10)) \
		    -k "$work/domains" > /dev/null &
		cold=$!
		pids+=("$cold")
		sleep 1
		cached_row "$c" "-beside-1000-cold"
		kill "$cold" 2> /dev/null || true
		wait "$cold" 2> /dev/null || true
		stop_daemon
	done
}

# bare DEPTH DOMAINS: libunbound alone.
bare()
{
	"$bin/bench_bare" "$work/root.key" "127.0.0.1@$port" "$@"
}

cold_mine()
{
	local depth=$1 n=$2
	shift 2
	head -n "$n" "$work/domains" > "$work/some"
	start_daemon "$@"
	load -s "$work/dm.sock" -c "$depth" -n "$n" -k "$work/some"
	stop_daemon
}

cold_row()
{
	local depth=$1 n=$2 rates=() i mine bare
	for i in $(seq "$rounds"); do
		head -n "$n" "$work/domains" > "$work/some"
		bare=$(bare "$depth" "$work/some")
		mine=$(cold_mine "$depth" "$n" workers=1)
		rates+=("$(ratio "$(value rate "$mine")" "$(value rate "$bare")")")
	done
	say "cold depth=$depth rate=$(value rate "$mine")" \
	    "p50_us=$(value p50_us "$mine") p99_us=$(value p99_us "$mine")" \
	    "temp=$(value temp "$mine")" \
	    "bare_rate=$(value rate "$bare")" \
	    "bare_p50_us=$(value p50_us "$bare")" \
	    "bare_p99_us=$(value p99_us "$bare")" \
	    "rate_ratio=$(median "${rates[@]}")"
}

bench_cold()
{
	cold_row 1 $((n_domains / 6))
	cold_row 100 "$n_domains"
	cold_row 1000 "$n_domains"
}

# bare_two N: what two bare processes answer a second, with half of N domains
# each, until the slower one is done.
bare_two()
{
	local pid mine
	bare 100 "$work/half.a" > "$work/bare.a" &
	pid=$!
	mine=$(bare 100 "$work/half.b")
	wait "$pid"
	awk -v n="$1" -v a="$(value seconds "$(< "$work/bare.a")")" \
	    -v b="$(value seconds "$mine")" \
	    'BEGIN { printf "%.0f\n", n / (a > b ? a : b) }'
}

# Two resolvers against one, and what two cores are worth to libunbound alone: a
# client, a worker and NSD share them. Besides the median of all turns it tells
# the fastest against the fastest, for a slow spell of the machine is as long as
# a turn.
bench_resolvers()
{
	local n=$((n_domains / 2)) one two bare_one bare_two
	local rates=() bares=() ones=() twos=() bare_ones=() bare_twos=() i
	head -n $((n / 2)) "$work/domains" > "$work/half.a"
	head -n "$n" "$work/domains" | tail -n +$((n / 2 + 1)) > "$work/half.b"
	head -n "$n" "$work/domains" > "$work/whole"
	for i in $(seq $((rounds * each))); do
		ones+=("$(value rate "$(cold_mine 200 "$n" workers=1 resolvers=1)")")
		twos+=("$(value rate "$(cold_mine 200 "$n" workers=1 resolvers=2)")")
		bare_ones+=("$(value rate "$(bare 200 "$work/whole")")")
		bare_twos+=("$(bare_two "$n")")
		rates+=("$(ratio "${twos[-1]}" "${ones[-1]}")")
		bares+=("$(ratio "${bare_twos[-1]}" "${bare_ones[-1]}")")
	done
	one=$(fastest "${ones[@]}") two=$(fastest "${twos[@]}")
	bare_one=$(fastest "${bare_ones[@]}") bare_two=$(fastest "${bare_twos[@]}")
	say "cold-resolvers one=$one two=$two" \
	    "bare_one=$bare_one bare_two=$bare_two" \
	    "fastest_ratio=$(ratio "$two" "$one")" \
	    "bare_fastest_ratio=$(ratio "$bare_two" "$bare_one")" \
	    "bare_ratio=$(median "${bares[@]}")" \
	    "rate_ratio=$(median "${rates[@]}")"
}

# Proportional set size of a process without the cache segment, in kB.
pss()
{
	awk -v cache="$segment/cache" '
	/^[0-9a-f]+-[0-9a-f]+ / { segment = index($0, cache) > 0 }
	/^Pss:/ && !segment { sum += $2 }
	END { print sum + 0 }' "/proc/$1/smaps"
}

bench_memory()
{
	local pid all=0 kb
	head -n 1000 "$work/domains" > "$work/some"
	start_daemon
	load -s "$work/dm.sock" -c 100 -n 1000 -k "$work/some" > /dev/null
	for pid in $daemon $(pgrep -P "$daemon"); do
		kb=$(pss "$pid")
		all=$((all + kb))
		say "memory process=$(cat "/proc/$pid/comm") pss_kb=$kb"
	done
	say "memory after=1000-domains pss_kb=$all limit_kb=30720"
	stop_daemon
}

now_ms()
{
	date +%s%3N
}

bench_warm_start()
{
	local line first from to
	echo "cache_size = 200M" >> "$work/danemapd.conf"
	line=$("$bin/bench_fill" "$work/danemapd.conf" 1000000)
	first=$(value first "$line")
	first=$(sed -n 's/^first=//p' <<< "$line")
	say "cache $(head -n 1 <<< "$line")"
	from=$(now_ms)
	"$build/danemapd" -c "$work/danemapd.conf" 2>> "$work/danemapd.log" &
	daemon=$!
	pids+=("$daemon")
	until [ "$("$build/danemap" query -s "unix:$work/dm.sock" "$first" \
	    2> /dev/null)" = "$first	OK dane-only" ]; do
		[ $(($(now_ms) - from)) -lt 5000 ] || break
	done
	to=$(now_ms)
	say "warm-start domains=1000000 first_answer_ms=$((to - from)) limit_ms=100"
	stop_daemon
	from=$(now_ms)
	"$build/danemapd" -t -c /dev/null -o "cache_file=$segment/cache" \
	    -o "listen=unix:$work/dm.sock" -o user=root 2> /dev/null
	say "check danemapd_t_ms=$(($(now_ms) - from)) limit_ms=100"
}

: > "$figures"
say "# $(uname -m), $(nproc) cores, $("$build/danemapd" -V | tr '\n' ' ')"
"$here/zone.sh" "$work" 60000 "$port"
nsd -d -c "$work/nsd.conf" &
pids+=("$!")
write_config
warm=$(head -n 1 "$work/domains")
"$bin/bench_echo" "$work/echo.sock" "$workers" &
pids+=("$!")
sleep 1
for part in ${PARTS:-cached cold resolvers cached_beside_cold memory \
    warm_start}; do
	"bench_$part"
done
echo "figures are in $figures"
