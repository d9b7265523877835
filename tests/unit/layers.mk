# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors

TESTS += tests/unit/layers.sh tests/unit/limits.sh tests/unit/units.sh \
	tests/unit/apparmor.sh
EXTRA_DIST += tests/unit/layers.sh tests/unit/limits.sh tests/unit/units.sh \
	tests/unit/apparmor.sh
tests/unit/layers.log: src/policy/libpolicy.a
tests/unit/apparmor.log: danemapd
