# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors

check_PROGRAMS += tests/unit/test_rules
tests_unit_test_rules_SOURCES = tests/unit/test_rules.c tests/unit/rules_text.h
tests_unit_test_rules_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_rules_LDADD = src/policy/libpolicy.a $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_rules_find
tests_unit_test_rules_find_SOURCES = tests/unit/test_rules_find.c \
	tests/unit/rules_text.h
tests_unit_test_rules_find_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_rules_find_LDADD = src/policy/libpolicy.a $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_dialect_rules
tests_unit_test_dialect_rules_SOURCES = tests/unit/test_dialect_rules.c \
	tests/unit/hosts.h tests/unit/rules_text.h
tests_unit_test_dialect_rules_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_dialect_rules_LDADD = src/policy/libpolicy.a $(CMOCKA_LIBS)

# Fuzzers' seeds, replayed.
check_PROGRAMS += tests/fuzz/replay_rules tests/fuzz/replay_nexthop
tests_fuzz_replay_rules_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_rules.c
tests_fuzz_replay_rules_CPPFLAGS = $(AM_CPPFLAGS) -DSEEDS='"rules"'
tests_fuzz_replay_rules_LDADD = src/policy/libpolicy.a
tests_fuzz_replay_nexthop_SOURCES = tests/fuzz/replay.c \
	tests/fuzz/fuzz_nexthop.c
tests_fuzz_replay_nexthop_CPPFLAGS = $(AM_CPPFLAGS) -DSEEDS='"nexthop"'
tests_fuzz_replay_nexthop_LDADD = src/policy/libpolicy.a

check_PROGRAMS += tests/fuzz/replay_netstring tests/fuzz/replay_packet \
	tests/fuzz/replay_walk
tests_fuzz_replay_netstring_SOURCES = tests/fuzz/replay.c \
	tests/fuzz/fuzz_netstring.c
tests_fuzz_replay_netstring_CPPFLAGS = $(AM_CPPFLAGS) -DSEEDS='"netstring"'
tests_fuzz_replay_netstring_LDADD = src/wire/libwire.a
tests_fuzz_replay_packet_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_packet.c
tests_fuzz_replay_packet_CPPFLAGS = $(AM_CPPFLAGS) -DSEEDS='"packet"'
tests_fuzz_replay_packet_LDADD = src/dns/libdns.a $(RESOLV_LIBS)
tests_fuzz_replay_walk_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_walk.c
tests_fuzz_replay_walk_CPPFLAGS = $(AM_CPPFLAGS) -DSEEDS='"walk"'
tests_fuzz_replay_walk_LDADD = src/policy/libpolicy.a

check_PROGRAMS += tests/unit/test_rules_worker
tests_unit_test_rules_worker_SOURCES = tests/unit/test_rules_worker.c \
	tests/unit/rules_text.h \
	tests/unit/worker_stage.c tests/unit/worker_stage.h
tests_unit_test_rules_worker_CFLAGS = $(UNIT_CFLAGS) $(EVENT_CFLAGS)
tests_unit_test_rules_worker_LDADD = src/worker/libworker.a \
	src/cache/libcache.a src/wire/libwire.a src/base/libbase.a \
	src/policy/libpolicy.a $(CMOCKA_LIBS) $(EVENT_LIBS) $(IDN2_LIBS) \
	$(SYSTEMD_LIBS)

check_PROGRAMS += tests/unit/test_rulefile
tests_unit_test_rulefile_SOURCES = tests/unit/test_rulefile.c
tests_unit_test_rulefile_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_rulefile_LDADD = src/parent/libparent.a src/base/libbase.a \
	src/policy/libpolicy.a $(CMOCKA_LIBS) $(IDN2_LIBS)
