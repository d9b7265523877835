#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
#
# Boots a Debian that lies in a folder, on a kernel of its release, in a virtual
# machine without network or disk: there systemd is process 1, and the kernel
# has AppArmor. Runs inside.sh, the unit test of the profile and tests of the
# package. Speaks TAP. run.sh lays the folder out.
#
#	machine.sh ROOT TEST...
set -eu

root=$1
shift
minutes=40
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# What the machine runs; its console is our standard output.
write_task() {
	cat >"$root/packages/task" <<-EOF
		#!/bin/sh
		exec >/dev/ttyS0 2>&1
		export DEBIAN_FRONTEND=noninteractive
		/packages/inside.sh /packages/old.deb /packages/new.deb |
			sed 's/^1\.\..*/ok - it comes to its end/'
		apt-get -q -y install /packages/new.deb >/dev/null
		cd /packages/source
		cp /usr/sbin/danemapd .
		tests/unit/apparmor.sh | grep -v '^1\.\.'
		for test in $*; do
			debian/tests/\$test >/tmp/said 2>&1 && not= || not='not '
			echo "\${not}ok - its test \$test passes"
			[ -z "\$not" ] || tail -n 40 /tmp/said | sed 's/^/# /'
		done
		echo 1..
		poweroff -f
	EOF
	chmod 755 "$root/packages/task"
}

write_unit() {
	units=$root/etc/systemd/system
	mkdir -p "$units/multi-user.target.wants"
	ln -sf ../danemap-task.service "$units/multi-user.target.wants/"
	cat >"$units/danemap-task.service" <<-EOF
		[Unit]
		After=multi-user.target
		[Service]
		Type=oneshot
		ExecStart=/packages/task
	EOF
	rm -f "$root/usr/sbin/policy-rc.d"
	ln -sf sbin/init "$root/init"
}

# The kernel that the newest package of the release depends on, and nothing else
# of it: what is needed is built in.
fetch_kernel() {
	chroot "$root" sh -c '
		cd /tmp && apt-get -q update &&
		apt-get -q download "$(apt-cache depends linux-image-cloud-amd64 |
			sed -n "s/.*Depends: //p" | head -n 1)"'
	dpkg-deb --fsys-tarfile "$root"/tmp/linux-image-*.deb |
		tar -xf - -C "$work" --wildcards './boot/vmlinuz*'
	rm "$root"/tmp/linux-image-*.deb
}

# The whole system is unpacked into the machine's memory.
pack() {
	(
		cd "$root"
		find . -xdev '(' -path ./var/lib/apt/lists -o \
			-path ./var/cache/apt ')' -prune -o -print |
			cpio --quiet -o -H newc | gzip -1
	) >"$work/image"
}

boot() {
	timeout $((minutes * 60)) qemu-system-x86_64 \
		-accel tcg,thread=multi -cpu max -smp 2 -m 4096 \
		-display none -monitor none -serial stdio -nic none -no-reboot \
		-kernel "$work"/boot/vmlinuz* -initrd "$work/image" \
		-append 'console=ttyS0 panic=-1 loglevel=0 systemd.show_status=0' \
		</dev/null
}

write_task "$@"
write_unit
fetch_kernel >/dev/null 2>&1
pack
boot
