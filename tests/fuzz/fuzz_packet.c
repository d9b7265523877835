// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What a DNS server may answer: any octets. The question asked is the one that
// the packet itself claims, so that its records are looked at too. What is
// taken, and what is made of it, must be what packet_model.h reads; and of it
// every octet must be there to be read.
//
// Under test: src/dns/packet.c
#include "config.h"

#include "input.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dns/packet.h"
#include "packet_model.h"

#define SOME_TIME_S 1800000000u

struct question {
	const char *name;
	ns_type type;
};

static volatile unsigned sink;

static void
read_octets(const void *octets, size_t len)
{
	const uint8_t *at = octets;

	for (size_t i = 0; i < len; i++)
		sink += at[i];
}

// The root is written as "." and "".
static bool
same_name(const char *a, const char *b)
{
	return strcasecmp(a[0] == '\0' ? "." : a, b[0] == '\0' ? "." : b) == 0;
}

static void
check_mx(ns_msg *msg, const struct walk_mx *mx, const ns_rr *rr)
{
	const uint8_t *rdata = ns_rr_rdata(*rr);
	char name[WALK_NAME_MAX];

	REQUIRE(mx->preference == (rdata[0] << 8 | rdata[1]));
	REQUIRE(ns_name_uncompress(ns_msg_base(*msg), ns_msg_end(*msg),
		    rdata + 2, name, sizeof(name)) > 0);
	REQUIRE(same_name(mx->name, name));
}

static void
check_records(ns_msg *msg, const struct walk_reply *reply, ns_type type,
    const struct packet_model *model)
{
	REQUIRE(reply->n_mx == (type == ns_t_mx ? model->n : 0));
	REQUIRE(reply->n_tlsa == ((int)type == WALK_TLSA ? model->n : 0));
	for (size_t i = 0; i < reply->n_mx; i++)
		check_mx(msg, &reply->mx[i], model->records[i]);
	for (size_t i = 0; i < reply->n_tlsa; i++) {
		const struct walk_rdata *tlsa = &reply->tlsa[i];
		const ns_rr *rr = model->records[i];

		REQUIRE(tlsa->len == ns_rr_rdlen(*rr));
		REQUIRE(tlsa->len == 0 ||
			memcmp(tlsa->data, ns_rr_rdata(*rr), tlsa->len) == 0);
		read_octets(tlsa->data, tlsa->len);
	}
}

static void
check_reply(ns_msg *msg, const struct walk_reply *reply, ns_type type,
    const struct packet_model *model)
{
	if (model->failed) {
		REQUIRE(reply->security == WALK_FAILED);
		REQUIRE(reply->cause != NULL && reply->cause[0] != '\0');
		return;
	}
	REQUIRE(reply->security == WALK_INSECURE);
	REQUIRE(reply->content == model->content);
	REQUIRE(reply->has_ttl == model->has_ttl);
	REQUIRE(reply->ttl_s == (model->has_ttl ? model->ttl_s : 0));
	REQUIRE(reply->aliased == (model->n_aliases > 0));
	REQUIRE(reply->aliased == (reply->canonical != NULL));
	REQUIRE(
	    !reply->aliased || same_name(reply->canonical, model->canonical));
	check_records(msg, reply, type, model);
}

static void
count_record(void *arg, const struct packet_record *record)
{
	size_t *n = arg;

	read_octets(record->owner, strlen(record->owner));
	if (record->name != NULL)
		read_octets(record->name, strlen(record->name));
	read_octets(record->rdata, record->len);
	++*n;
}

// What people are shown are the records that count, each once.
static void
check_visit(const uint8_t *data, size_t size, const struct question *question,
    const struct packet_model *model)
{
	size_t n = 0;
	int r = packet_visit(data, size, question->name,
	    (enum walk_type)question->type, count_record, &n);

	if (model == NULL || model->failed)
		return;
	REQUIRE(r == 0);
	REQUIRE(n == model->n + model->n_steps);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packet_model model;
	struct packet *packet;
	ns_msg msg;
	ns_rr rr;

	if (size > NS_MAXMSG || ns_initparse(data, (int)size, &msg) < 0 ||
	    ns_msg_count(msg, ns_s_qd) < 1 ||
	    ns_parserr(&msg, ns_s_qd, 0, &rr) < 0)
		return 0;
	const struct question question = { ns_rr_name(rr), ns_rr_type(rr) };
	bool sound =
	    packet_model_read(&msg, question.name, question.type, &model);
	int r = packet_parse(data, size, question.name,
	    (enum walk_type)question.type, WALK_INSECURE, &packet);

	check_visit(data, size, &question, sound ? &model : NULL);
	REQUIRE(r == (sound ? 0 : -EBADMSG));
	if (r != 0)
		return 0;
	check_reply(&msg, packet_reply(packet), question.type, &model);
	uint32_t ttl_s = packet_reply(packet)->ttl_s;
	packet_limit_ttl(packet, data, size, SOME_TIME_S);
	REQUIRE(packet_reply(packet)->ttl_s <= ttl_s);
	packet_free(packet);
	return 0;
}
