#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
#
# Runs one fuzzer for run.sh, which sets all the variables, and prints its line.
# Status 1: it crashed, or could not run.
#
#	run-one.sh FUZZER

set -eu

name=$1
in_source=$SOURCE/tests/fuzz
fuzzer=$WORK/fuzz/tests/fuzz/fuzz_$name
seeds=$in_source/seeds/$name
corpus=$CORPUS/$name
crashes=$WORK/crashes/$name
log=$WORK/$name.log

# What the fuzzer says of itself: lines "// KEY: VALUE" of its source.
said_of() {
	sed -n "s|^// $1: ||p" "$in_source/fuzz_$name.c"
}

longest=$(said_of 'Longest input')
dictionary=$(said_of Dictionary)
dictionary=$in_source/dict/${dictionary:-$name}.dict

# Who dies before the end leaves no figures but those of his last line.
run_libfuzzer() {
	set -- -max_total_time="$SECONDS_EACH" -timeout=60 \
		-print_final_stats=1 -artifact_prefix="$crashes/" \
		${longest:+-max_len="$longest"} $(said_of libFuzzer)
	[ ! -e "$dictionary" ] || set -- "$@" -dict="$dictionary"
	nice -n 19 "$fuzzer" "$@" "$corpus" "$seeds" >"$log" 2>&1 || return
}

figures_libfuzzer() {
	awk '
	/^#[0-9]+/ { runs = substr($1, 2) + 0 }
	match($0, / cov: [0-9]+/) { edges = substr($0, RSTART + 6) + 0 }
	/^#.* NEW / { new++ }
	/^stat::number_of_executed_units:/ { runs = $2 }
	/^stat::new_units_added:/ { new = $2 }
	END { print runs + 0, edges + 0, new + 0 }' "$log"
}

# afl-fuzz takes one folder, and ends well when it has found crashes.
run_afl() {
	mkdir "$WORK/$name.in"
	cp "$seeds"/* "$WORK/$name.in"
	find "$corpus" -type f -exec cp {} "$WORK/$name.in" ';'
	set -- -V "$SECONDS_EACH" -m none -t 5000 ${longest:+-G "$longest"} \
		-i "$WORK/$name.in" -o "$WORK/$name.out"
	[ ! -e "$dictionary" ] || set -- "$@" -x "$dictionary"
	AFL_NO_UI=1 AFL_NO_AFFINITY=1 AFL_SKIP_CPUFREQ=1 \
		AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 \
		nice -n 19 afl-fuzz "$@" -- "$fuzzer" >"$log" 2>&1 || return
	keep_afl
	[ -z "$(ls "$crashes")" ]
}

# What afl-fuzz was given bears its old name in the new one ("orig").
keep_afl() {
	for file in "$WORK/$name.out"/default/crashes/id:*; do
		[ ! -e "$file" ] || cp "$file" "$crashes/$(sha1_of "$file")"
	done
	for file in "$WORK/$name.out"/default/queue/id:*; do
		case $file in
		*,orig:*) ;;
		*) cp "$file" "$corpus/$(sha1_of "$file")" ;;
		esac
	done
}

sha1_of() {
	sha1sum <"$1" | cut -d ' ' -f 1
}

figures_afl() {
	awk '
	$1 == "execs_done" { runs = $3 }
	$1 == "edges_found" { edges = $3 }
	$1 == "corpus_found" { new = $3 }
	END { print runs + 0, edges + 0, new + 0 }' \
		"$WORK/$name.out/default/fuzzer_stats"
}

# llvm ACTION ARGUMENT...: llvm-cov on the files under test.
llvm() {
	action=$1
	shift
	llvm-cov "$action" "$WORK/coverage/tests/fuzz/fuzz_$name" \
		-instr-profile="$WORK/$name.profile" "$@" \
		$(said_of 'Under test' | tr ' ' '\n' | sed "s|^|$SOURCE/|")
}

# ", 812 of 850 lines".
lines() {
	[ -n "$COVERAGE" ] || return 0
	LLVM_PROFILE_FILE=$WORK/$name.raw \
		"$WORK/coverage/tests/fuzz/fuzz_$name" -runs=0 \
		${longest:+-max_len="$longest"} "$corpus" "$seeds" \
		>"$WORK/$name.lines.log" 2>&1 || :
	llvm-profdata merge -o "$WORK/$name.profile" "$WORK/$name.raw" ||
		return 0
	llvm report | awk '
	$1 == "TOTAL" { printf ", %d of %d lines", $8 - $9, $8 }'
	[ -z "$KEPT" ] || llvm show >"$KEPT/$name.lines"
}

mkdir -p "$corpus" "$crashes"
status=0
run_$ENGINE || status=1
figures=$(figures_$ENGINE)
set -- $figures "$(ls "$crashes" | wc -l)"
echo "$name: $1 runs, $2 edges, $3 new units, $4 crashes$(lines)"
if [ $status != 0 ] && [ "$4" = 0 ]; then
	tail -n 20 "$log"
fi
exit $status
