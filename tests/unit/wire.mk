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

tests_unit_test_order_SOURCES = tests/unit/test_order.c tests/unit/refusal.h
tests_unit_test_order_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_order_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=sendmsg
tests_unit_test_order_LDADD = src/wire/libwire.a $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_turn
tests_unit_test_turn_SOURCES = tests/unit/test_turn.c
tests_unit_test_turn_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_turn_LDADD = src/worker/libworker.a $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_worker
tests_unit_test_worker_SOURCES = tests/unit/test_worker.c \
	tests/unit/worker_stage.c tests/unit/worker_stage.h
tests_unit_test_worker_CFLAGS = $(UNIT_CFLAGS) $(EVENT_CFLAGS)
tests_unit_test_worker_LDADD = src/worker/libworker.a src/cache/libcache.a \
	src/wire/libwire.a src/policy/libpolicy.a src/base/libbase.a \
	$(CMOCKA_LIBS) $(EVENT_LIBS) $(IDN2_LIBS) $(SYSTEMD_LIBS)
