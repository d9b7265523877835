# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors

noinst_LIBRARIES += src/resolver/libresolver.a
src_resolver_libresolver_a_SOURCES = \
	src/resolver/resolver.c src/resolver/resolver.h \
	src/resolver/anchor.c src/resolver/anchor.h \
	src/resolver/trust.c src/resolver/trust.h \
	src/resolver/channel.c src/resolver/channel.h \
	src/resolver/flights.c src/resolver/flights.h \
	src/resolver/flight.c src/resolver/flight.h \
	src/resolver/reply.c src/resolver/reply.h \
	src/resolver/line.c src/resolver/line.h \
	src/resolver/outcome.c src/resolver/outcome.h \
	src/resolver/refresh.c src/resolver/refresh.h \
	src/resolver/kept.c src/resolver/kept.h \
	src/resolver/diary.c src/resolver/diary.h \
	src/resolver/letter.c src/resolver/letter.h \
	src/resolver/arena.c src/resolver/arena.h \
	src/resolver/idmap.c src/resolver/idmap.h
src_resolver_libresolver_a_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS)
