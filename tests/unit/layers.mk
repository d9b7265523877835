# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors

TESTS += tests/unit/layers.sh
EXTRA_DIST += tests/unit/layers.sh
tests/unit/layers.log: src/policy/libpolicy.a
