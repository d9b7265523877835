# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors

noinst_LIBRARIES += src/tool/libtool.a
src_tool_libtool_a_SOURCES = \
	src/tool/explain.c src/tool/tool.h \
	src/tool/policy.c src/tool/search.c src/tool/search.h \
	src/tool/query.c \
	src/tool/reload.c \
	src/tool/story.c src/tool/story.h \
	src/tool/scene.c \
	src/tool/tree.c src/tool/object.c src/tool/render.h \
	src/tool/words.c src/tool/words.h \
	src/tool/setup.c src/tool/setup.h
src_tool_libtool_a_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) $(JANSSON_CFLAGS)
