# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors

noinst_LIBRARIES += src/policy/libpolicy.a
src_policy_libpolicy_a_SOURCES = \
	src/policy/nexthop.c src/policy/nexthop.h \
	src/policy/tlsa.c src/policy/tlsa.h \
	src/policy/facts.c src/policy/facts.h \
	src/policy/entry.c src/policy/entry.h \
	src/policy/walk.c src/policy/walk.h \
	src/policy/dname.c src/policy/dname.h \
	src/policy/mxset.c src/policy/mxset.h \
	src/policy/digests.c src/policy/digests.h \
	src/policy/rules.c src/policy/rules.h src/policy/rules_block.h \
	src/policy/rules_read.c \
	src/policy/rules_grammar.c src/policy/rules_grammar.h \
	src/policy/rules_words.c src/policy/rules_words.h \
	src/policy/rules_day.c src/policy/rules_day.h \
	src/policy/decide.c src/policy/decide.h \
	src/policy/dialect.c src/policy/dialect.h
