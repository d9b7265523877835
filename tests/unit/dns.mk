# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors

DNS_LDADD = src/dns/libdns.a src/policy/libpolicy.a $(UNBOUND_LIBS) \
	$(EVENT_LIBS) $(RESOLV_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/unit/test_packet tests/unit/test_dns

tests_unit_test_packet_SOURCES = tests/unit/test_packet.c tests/unit/table.h
tests_unit_test_packet_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_packet_LDADD = $(DNS_LDADD)

tests_unit_test_dns_SOURCES = tests/unit/test_dns.c tests/unit/table.h
tests_unit_test_dns_CFLAGS = $(UNIT_CFLAGS) $(EVENT_CFLAGS)
tests_unit_test_dns_LDADD = $(DNS_LDADD)
