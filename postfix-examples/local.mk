# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors

EXTRA_DIST += postfix-examples/quickstart.sh
EXTRA_DIST += postfix-examples/README.md postfix-examples/container-musl.md \
	postfix-examples/debian-12.md postfix-examples/local-tables.md \
	postfix-examples/moving.md postfix-examples/multi-instance.md \
	postfix-examples/relayhost.md postfix-examples/without-dane.md
