# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors

noinst_LIBRARIES += src/parent/libparent.a
src_parent_libparent_a_SOURCES = \
	src/parent/parent.c src/parent/parent.h \
	src/parent/check.c src/parent/check.h \
	src/parent/child.c src/parent/child.h \
	src/parent/endpoint.c src/parent/endpoint.h \
	src/parent/expiry.c src/parent/expiry.h \
	src/parent/generation.c src/parent/generation.h \
	src/parent/identity.c src/parent/identity.h \
	src/parent/listen.c src/parent/listen.h \
	src/parent/succession.c src/parent/succession.h
