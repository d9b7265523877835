# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors

check_PROGRAMS += tests/unit/test_address tests/unit/test_listen \
	tests/unit/test_succession tests/unit/test_identity

tests_unit_test_address_SOURCES = tests/unit/test_address.c
tests_unit_test_address_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_address_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=getaddrinfo,--wrap=freeaddrinfo
tests_unit_test_address_LDADD = src/base/libbase.a $(CMOCKA_LIBS)

tests_unit_test_listen_SOURCES = tests/unit/test_listen.c
tests_unit_test_listen_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_listen_LDADD = src/parent/libparent.a $(danemapd_LDADD) \
	$(CMOCKA_LIBS)

tests_unit_test_succession_SOURCES = tests/unit/test_succession.c
tests_unit_test_succession_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_succession_LDADD = src/parent/libparent.a $(danemapd_LDADD) \
	$(CMOCKA_LIBS)

tests_unit_test_identity_SOURCES = tests/unit/test_identity.c
tests_unit_test_identity_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_identity_LDADD = src/parent/libparent.a $(CMOCKA_LIBS)
