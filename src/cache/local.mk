# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors

noinst_LIBRARIES += src/cache/libcache.a
src_cache_libcache_a_SOURCES = \
	src/cache/siphash.c src/cache/siphash.h \
	src/cache/page.c src/cache/page.h \
	src/cache/guard.c src/cache/guard.h \
	src/cache/lock.c src/cache/lock.h \
	src/cache/segment.c src/cache/segment.h \
	src/cache/cache.c src/cache/cache.h
EXTRA_DIST += src/cache/FORMAT
