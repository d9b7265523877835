# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors

EXTRA_DIST += postfix-examples/quickstart.sh
