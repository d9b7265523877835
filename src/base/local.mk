# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors

noinst_LIBRARIES += src/base/libbase.a
src_base_libbase_a_SOURCES = \
	src/base/address.c src/base/address.h \
	src/base/conf.c src/base/conf.h \
	src/base/parameter.c src/base/parameter.h \
	src/base/value.c src/base/value.h \
	src/base/lines.c src/base/lines.h \
	src/base/nearest.c src/base/nearest.h \
	src/base/escape.c src/base/escape.h \
	src/base/log.c src/base/log.h \
	src/base/sink.c src/base/sink.h \
	src/base/clock.c src/base/clock.h \
	src/base/idn.c src/base/idn.h \
	src/base/sandbox.c src/base/sandbox.h \
	src/base/services.c src/base/services.h \
	src/base/rulefile.c src/base/rulefile.h \
	src/base/status.c src/base/status.h \
	src/base/systemd.c src/base/systemd.h \
	src/base/loop.c src/base/loop.h \
	src/base/reach.c src/base/reach.h
src_base_libbase_a_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(IDN2_CFLAGS) \
	$(SYSTEMD_CFLAGS) $(SECCOMP_CFLAGS) $(BASE_SYSTEMD_VERSION)
# libsystemd names its version nowhere but in its pkg-config file.
BASE_SYSTEMD_VERSION = \
	-DSYSTEMD_VERSION="\"`$(PKG_CONFIG) --modversion libsystemd 2>/dev/null`\""

# An example and no file of the administrator's: never below SYSCONFDIR.
confexampledir = $(docdir)/examples
dist_confexample_DATA = src/base/danemapd.conf
