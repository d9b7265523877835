# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors

check_PROGRAMS += tests/unit/test_reach
tests_unit_test_reach_SOURCES = tests/unit/test_reach.c
tests_unit_test_reach_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_reach_LDADD = src/base/libbase.a $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_conf tests/unit/test_log \
	tests/unit/test_sink tests/unit/test_idn tests/unit/test_services \
	tests/unit/test_loop tests/unit/test_clock tests/unit/test_systemd \
	tests/unit/test_sandbox

# Of programs that include scarce.h.
SCARCE_WRAP = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc \
	-Wl,--wrap=strdup,--wrap=free

tests_unit_test_conf_SOURCES = tests/unit/test_conf.c tests/unit/table.h \
	tests/unit/scarce.h tests/unit/refusal.h
tests_unit_test_conf_CFLAGS = $(UNIT_CFLAGS) \
	-DEXAMPLE_FILE='"$(abs_top_srcdir)/src/base/danemapd.conf"' \
	-DMANUAL_FILE='"$(abs_top_srcdir)/man/danemapd.conf.5"'
tests_unit_test_conf_LDFLAGS = $(SCARCE_WRAP) -Wl,--wrap=read
tests_unit_test_conf_LDADD = src/base/libbase.a $(CMOCKA_LIBS)

tests_unit_test_log_SOURCES = tests/unit/test_log.c tests/unit/table.h
tests_unit_test_log_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_log_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=connect
tests_unit_test_log_LDADD = src/base/libbase.a $(CMOCKA_LIBS)

tests_unit_test_sink_SOURCES = tests/unit/test_sink.c tests/unit/table.h \
	tests/unit/refusal.h
tests_unit_test_sink_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_sink_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=send,--wrap=poll
tests_unit_test_sink_LDADD = src/base/libbase.a $(CMOCKA_LIBS)

tests_unit_test_idn_SOURCES = tests/unit/test_idn.c tests/unit/table.h
tests_unit_test_idn_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_idn_LDADD = src/base/libbase.a $(IDN2_LIBS) $(CMOCKA_LIBS)

tests_unit_test_services_SOURCES = tests/unit/test_services.c \
	tests/unit/table.h
tests_unit_test_services_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_services_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=setservent \
	-Wl,--wrap=getservent,--wrap=endservent
tests_unit_test_services_LDADD = src/base/libbase.a $(CMOCKA_LIBS)

tests_unit_test_loop_SOURCES = tests/unit/test_loop.c tests/unit/table.h \
	tests/unit/scarce.h tests/unit/refusal.h
tests_unit_test_loop_CFLAGS = $(UNIT_CFLAGS) $(EVENT_CFLAGS)
tests_unit_test_loop_LDFLAGS = $(SCARCE_WRAP) \
	-Wl,--wrap=event_config_set_flag
tests_unit_test_loop_LDADD = src/base/libbase.a $(EVENT_LIBS) $(CMOCKA_LIBS)

tests_unit_test_clock_SOURCES = tests/unit/test_clock.c tests/unit/table.h \
	tests/unit/refusal.h
tests_unit_test_clock_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_clock_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=mmap
tests_unit_test_clock_LDADD = src/base/libbase.a $(CMOCKA_LIBS)

tests_unit_test_systemd_SOURCES = tests/unit/test_systemd.c tests/unit/table.h
tests_unit_test_systemd_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_systemd_LDADD = src/base/libbase.a $(SYSTEMD_LIBS) \
	$(CMOCKA_LIBS)

tests_unit_test_sandbox_SOURCES = tests/unit/test_sandbox.c tests/unit/table.h
tests_unit_test_sandbox_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_sandbox_LDADD = src/base/libbase.a $(SECCOMP_LIBS) \
	$(CMOCKA_LIBS)

# The kernel and libseccomp, replaced by the test where it says so.
check_PROGRAMS += tests/unit/test_filter
tests_unit_test_filter_SOURCES = tests/unit/test_filter.c tests/unit/table.h
tests_unit_test_filter_CFLAGS = $(UNIT_CFLAGS) $(SECCOMP_CFLAGS)
tests_unit_test_filter_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=prctl,--wrap=syscall,--wrap=seccomp_init \
	-Wl,--wrap=seccomp_release,--wrap=seccomp_syscall_resolve_name \
	-Wl,--wrap=seccomp_rule_add_array,--wrap=seccomp_load
tests_unit_test_filter_LDADD = src/base/libbase.a $(SECCOMP_LIBS) \
	$(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_landlock
tests_unit_test_landlock_SOURCES = tests/unit/test_landlock.c \
	tests/unit/table.h
tests_unit_test_landlock_CFLAGS = $(UNIT_CFLAGS) $(SECCOMP_CFLAGS)
tests_unit_test_landlock_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=prctl,--wrap=syscall,--wrap=seccomp_load
tests_unit_test_landlock_LDADD = src/base/libbase.a $(SECCOMP_LIBS) \
	$(CMOCKA_LIBS)
