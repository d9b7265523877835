# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors

EXTRA_DIST += systemd/danemapd.service.in systemd/danemapd.socket \
	systemd/danemap.sysusers systemd/danemap.tmpfiles

if INSTALL_UNITS
systemdsystemunit_DATA = systemd/danemapd.service systemd/danemapd.socket
endif
CLEANFILES += systemd/danemapd.service

systemd/danemapd.service: systemd/danemapd.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && \
	$(SED) 's|@sbindir[@]|$(sbindir)|g' \
	    $(srcdir)/systemd/danemapd.service.in > $@.tmp && mv $@.tmp $@
