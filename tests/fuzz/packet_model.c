// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors
#include "config.h"

#include "packet_model.h"

#include <string.h>
#include <strings.h>

#define ALIASES_MAX 16 // as src/README says
#define RECORDS_MAX 4096
#define TABLE_MAX   8192 // more than any message can hold

static ns_rr table[TABLE_MAX];
static const ns_rr *found[TABLE_MAX];

static bool
read_section(ns_msg *msg, ns_sect section, size_t *ret_n)
{
	*ret_n = ns_msg_count(*msg, section);
	for (size_t i = 0; i < *ret_n; i++)
		if (i == TABLE_MAX ||
		    ns_parserr(msg, section, (int)i, &table[i]) < 0)
			return false;
	return true;
}

static size_t
select_at(size_t n, const char *name, ns_type type)
{
	size_t n_found = 0;

	for (size_t i = 0; i < n; i++)
		if (ns_rr_class(table[i]) == ns_c_in &&
		    ns_rr_type(table[i]) == type &&
		    strcasecmp(ns_rr_name(table[i]), name) == 0)
			found[n_found++] = &table[i];
	return n_found;
}

static void
count_ttl(struct packet_model *model, uint32_t ttl_s)
{
	if (ttl_s >= UINT32_C(0x80000000))
		ttl_s = 0;
	if (!model->has_ttl || ttl_s < model->ttl_s)
		model->ttl_s = ttl_s;
	model->has_ttl = true;
}

// A name that fills its RDATA from skip on; "" is the root.
static bool
name_in(const ns_msg *msg, const ns_rr *rr, size_t skip, char *ret)
{
	const size_t len = ns_rr_rdlen(*rr);

	return len > skip && ns_name_uncompress(ns_msg_base(*msg),
				 ns_msg_end(*msg), ns_rr_rdata(*rr) + skip, ret,
				 WALK_NAME_MAX) == (int)(len - skip);
}

// One step; false: there are no two ends. *ret_more is false at the end.
static bool
step(const ns_msg *msg, size_t n, struct packet_model *model, bool *ret_more)
{
	size_t n_found = select_at(n, model->canonical, ns_t_cname);
	char target[WALK_NAME_MAX], first[WALK_NAME_MAX];

	*ret_more = n_found > 0;
	for (size_t i = 0; i < n_found; i++) {
		if (!name_in(msg, found[i], 0, i == 0 ? first : target) ||
		    (i > 0 && strcasecmp(first, target) != 0))
			return false;
		count_ttl(model, (uint32_t)ns_rr_ttl(*found[i]));
	}
	if (n_found > 0)
		memcpy(model->canonical, first, sizeof(first));
	model->n_aliases += n_found > 0;
	model->n_steps += (unsigned)n_found;
	return true;
}

static bool
fits(const ns_msg *msg, const ns_rr *rr)
{
	char name[WALK_NAME_MAX];

	switch ((int)ns_rr_type(*rr)) {
	case ns_t_a:
		return ns_rr_rdlen(*rr) == 4;
	case ns_t_aaaa:
		return ns_rr_rdlen(*rr) == 16;
	case ns_t_mx:
		return name_in(msg, rr, 2, name);
	case ns_t_cname:
		return name_in(msg, rr, 0, name);
	default:
		return true;
	}
}

// Two names and five numbers, of which the last is the denial's time to live.
static bool
read_soa(const ns_msg *msg, const ns_rr *rr, struct packet_model *model)
{
	const uint8_t *at = ns_rr_rdata(*rr), *end = at + ns_rr_rdlen(*rr);
	char name[WALK_NAME_MAX];

	for (int i = 0; i < 2; i++) {
		int len = ns_name_uncompress(ns_msg_base(*msg),
		    ns_msg_end(*msg), at, name, sizeof(name));

		if (len < 0 || len > end - at)
			return false;
		at += len;
	}
	if (end - at != 20)
		return false;
	count_ttl(model, (uint32_t)ns_rr_ttl(*rr));
	count_ttl(model, (uint32_t)ns_get32(at + 16));
	return true;
}

static bool
read_denial(ns_msg *msg, struct packet_model *model)
{
	bool has_soa = false;
	size_t n;

	if (!read_section(msg, ns_s_ns, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (ns_rr_type(table[i]) != ns_t_soa ||
		    ns_rr_class(table[i]) != ns_c_in)
			continue;
		if (!read_soa(msg, &table[i], model))
			return false;
		has_soa = true;
	}
	model->has_ttl = has_soa;
	return true;
}

static bool
read_records(
    ns_msg *msg, ns_type type, bool nxdomain, struct packet_model *model)
{
	bool more = type != ns_t_cname;
	size_t n;

	if (!read_section(msg, ns_s_an, &n))
		return false;
	while (more)
		if (!step(msg, n, model, &more) ||
		    model->n_aliases > ALIASES_MAX)
			return false;
	model->n = select_at(n, model->canonical, type);
	model->records = found;
	for (size_t i = 0; i < model->n; i++) {
		if (!fits(msg, found[i]))
			return false;
		count_ttl(model, (uint32_t)ns_rr_ttl(*found[i]));
	}
	model->content = nxdomain ? WALK_NXDOMAIN : WALK_NODATA;
	if (model->n == 0)
		return (n == 0 || model->n_aliases > 0) &&
		       read_denial(msg, model);
	model->content = WALK_DATA;
	return !nxdomain && model->n <= RECORDS_MAX;
}

bool
packet_model_read(
    ns_msg *msg, const char *name, ns_type type, struct packet_model *ret)
{
	int rcode = ns_msg_getflag(*msg, ns_f_rcode);
	ns_rr question;

	*ret = (struct packet_model){ .failed = false };
	memcpy(ret->canonical, name, strlen(name) + 1);
	if (!ns_msg_getflag(*msg, ns_f_qr) || ns_msg_getflag(*msg, ns_f_tc) ||
	    ns_msg_count(*msg, ns_s_qd) != 1 ||
	    ns_parserr(msg, ns_s_qd, 0, &question) < 0 ||
	    ns_rr_class(question) != ns_c_in)
		return false;
	ret->failed = rcode != ns_r_noerror && rcode != ns_r_nxdomain;
	return ret->failed ||
	       read_records(msg, type, rcode == ns_r_nxdomain, ret);
}
