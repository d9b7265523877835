# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors

POLICY_LDADD = src/policy/libpolicy.a $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_nexthop
tests_unit_test_nexthop_SOURCES = tests/unit/test_nexthop.c
tests_unit_test_nexthop_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_nexthop_LDADD = $(POLICY_LDADD)

check_PROGRAMS += tests/unit/test_facts
tests_unit_test_facts_SOURCES = tests/unit/test_facts.c tests/unit/hosts.h
tests_unit_test_facts_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_facts_LDADD = $(POLICY_LDADD)

check_PROGRAMS += tests/unit/test_entry
tests_unit_test_entry_SOURCES = tests/unit/test_entry.c tests/unit/hosts.h
tests_unit_test_entry_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_entry_LDADD = $(POLICY_LDADD)

check_PROGRAMS += tests/unit/test_decide
tests_unit_test_decide_SOURCES = tests/unit/test_decide.c tests/unit/hosts.h
tests_unit_test_decide_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_decide_LDADD = $(POLICY_LDADD)

check_PROGRAMS += tests/unit/test_dialect
tests_unit_test_dialect_SOURCES = tests/unit/test_dialect.c tests/unit/hosts.h
tests_unit_test_dialect_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_dialect_LDADD = $(POLICY_LDADD)
