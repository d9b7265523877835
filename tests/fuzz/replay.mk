# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
#
# Fuzzers' seeds, replayed.

REPLAY = tests/fuzz/replay.c tests/fuzz/input.h

check_PROGRAMS += tests/fuzz/replay_tlsa
tests_fuzz_replay_tlsa_SOURCES = $(REPLAY) tests/fuzz/fuzz_tlsa.c
tests_fuzz_replay_tlsa_CPPFLAGS = $(AM_CPPFLAGS) -DSEEDS='"tlsa"'
tests_fuzz_replay_tlsa_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
tests_fuzz_replay_tlsa_LDADD = src/x509/libx509.a src/policy/libpolicy.a \
	-lssl $(CRYPTO_LIBS)

check_PROGRAMS += tests/fuzz/replay_idn
tests_fuzz_replay_idn_SOURCES = $(REPLAY) tests/fuzz/fuzz_idn.c
tests_fuzz_replay_idn_CPPFLAGS = $(AM_CPPFLAGS) -DSEEDS='"idn"'
tests_fuzz_replay_idn_LDADD = src/base/libbase.a src/policy/libpolicy.a \
	$(IDN2_LIBS)

check_PROGRAMS += tests/fuzz/replay_order
tests_fuzz_replay_order_SOURCES = $(REPLAY) tests/fuzz/fuzz_order.c
tests_fuzz_replay_order_CPPFLAGS = $(AM_CPPFLAGS) -DSEEDS='"order"'
tests_fuzz_replay_order_LDADD = src/wire/libwire.a

check_PROGRAMS += tests/fuzz/replay_conf
tests_fuzz_replay_conf_SOURCES = $(REPLAY) tests/fuzz/fuzz_conf.c
tests_fuzz_replay_conf_CPPFLAGS = $(AM_CPPFLAGS) -DSEEDS='"conf"'
tests_fuzz_replay_conf_LDADD = src/base/libbase.a src/policy/libpolicy.a

check_PROGRAMS += tests/fuzz/replay_decide
tests_fuzz_replay_decide_SOURCES = $(REPLAY) tests/fuzz/fuzz_decide.c
tests_fuzz_replay_decide_CPPFLAGS = $(AM_CPPFLAGS) -DSEEDS='"decide"'
tests_fuzz_replay_decide_LDADD = src/policy/libpolicy.a
