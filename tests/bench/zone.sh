#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
#
# One signed root zone (P-256) that holds N domains with everything a cold
# answer needs, and NSD to serve it on a port of loopback: what a validator can
# do at most, with no round trip in the way.
#
#	zone.sh FOLDER N PORT      makes FOLDER/{root.key,domains,nsd.conf}
set -eu
folder=$1 n=$2 port=$3
cd "$folder"

awk -v n="$n" 'BEGIN {
	print ". 86400 SOA ns. admin. 1 3600 900 86400 3600"
	print ". 86400 NS ns."
	print "ns. 86400 A 127.0.0.1"
	for (i = 0; i < n; i++) {
		d = "d" i ".bench."
		print d " 3600 MX 10 mx." d
		print "mx." d " 3600 A 127.0.0.1"
		print "mx." d " 3600 AAAA ::1"
		printf "_25._tcp.mx.%s 3600 TLSA 3 1 1 %064x\n", d, i
		print "d" i ".bench" > "domains"
	}
}' > root.zone

ksk=$(ldns-keygen -a ECDSAP256SHA256 -k .)
zsk=$(ldns-keygen -a ECDSAP256SHA256 .)
ldns-signzone -o . -f root.signed root.zone "$zsk" "$ksk" > /dev/null
cp "$ksk.key" root.key

cat > nsd.conf <<EOF
server:
	ip-address: 127.0.0.1@$port
	port: $port
	username: ""
	chroot: ""
	zonesdir: "$folder"
	database: ""
	pidfile: "$folder/nsd.pid"
	xfrdfile: "$folder/xfrd.state"
	zonelistfile: "$folder/zone.list"
	xfrdir: "$folder"
	logfile: "$folder/nsd.log"
	hide-version: yes
	rrl-ratelimit: 0
remote-control:
	control-enable: no
zone:
	name: "."
	zonefile: root.signed
EOF
