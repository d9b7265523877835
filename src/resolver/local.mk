# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors

noinst_LIBRARIES += src/resolver/libresolver.a
src_resolver_libresolver_a_SOURCES = \
	src/resolver/resolver.c src/resolver/resolver.h \
	src/resolver/flight.c src/resolver/flight.h \
	src/resolver/refresh.c src/resolver/refresh.h
src_resolver_libresolver_a_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS)
