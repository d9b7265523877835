# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
#
# Unit tests, one program a module, speak TAP; tests/run.sh adds the tests that
# need a DNS tree, a daemon or Postfix.

TEST_EXTENSIONS = .sh
TESTS += $(check_PROGRAMS)
UNIT_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
EXTRA_DIST += tests/unit/table.h tests/README tests/run.sh
EXTRA_DIST += tests/install-packages.sh tests/tree/netns.sh tests/tree/zones \
	tests/tree/zonefile.py tests/tree/certificates.py tests/tree/tree.py \
	tests/tree/faults.py tests/tree/scenarios tests/tree/scenarios.py \
	tests/e2e/tap.py tests/e2e/socketmap.py tests/e2e/daemon.py \
	tests/e2e/grammar.py tests/e2e/sink.py tests/e2e/postfix.py \
	tests/e2e/quickstart.py tests/tree/policy

include tests/bench/local.mk

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
