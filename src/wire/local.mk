# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors

noinst_LIBRARIES += src/wire/libwire.a
src_wire_libwire_a_SOURCES = \
	src/wire/netstring.c src/wire/netstring.h \
	src/wire/socketmap.c src/wire/socketmap.h \
	src/wire/ask.c src/wire/ask.h \
	src/wire/order.c src/wire/order.h
