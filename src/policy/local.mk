# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors

noinst_LIBRARIES += src/policy/libpolicy.a
src_policy_libpolicy_a_SOURCES = \
	src/policy/nexthop.c src/policy/nexthop.h \
	src/policy/tlsa.c src/policy/tlsa.h \
	src/policy/facts.c src/policy/facts.h \
	src/policy/entry.c src/policy/entry.h \
	src/policy/walk.c src/policy/walk.h \
	src/policy/decide.c src/policy/decide.h \
	src/policy/dialect.c src/policy/dialect.h
