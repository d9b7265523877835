# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors

noinst_LIBRARIES += src/worker/libworker.a
src_worker_libworker_a_SOURCES = \
	src/worker/worker.c src/worker/worker.h \
	src/worker/door.c src/worker/door.h \
	src/worker/turn.c src/worker/turn.h \
	src/worker/conn.c src/worker/conn.h \
	src/worker/query.c src/worker/query.h \
	src/worker/hint.c src/worker/hint.h \
	src/worker/errand.c src/worker/errand.h
src_worker_libworker_a_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS)
