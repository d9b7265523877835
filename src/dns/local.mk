# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors

noinst_LIBRARIES += src/dns/libdns.a
src_dns_libdns_a_SOURCES = \
	src/dns/anchors.c src/dns/anchors.h \
	src/dns/capture.c src/dns/capture.h \
	src/dns/cause.c src/dns/cause.h \
	src/dns/dns.c src/dns/dns.h \
	src/dns/file.c src/dns/file.h \
	src/dns/fragment.c src/dns/fragment.h \
	src/dns/memfile.c src/dns/memfile.h \
	src/dns/packet.c src/dns/packet.h \
	src/dns/source.c src/dns/source.h \
	src/dns/upstream.c src/dns/upstream.h
src_dns_libdns_a_CFLAGS = $(AM_CFLAGS) $(UNBOUND_CFLAGS) $(EVENT_CFLAGS)
