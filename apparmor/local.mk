# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors

EXTRA_DIST += apparmor/usr.sbin.danemapd

if INSTALL_APPARMOR
apparmordir = $(sysconfdir)/apparmor.d
apparmor_DATA = apparmor/usr.sbin.danemapd
endif
