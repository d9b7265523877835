# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors

sbin_PROGRAMS += danemapd
danemapd_SOURCES = src/danemapd.c
# From the top of the house down: a library may use those after it.
danemapd_LDADD = src/parent/libparent.a src/worker/libworker.a \
	src/control/libcontrol.a src/resolver/libresolver.a \
	src/dns/libdns.a src/x509/libx509.a src/cache/libcache.a \
	src/wire/libwire.a src/base/libbase.a src/policy/libpolicy.a \
	$(UNBOUND_LIBS) $(EVENT_LIBS) $(CRYPTO_LIBS) $(IDN2_LIBS) \
	$(SYSTEMD_LIBS) $(SECCOMP_LIBS) $(RESOLV_LIBS)

bin_PROGRAMS += danemap
danemap_SOURCES = src/danemap.c
danemap_LDADD = src/tool/libtool.a src/parent/libparent.a \
	src/resolver/libresolver.a src/dns/libdns.a src/x509/libx509.a \
	src/cache/libcache.a src/wire/libwire.a src/base/libbase.a \
	src/policy/libpolicy.a \
	$(UNBOUND_LIBS) $(EVENT_LIBS) $(CRYPTO_LIBS) $(IDN2_LIBS) \
	$(SYSTEMD_LIBS) $(SECCOMP_LIBS) $(RESOLV_LIBS) $(JANSSON_LIBS)

EXTRA_DIST += packaging src/README .clang-format LICENSE README.md SECURITY.md
