// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What a DNS server may answer: any octets. The question asked is the one that
// the packet itself claims, so that its records are looked at too; of what is
// taken every octet must be there to be read.
//
// Under test: src/dns/packet.c
#include "config.h"

#include <arpa/nameser.h>
#include <stdlib.h>
#include <string.h>

#include "dns/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned sink;

static void
read_octets(const void *octets, size_t len)
{
	const uint8_t *at = octets;

	for (size_t i = 0; i < len; i++)
		sink += at[i];
}

static void
read_reply(const struct walk_reply *reply)
{
	for (size_t i = 0; i < reply->n_mx; i++)
		read_octets(reply->mx[i].name, strlen(reply->mx[i].name));
	for (size_t i = 0; i < reply->n_tlsa; i++)
		read_octets(reply->tlsa[i].data, reply->tlsa[i].len);
	if (reply->canonical != NULL)
		read_octets(reply->canonical, strlen(reply->canonical));
	if (reply->cause != NULL)
		read_octets(reply->cause, strlen(reply->cause));
	if (reply->aliased != (reply->canonical != NULL))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packet *packet;
	ns_msg msg;
	ns_rr question;

	if (size > NS_MAXMSG || ns_initparse(data, (int)size, &msg) < 0 ||
	    ns_msg_count(msg, ns_s_qd) < 1 ||
	    ns_parserr(&msg, ns_s_qd, 0, &question) < 0)
		return 0;
	if (packet_parse(data, size, ns_rr_name(question),
		(enum walk_type)ns_rr_type(question), WALK_INSECURE,
		&packet) < 0)
		return 0;
	read_reply(packet_reply(packet));
	packet_free(packet);
	return 0;
}
