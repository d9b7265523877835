# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors

noinst_LIBRARIES += src/base/libbase.a
src_base_libbase_a_SOURCES = \
	src/base/conf.c src/base/conf.h \
	src/base/log.c src/base/log.h \
	src/base/clock.c src/base/clock.h \
	src/base/idn.c src/base/idn.h \
	src/base/services.c src/base/services.h \
	src/base/status.c src/base/status.h \
	src/base/systemd.c src/base/systemd.h \
	src/base/loop.c src/base/loop.h
src_base_libbase_a_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(IDN2_CFLAGS) $(SYSTEMD_CFLAGS)
