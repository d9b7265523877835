#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
#
# Boots a Debian that lies in a folder in a container without a network: there
# systemd is process 1. Runs service.sh and shows what it said. run.sh lays the
# folder out.
#
#	container.sh ROOT
set -eu

root=$1
minutes=10
said=$root/packages/said

cat >"$root/packages/serve" <<-EOF
	#!/bin/sh
	/packages/service.sh /packages/new.deb >/packages/said 2>&1
	systemctl poweroff
EOF
chmod 755 "$root/packages/serve"
cat >"$root/etc/systemd/system/danemap-service-test.service" <<-EOF
	[Unit]
	After=multi-user.target
	[Service]
	Type=simple
	ExecStart=/packages/serve
EOF
wants=$root/etc/systemd/system/multi-user.target.wants
mkdir -p "$wants"
ln -sf ../danemap-service-test.service "$wants/"
rm -f "$root/usr/sbin/policy-rc.d"
# --keep-unit: there may be no systemd outside to ask for one.
timeout $((minutes * 60)) systemd-nspawn --directory="$root" --boot \
	--machine="danemap-$$" --register=no --keep-unit --private-network \
	--console=pipe </dev/null >"$root/packages/console" 2>&1 ||
	tail -n 20 "$root/packages/console" | sed 's/^/# /'
cat "$said"
