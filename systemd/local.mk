# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors

EXTRA_DIST += systemd/examples systemd/danemapd.service.in systemd/danemapd.socket \
	systemd/sysusers.d/danemap.conf systemd/tmpfiles.d/danemap.conf

if INSTALL_UNITS
systemdsystemunit_DATA = systemd/danemapd.service systemd/danemapd.socket
sysusersdir = $(prefix)/lib/sysusers.d
sysusers_DATA = systemd/sysusers.d/danemap.conf
tmpfilesdir = $(prefix)/lib/tmpfiles.d
tmpfiles_DATA = systemd/tmpfiles.d/danemap.conf
unitexampledir = $(docdir)/examples
unitexample_DATA = systemd/examples/danemapd-control.socket \
	systemd/examples/notify-reload.conf systemd/examples/root-directory.conf
endif
CLEANFILES += systemd/danemapd.service

systemd/danemapd.service: systemd/danemapd.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && \
	$(SED) -e 's|@sbindir[@]|$(sbindir)|g' -e 's|@bindir[@]|$(bindir)|g' \
	    $(srcdir)/systemd/danemapd.service.in > $@.tmp && mv $@.tmp $@
