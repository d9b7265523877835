# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors

dist_man_MANS += man/danemapd.8 man/danemapd.conf.5 man/danemap.1
dist_man_MANS += man/danemap-policy.5
