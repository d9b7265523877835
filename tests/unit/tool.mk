# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors

TOOL_LIBS = $(danemap_LDADD) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_explain tests/unit/test_search \
	tests/unit/test_control

tests_unit_test_explain_SOURCES = tests/unit/test_explain.c
tests_unit_test_explain_CFLAGS = $(UNIT_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_explain_LDADD = $(TOOL_LIBS)

tests_unit_test_search_SOURCES = tests/unit/test_search.c
tests_unit_test_search_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_search_LDADD = $(TOOL_LIBS)

tests_unit_test_control_SOURCES = tests/unit/test_control.c
tests_unit_test_control_CFLAGS = $(UNIT_CFLAGS) $(EVENT_CFLAGS)
tests_unit_test_control_LDADD = src/control/libcontrol.a src/wire/libwire.a \
	src/base/libbase.a $(EVENT_LIBS) $(SYSTEMD_LIBS) $(CMOCKA_LIBS)
