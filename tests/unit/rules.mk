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

check_PROGRAMS += tests/unit/test_rules_block
tests_unit_test_rules_block_SOURCES = tests/unit/test_rules_block.c \
	tests/unit/rules_text.h
tests_unit_test_rules_block_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_rules_block_LDADD = src/policy/libpolicy.a $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_dialect_rules
tests_unit_test_dialect_rules_SOURCES = tests/unit/test_dialect_rules.c \
	tests/unit/hosts.h tests/unit/rules_text.h
tests_unit_test_dialect_rules_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_dialect_rules_LDADD = src/policy/libpolicy.a $(CMOCKA_LIBS)

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
tests_unit_test_rulefile_SOURCES = tests/unit/test_rulefile.c \
	tests/unit/scarce.h tests/unit/refusal.h
tests_unit_test_rulefile_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_rulefile_LDFLAGS = $(SCARCE_WRAP) -Wl,--wrap=read \
	-Wl,--wrap=fstat,--wrap=mmap,--wrap=munmap
tests_unit_test_rulefile_LDADD = src/parent/libparent.a src/base/libbase.a \
	src/policy/libpolicy.a $(CMOCKA_LIBS) $(IDN2_LIBS)
