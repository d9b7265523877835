# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors

check_PROGRAMS += tests/unit/test_siphash
tests_unit_test_siphash_SOURCES = tests/unit/test_siphash.c
tests_unit_test_siphash_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_siphash_LDADD = src/cache/libcache.a $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_page
tests_unit_test_page_SOURCES = tests/unit/test_page.c
tests_unit_test_page_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_page_LDADD = src/cache/libcache.a $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_cache
tests_unit_test_cache_SOURCES = tests/unit/test_cache.c \
	tests/unit/cache_stage.c tests/unit/cache_stage.h
tests_unit_test_cache_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_cache_LDADD = src/cache/libcache.a $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_cache_pages
tests_unit_test_cache_pages_SOURCES = tests/unit/test_cache_pages.c \
	tests/unit/cache_stage.c tests/unit/cache_stage.h
tests_unit_test_cache_pages_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_cache_pages_LDADD = src/cache/libcache.a $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_segment
tests_unit_test_segment_SOURCES = tests/unit/test_segment.c \
	tests/unit/cache_stage.c tests/unit/cache_stage.h
tests_unit_test_segment_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_segment_LDADD = src/cache/libcache.a $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_lock tests/unit/test_guard
tests_unit_test_lock_SOURCES = tests/unit/test_lock.c \
	tests/unit/cache_stage.c tests/unit/cache_stage.h
tests_unit_test_lock_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_lock_LDADD = src/cache/libcache.a $(CMOCKA_LIBS)
tests_unit_test_guard_SOURCES = tests/unit/test_guard.c \
	tests/unit/cache_stage.c tests/unit/cache_stage.h
tests_unit_test_guard_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_guard_LDADD = src/cache/libcache.a $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_cache_system
tests_unit_test_cache_system_SOURCES = tests/unit/test_cache_system.c \
	tests/unit/cache_stage.c tests/unit/cache_stage.h tests/unit/refusal.h
tests_unit_test_cache_system_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_cache_system_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=calloc,--wrap=open,--wrap=fstat,--wrap=fcntl,--wrap=read \
	-Wl,--wrap=pread,--wrap=pwrite,--wrap=getrandom,--wrap=unlink \
	-Wl,--wrap=fchmod,--wrap=fchown,--wrap=geteuid,--wrap=posix_fallocate \
	-Wl,--wrap=mmap,--wrap=sigaction,--wrap=link,--wrap=rename \
	-Wl,--wrap=renameat2,--wrap=raise
tests_unit_test_cache_system_LDADD = src/cache/libcache.a $(CMOCKA_LIBS)

# Takes some seconds, so "make check" fills a smaller file in proportion:
# make tests/unit/cache_million && tests/unit/cache_million
EXTRA_PROGRAMS += tests/unit/cache_million
tests_unit_cache_million_SOURCES = tests/unit/cache_million.c
tests_unit_cache_million_LDADD = src/cache/libcache.a
