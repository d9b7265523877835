# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
#
# `make bench`: not part of the tests. Needs nsd and ldnsutils.

bench_programs = tests/bench/bench_echo tests/bench/bench_load \
	tests/bench/bench_bare tests/bench/bench_fill \
	tests/bench/bench_rules
EXTRA_PROGRAMS += $(bench_programs)
EXTRA_DIST += tests/bench/bench.sh tests/bench/zone.sh
CLEANFILES += $(bench_programs) bench-figures.txt

tests_bench_bench_echo_SOURCES = tests/bench/echo.c
tests_bench_bench_echo_LDADD =
tests_bench_bench_load_SOURCES = tests/bench/load.c tests/bench/histogram.h
tests_bench_bench_load_LDADD =
tests_bench_bench_bare_SOURCES = tests/bench/bare.c tests/bench/histogram.h
tests_bench_bench_bare_CFLAGS = $(AM_CFLAGS) $(UNBOUND_CFLAGS) $(EVENT_CFLAGS)
tests_bench_bench_bare_LDADD = $(UNBOUND_LIBS) $(EVENT_LIBS)
tests_bench_bench_fill_SOURCES = tests/bench/fill.c
tests_bench_bench_fill_LDADD = $(danemapd_LDADD)
tests_bench_bench_rules_SOURCES = tests/bench/rules.c
tests_bench_bench_rules_LDADD = src/base/libbase.a src/policy/libpolicy.a \
	$(IDN2_LIBS)

.PHONY: bench bench-programs
bench-programs: $(bench_programs)
bench: danemapd danemap $(bench_programs)
	$(srcdir)/tests/bench/bench.sh . bench-figures.txt
