# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors

noinst_LIBRARIES += src/dns/libdns.a
src_dns_libdns_a_SOURCES = \
	src/dns/dns.c src/dns/dns.h \
	src/dns/packet.c src/dns/packet.h
src_dns_libdns_a_CFLAGS = $(AM_CFLAGS) $(UNBOUND_CFLAGS) $(EVENT_CFLAGS)
