# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors

# The resolver without libunbound: fake_dns.c stands in for src/dns.
FAKE_DNS = tests/unit/fake_dns.c tests/unit/fake_dns.h
RESOLVER_STAGE = tests/unit/stage.c tests/unit/stage.h tests/unit/ident.c \
	tests/unit/ident.h $(FAKE_DNS)
RESOLVER_PLAY = tests/unit/play.c tests/unit/play.h tests/unit/ident.c \
	tests/unit/ident.h
RESOLVER_LIBS = src/resolver/libresolver.a src/x509/libx509.a \
	src/cache/libcache.a src/wire/libwire.a src/policy/libpolicy.a \
	src/base/libbase.a $(EVENT_LIBS) $(CRYPTO_LIBS) $(IDN2_LIBS) \
	$(SYSTEMD_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_line
tests_unit_test_line_SOURCES = tests/unit/test_line.c
tests_unit_test_line_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_line_LDADD = src/resolver/libresolver.a $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_outcome
tests_unit_test_outcome_SOURCES = tests/unit/test_outcome.c
tests_unit_test_outcome_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_outcome_LDADD = src/resolver/libresolver.a \
	src/policy/libpolicy.a $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_flight
tests_unit_test_flight_SOURCES = tests/unit/test_flight.c $(RESOLVER_STAGE)
tests_unit_test_flight_CFLAGS = $(UNIT_CFLAGS) $(EVENT_CFLAGS)
tests_unit_test_flight_LDADD = $(RESOLVER_LIBS)

check_PROGRAMS += tests/unit/test_refresh
tests_unit_test_refresh_SOURCES = tests/unit/test_refresh.c $(RESOLVER_STAGE)
tests_unit_test_refresh_CFLAGS = $(UNIT_CFLAGS) $(EVENT_CFLAGS)
tests_unit_test_refresh_LDADD = $(RESOLVER_LIBS)

check_PROGRAMS += tests/unit/test_anchor
tests_unit_test_anchor_SOURCES = tests/unit/test_anchor.c $(FAKE_DNS)
tests_unit_test_anchor_CFLAGS = $(UNIT_CFLAGS) $(EVENT_CFLAGS)
tests_unit_test_anchor_LDADD = $(RESOLVER_LIBS)

check_PROGRAMS += tests/unit/test_resolver
tests_unit_test_resolver_SOURCES = tests/unit/test_resolver.c \
	$(RESOLVER_PLAY) $(FAKE_DNS)
tests_unit_test_resolver_CFLAGS = $(UNIT_CFLAGS) $(EVENT_CFLAGS)
tests_unit_test_resolver_LDADD = $(RESOLVER_LIBS)

# And once with the true one.
check_PROGRAMS += tests/unit/test_rootless
tests_unit_test_rootless_SOURCES = tests/unit/test_rootless.c $(RESOLVER_PLAY)
tests_unit_test_rootless_CFLAGS = $(UNIT_CFLAGS) $(EVENT_CFLAGS)
tests_unit_test_rootless_LDADD = src/resolver/libresolver.a src/dns/libdns.a \
	$(RESOLVER_LIBS) $(UNBOUND_LIBS) $(RESOLV_LIBS)
