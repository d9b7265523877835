# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors

noinst_LIBRARIES += src/control/libcontrol.a
src_control_libcontrol_a_SOURCES = \
	src/control/control.c src/control/control.h \
	src/control/client.c src/control/client.h \
	src/control/report.c src/control/report.h
src_control_libcontrol_a_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS)
