#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
#
# The service under a systemd that is process 1: started by a question,
# restarted, killed and stopped while questions never end, watched, reloaded,
# read in the journal. Speaks TAP.
#
#	service.sh PACKAGE.deb
set -u

package=$1
conf=/etc/danemap/danemapd.conf
rules=/etc/danemap/policy
cache=/run/danemapd/cache
work=$(mktemp -d)
n=0

export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
trap 'rm -rf "$work"' EXIT

report() {
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		echo "$2" | sed 's/^/# /'
	fi
}

# What a command said, if it failed.
try() {
	"$@" >"$work/said" 2>&1 || {
		tail -n 20 "$work/said"
		echo "failed: $*"
	}
}

# wait_for COMMAND...: says if it did not come true within a minute.
wait_for() {
	for _ in $(seq 600); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.1
	done
	echo "in vain: $*"
}

property() { systemctl show danemapd.service -p "$1" --value; }
is_active() { [ "$(property ActiveState)" = active ]; }
is_another_than() { is_active && [ "$(property MainPID)" != "$1" ]; }

# An address needs no DNS: it is "not found".
ask() {
	said=$(danemap query '[192.0.2.1]' 2>&1)
	case $said in
	*NOTFOUND*) ;;
	*) echo "the answer is: $said" ;;
	esac
}

# Four who ask without an end, and keep what went wrong.
keep_asking() {
	: >"$work/asking"
	for asker in 1 2 3 4; do
		while [ -e "$work/asking" ]; do
			ask
			echo . >>"$work/asked.$asker"
		done >"$work/failures.$asker" 2>&1 &
	done
}

stop_asking() {
	rm "$work/asking"
	wait
	cat "$work"/failures.* | sort | uniq -c | head -n 5
	asked=$(cat "$work"/asked.* | wc -l)
	echo "# $asked questions" >&3
	[ "$asked" -gt 20 ] || echo "only $asked questions"
	rm "$work"/asked.*
}

restart_often() {
	keep_asking
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		try systemctl restart danemapd.service
	done
	try apt-get -q -y install --reinstall "$package"
	wait_for is_active
	stop_asking
}

# Who was being answered is told that it ends, and would ask again.
kill_main() {
	keep_asking
	for _ in 1 2 3; do
		pid=$(property MainPID)
		kill -9 "$pid"
		wait_for is_another_than "$pid"
	done
	stop_asking | grep -v 'the daemon closed the connection'
}

# Its watchdog is fed by nobody.
freeze_main() {
	pid=$(property MainPID)
	kill -STOP "$pid"
	wait_for is_another_than "$pid"
	ask
}

start_by_question() {
	try systemctl stop danemapd.service
	! is_active || echo "it is not stopped"
	ask
	wait_for is_active
}

check_status() {
	wait_for sh -c 'systemctl show danemapd.service -p StatusText |
		grep -q "serving: .* questions"'
}

reload() {
	echo 'relay.example none until=2020-01-01' >$rules
	echo "policy_file = $rules" >>$conf
	try systemctl reload danemapd.service
}

refuse_reload() {
	pid=$(property MainPID)
	cp $conf "$work/conf"
	echo 'no_dane_reply = perhaps' >>$conf
	! systemctl reload danemapd.service 2>/dev/null ||
		echo "the reload has not failed"
	journalctl -q -o cat -u danemapd | grep -q 'no_dane_reply.*perhaps' ||
		echo "the journal does not say why"
	cp "$work/conf" $conf
	[ "$(property MainPID)" = "$pid" ] || echo "it is another process"
	ask
}

kill_worker() {
	for one in $(pidof danemapd); do
		! grep -q '^danemapd-work' "/proc/$one/comm" || kill -9 "$one"
	done
	ask
}

# event NAME ID: it is in the journal.
event() {
	wait_for sh -c "journalctl -q -o cat -u danemapd MESSAGE_ID=$1 |
		grep -q ."
}

check_exposure() {
	systemd-analyze security --no-pager danemapd.service |
		grep -q 'exposure level for danemapd.service: 1\.[01] ' ||
		systemd-analyze security --no-pager danemapd.service | tail -n 1
}

# systemd's own filter adds to each process's.
check_processes() {
	for one in $(pidof danemapd); do
		grep -q "^Uid:.*$(id -u danemap)\$" "/proc/$one/status" &&
			grep -q '^CapBnd:.*0000000000$' "/proc/$one/status" &&
			grep -q '^Seccomp:.*2$' "/proc/$one/status" ||
			grep -E '^(Name|Uid|CapBnd|Seccomp)' "/proc/$one/status"
	done
}

exec 3>&1
faults=$(try apt-get -q -y install "$package")
report 'the package installs' "$faults"
[ -z "$faults" ] || exit 1
report 'its service comes to serve' "$(wait_for is_active)"
report 'it answers' "$(ask)"
inode=$(stat -c %i $cache)
report 'ten restarts and an upgrade fail no question' "$(restart_often)"
report 'a killed parent is replaced, and all who ask anew are answered' "$(kill_main)"
report 'one that hangs is ended by the watchdog and replaced' "$(freeze_main)"
report 'the cache is still the same file' \
	"$([ "$(stat -c %i $cache)" = "$inode" ] || ls -li $cache)"
report 'stopped, it is started by a question' "$(start_by_question)"
report 'its status is told in words' "$(check_status)"
report 'systemctl reload puts a configuration in force' "$(reload)"
report 'systemctl reload refuses one that is wrong, and says why' \
	"$(refuse_reload)"
report 'a killed worker fails no question after it' "$(kill_worker)"
report 'the journal has the lost worker' \
	"$(event cfdf8ea17adb474783e3a9cfcf2a9cb6)"
report 'the journal has the root that does not validate' \
	"$(event 9ac1b3c686c84ecf963670098d0d62d2)"
report 'the journal has the rule that has expired' \
	"$(event 5893efac51434408b0d8028492919bb8)"
report 'its exposure level is at most 1.1' "$(check_exposure)"
report 'its processes are confined' "$(check_processes)"
echo "1..$n"
