# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors

check_PROGRAMS += tests/unit/test_walk
tests_unit_test_walk_SOURCES = tests/unit/test_walk.c tests/unit/zone.h
tests_unit_test_walk_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_walk_LDADD = src/policy/libpolicy.a $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_dname
tests_unit_test_dname_SOURCES = tests/unit/test_dname.c
tests_unit_test_dname_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_dname_LDADD = src/policy/libpolicy.a $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_digests
tests_unit_test_digests_SOURCES = tests/unit/test_digests.c
tests_unit_test_digests_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_digests_LDADD = src/policy/libpolicy.a $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_mxset
tests_unit_test_mxset_SOURCES = tests/unit/test_mxset.c
tests_unit_test_mxset_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_mxset_LDADD = src/policy/libpolicy.a $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_tlsa
tests_unit_test_tlsa_SOURCES = tests/unit/test_tlsa.c
tests_unit_test_tlsa_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_tlsa_LDADD = src/policy/libpolicy.a $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_x509
tests_unit_test_x509_SOURCES = tests/unit/test_x509.c
tests_unit_test_x509_CFLAGS = $(UNIT_CFLAGS) $(CRYPTO_CFLAGS)
tests_unit_test_x509_LDADD = src/x509/libx509.a $(CRYPTO_LIBS) $(CMOCKA_LIBS)
