# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors

check_PROGRAMS += tests/unit/test_netstring tests/unit/test_socketmap \
	tests/unit/test_ask tests/unit/test_order

tests_unit_test_netstring_SOURCES = tests/unit/test_netstring.c
tests_unit_test_netstring_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_netstring_LDADD = src/wire/libwire.a $(CMOCKA_LIBS)

tests_unit_test_socketmap_SOURCES = tests/unit/test_socketmap.c
tests_unit_test_socketmap_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_socketmap_LDADD = src/wire/libwire.a $(CMOCKA_LIBS)

tests_unit_test_ask_SOURCES = tests/unit/test_ask.c
tests_unit_test_ask_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_ask_LDADD = src/wire/libwire.a $(CMOCKA_LIBS)

tests_unit_test_order_SOURCES = tests/unit/test_order.c
tests_unit_test_order_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_order_LDADD = src/wire/libwire.a $(CMOCKA_LIBS)
