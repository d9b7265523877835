# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
#
# A fuzzer is fuzz_NAME.c and its line in `fuzzers`. `make check` links each
# with replay.c, which feeds it seeds/NAME; `make fuzzers` in a tree that was
# configured with --enable-fuzzing links it with libFuzzer or AFL++.

fuzzers = \
	tests/fuzz/fuzz_anchors \
	tests/fuzz/fuzz_ask \
	tests/fuzz/fuzz_cache \
	tests/fuzz/fuzz_conf \
	tests/fuzz/fuzz_conn \
	tests/fuzz/fuzz_control \
	tests/fuzz/fuzz_decide \
	tests/fuzz/fuzz_fragment \
	tests/fuzz/fuzz_idn \
	tests/fuzz/fuzz_netstring \
	tests/fuzz/fuzz_nexthop \
	tests/fuzz/fuzz_order \
	tests/fuzz/fuzz_packet \
	tests/fuzz/fuzz_quote \
	tests/fuzz/fuzz_rules \
	tests/fuzz/fuzz_segment \
	tests/fuzz/fuzz_tlsa \
	tests/fuzz/fuzz_walk

EXTRA_DIST += tests/fuzz/README tests/fuzz/run.sh tests/fuzz/run-one.sh \
	tests/fuzz/input.h tests/fuzz/make_seeds.py tests/fuzz/seeds \
	tests/fuzz/dict

# Of more than one file.
tests_fuzz_fuzz_packet_SOURCES = tests/fuzz/fuzz_packet.c \
	tests/fuzz/packet_model.c tests/fuzz/packet_model.h
tests_fuzz_fuzz_walk_SOURCES = tests/fuzz/fuzz_walk.c \
	tests/fuzz/walk_model.c tests/fuzz/walk_model.h

# What programs are linked with that name nothing of their own: all the house.
# A fuzzer takes of it what it calls.
if ENABLE_FUZZING
LDADD = $(DM_FUZZ_LDFLAGS) $(danemapd_LDADD)
EXTRA_PROGRAMS += $(fuzzers)
CLEANFILES += $(fuzzers)
else
LDADD = tests/fuzz/libreplay.a $(danemapd_LDADD)
check_PROGRAMS += $(fuzzers)
endif

# OpenSSL's own DANE code.
tests_fuzz_fuzz_tlsa_LDADD = $(LDADD) -lssl

check_LIBRARIES = tests/fuzz/libreplay.a
tests_fuzz_libreplay_a_SOURCES = tests/fuzz/replay.c

.PHONY: fuzzers
if ENABLE_FUZZING
fuzzers: $(fuzzers)
else
fuzzers:
	@echo "make fuzzers needs ./configure --enable-fuzzing CC=clang" >&2
	@exit 1
endif
