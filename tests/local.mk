# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
#
# Unit tests, one program a module, speak TAP; tests/run.sh adds the tests that
# need a DNS tree, a daemon or Postfix.

TEST_EXTENSIONS = .sh
TESTS += $(check_PROGRAMS)
UNIT_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
EXTRA_DIST += tests/unit/table.h tests/README tests/run.sh \
	tests/soak.sh tests/workshop.sh \
	tests/copy-source.sh tests/install-packages.sh tests/coverage.sh \
	tests/coverage.py tests/coverage_exit.c tests/sanitize.sh \
	tests/sanitize.py
# Whole folders: what belongs to a suite is what lies in it.
EXTRA_DIST += tests/tree tests/e2e tests/life tests/tool tests/examples \
	tests/mutation tests/packages

dist-hook:
	find $(distdir) -name __pycache__ -prune -exec rm -rf {} +

include tests/bench/local.mk
include tests/fuzz/local.mk

if HAVE_CMOCKA
include tests/unit/policy.mk
include tests/unit/rules.mk
include tests/unit/walk.mk
include tests/unit/wire.mk
include tests/unit/cache.mk
include tests/unit/base.mk
include tests/unit/dns.mk
include tests/unit/resolver.mk
include tests/unit/parent.mk
include tests/unit/tool.mk
include tests/unit/layers.mk
endif
