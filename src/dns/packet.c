// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Answers in wire format, as a stranger may have written them: every octet is
// read by libc's ns_* functions, every copy is measured first. Knows neither
// who asked nor whether the answer can be trusted.
#include "config.h"

#include "dns/packet.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/dname.h"

// An alias chain longer than this is a loop or a mistake; libunbound gives up
// at eleven.
#define PACKET_ALIASES_MAX 16
// Records of one RRset; the walk looks at 64 hosts.
#define PACKET_RECORDS_MAX 4096

struct packet {
	struct walk_reply reply;
	struct walk_mx *mx;
	struct walk_rdata *tlsa;
	uint8_t *octets; // what mx and tlsa point to
	char canonical[WALK_NAME_MAX];
	char cause[PACKET_RCODE_MAX];
};

// One way through the packet. name is where on the alias chain we are.
struct way {
	ns_msg msg;
	ns_type type;
	char name[WALK_NAME_MAX];
	unsigned n_aliases;
	bool has_ttl;
	uint32_t ttl_s;
	size_t n, octets; // records found, and what their copies take
};

// An upper bound of what any presentation form takes; ns_rr.name has as much.
_Static_assert(WALK_NAME_MAX >= NS_MAXCDNAME * 4, "names fit");

static const char *
name_or_root(const char *name)
{
	return name[0] != '\0' ? name : ".";
}

// libc writes names in one form only (the same octets escaped, the same way),
// so equal strings are equal names.
static bool
same_name(const char *a, const char *b)
{
	return strcasecmp(name_or_root(a), name_or_root(b)) == 0;
}

// name in the form that libc would have written it.
static int
canonical_form(const char *name, char ret[WALK_NAME_MAX])
{
	uint8_t wire[NS_MAXCDNAME];

	if (ns_name_pton(name, wire, sizeof(wire)) < 0 ||
	    ns_name_ntop(wire, ret, WALK_NAME_MAX) < 0)
		return -EINVAL;
	return 0;
}

// A name within RDATA that ends where the RDATA ends.
static int
read_name(
    const ns_msg *msg, const ns_rr *rr, size_t skip, char ret[WALK_NAME_MAX])
{
	const uint8_t *rdata = ns_rr_rdata(*rr);
	int used;

	if (ns_rr_rdlen(*rr) <= skip)
		return -EBADMSG;
	used = ns_name_uncompress(ns_msg_base(*msg), ns_msg_end(*msg),
	    rdata + skip, ret, WALK_NAME_MAX);
	if (used < 0 || skip + (size_t)used != ns_rr_rdlen(*rr))
		return -EBADMSG;
	return 0;
}

// RFC 2181 s. 8: the top bit set means zero.
static uint32_t
record_ttl_s(const ns_rr *rr)
{
	uint32_t ttl_s = (uint32_t)ns_rr_ttl(*rr);

	return ttl_s > INT32_MAX ? 0 : ttl_s;
}

static void
lower_ttl(struct way *way, uint32_t ttl_s)
{
	if (!way->has_ttl || ttl_s < way->ttl_s)
		way->ttl_s = ttl_s;
	way->has_ttl = true;
}

// The next record of that type at way->name; 1, 0 at the end, or -EBADMSG.
static int
next_record(struct way *way, ns_type type, int *index, ns_rr *ret)
{
	while (*index < ns_msg_count(way->msg, ns_s_an)) {
		if (ns_parserr(&way->msg, ns_s_an, (*index)++, ret) < 0)
			return -EBADMSG;
		if (ns_rr_class(*ret) == ns_c_in && ns_rr_type(*ret) == type &&
		    same_name(ns_rr_name(*ret), way->name))
			return 1;
	}
	return 0;
}

// 1 if way->name is an alias: then it becomes the alias's target. Two different
// targets make no sense (RFC 2181 s. 10.1).
static int
follow_alias(struct way *way)
{
	char target[WALK_NAME_MAX], first[WALK_NAME_MAX];
	unsigned n_found = 0;
	int index = 0, r;
	ns_rr rr;

	while ((r = next_record(way, ns_t_cname, &index, &rr)) > 0) {
		if (read_name(&way->msg, &rr, 0, target) < 0)
			return -EBADMSG;
		if (n_found++ == 0)
			memcpy(first, target, sizeof(first));
		else if (!same_name(first, target))
			return -EBADMSG;
		lower_ttl(way, record_ttl_s(&rr));
	}
	if (r < 0 || n_found == 0)
		return r;
	memcpy(way->name, first, sizeof(way->name));
	return 1;
}

static int
follow_aliases(struct way *way)
{
	int r;

	if (way->type == ns_t_cname)
		return 0;
	while ((r = follow_alias(way)) > 0)
		if (++way->n_aliases > PACKET_ALIASES_MAX)
			return -EBADMSG;
	return r;
}

// How many octets a copy of the record takes, or -EBADMSG for RDATA that its
// type cannot have. TLSA may be of any length: tlsa_judge has its say.
static int
measure(const struct way *way, const ns_rr *rr)
{
	char name[WALK_NAME_MAX];

	switch ((int)way->type) {
	case ns_t_a:
		return ns_rr_rdlen(*rr) == NS_INADDRSZ ? 0 : -EBADMSG;
	case ns_t_aaaa:
		return ns_rr_rdlen(*rr) == NS_IN6ADDRSZ ? 0 : -EBADMSG;
	case ns_t_cname:
		return read_name(&way->msg, rr, 0, name);
	case ns_t_mx:
		if (read_name(&way->msg, rr, NS_INT16SZ, name) < 0)
			return -EBADMSG;
		return (int)strlen(name_or_root(name)) + 1;
	default:
		return ns_rr_rdlen(*rr);
	}
}

static int
measure_all(struct way *way)
{
	int index = 0, octets, r;
	ns_rr rr;

	while ((r = next_record(way, way->type, &index, &rr)) > 0) {
		octets = measure(way, &rr);
		if (octets < 0 || ++way->n > PACKET_RECORDS_MAX)
			return -EBADMSG;
		way->octets += (size_t)octets;
		lower_ttl(way, record_ttl_s(&rr));
	}
	return r;
}

// Copies one record that measure has seen; returns the octets it took.
static size_t
copy(struct packet *packet, const struct way *way, const ns_rr *rr,
    uint8_t *octets)
{
	struct walk_reply *reply = &packet->reply;
	char name[WALK_NAME_MAX];
	size_t len;

	if (way->type == ns_t_tlsa) {
		len = ns_rr_rdlen(*rr);
		if (len > 0)
			memcpy(octets, ns_rr_rdata(*rr), len);
		packet->tlsa[reply->n_tlsa++] =
		    (struct walk_rdata){ .data = octets, .len = len };
		return len;
	}
	if (way->type != ns_t_mx ||
	    read_name(&way->msg, rr, NS_INT16SZ, name) < 0)
		return 0;
	len = strlen(name_or_root(name)) + 1;
	memcpy(octets, name_or_root(name), len);
	packet->mx[reply->n_mx++] = (struct walk_mx){
		.preference = (uint16_t)ns_get16(ns_rr_rdata(*rr)),
		.name = (const char *)octets,
	};
	return len;
}

static int
copy_all(struct packet *packet, struct way *way)
{
	size_t used = 0;
	int index = 0;
	ns_rr rr;

	packet->octets = malloc(way->octets + 1);
	if (way->type == ns_t_mx)
		packet->mx = calloc(way->n, sizeof(*packet->mx));
	if (way->type == ns_t_tlsa)
		packet->tlsa = calloc(way->n, sizeof(*packet->tlsa));
	if (packet->octets == NULL ||
	    (way->type == ns_t_mx && packet->mx == NULL) ||
	    (way->type == ns_t_tlsa && packet->tlsa == NULL))
		return -ENOMEM;
	while (next_record(way, way->type, &index, &rr) > 0)
		used += copy(packet, way, &rr, packet->octets + used);
	packet->reply.mx = packet->mx;
	packet->reply.tlsa = packet->tlsa;
	return 0;
}

// The smaller of the SOA's TTL and its last field (RFC 2308 s. 5).
static int
soa_ttl(const ns_msg *msg, const ns_rr *rr, uint32_t *ret_ttl_s)
{
	const uint8_t *at = ns_rr_rdata(*rr), *end = at + ns_rr_rdlen(*rr);
	uint32_t minimum_s;
	char name[WALK_NAME_MAX];
	int used;

	for (int i = 0; i < 2; i++) {
		used = ns_name_uncompress(ns_msg_base(*msg), ns_msg_end(*msg),
		    at, name, sizeof(name));
		if (used < 0 || used > end - at)
			return -EBADMSG;
		at += used;
	}
	if (end - at != 5 * NS_INT32SZ)
		return -EBADMSG;
	minimum_s = (uint32_t)ns_get32(end - NS_INT32SZ);
	if (minimum_s > INT32_MAX)
		minimum_s = 0;
	*ret_ttl_s =
	    minimum_s < record_ttl_s(rr) ? minimum_s : record_ttl_s(rr);
	return 0;
}

// A denial without SOA has no lifetime of its own, whatever its aliases have.
static int
read_denial(struct way *way)
{
	uint32_t ttl_s;
	bool found = false;
	ns_rr rr;

	for (int i = 0; i < ns_msg_count(way->msg, ns_s_ns); i++) {
		if (ns_parserr(&way->msg, ns_s_ns, i, &rr) < 0)
			return -EBADMSG;
		if (ns_rr_type(rr) != ns_t_soa || ns_rr_class(rr) != ns_c_in)
			continue;
		if (soa_ttl(&way->msg, &rr, &ttl_s) < 0)
			return -EBADMSG;
		lower_ttl(way, ttl_s);
		found = true;
	}
	way->has_ttl = found;
	return 0;
}

const char *
packet_rcode_text(int rcode, char ret[PACKET_RCODE_MAX])
{
	static const char *const names[] = {
		[ns_r_formerr] = "FORMERR",
		[ns_r_servfail] = "SERVFAIL",
		[ns_r_notimpl] = "NOTIMP",
		[ns_r_refused] = "REFUSED",
		[ns_r_yxdomain] = "YXDOMAIN",
		[ns_r_notauth] = "NOTAUTH",
	};

	if (rcode > 0 && (size_t)rcode < sizeof(names) / sizeof(names[0]) &&
	    names[rcode] != NULL)
		return names[rcode];
	(void)snprintf(ret, PACKET_RCODE_MAX, "RCODE %d", rcode);
	return ret;
}

// The question is ours, and the answer is whole.
static int
check_head(struct way *way)
{
	ns_rr rr;

	if (!ns_msg_getflag(way->msg, ns_f_qr) ||
	    ns_msg_getflag(way->msg, ns_f_tc) ||
	    ns_msg_count(way->msg, ns_s_qd) != 1 ||
	    ns_parserr(&way->msg, ns_s_qd, 0, &rr) < 0)
		return -EBADMSG;
	if (ns_rr_type(rr) != way->type || ns_rr_class(rr) != ns_c_in ||
	    !same_name(ns_rr_name(rr), way->name))
		return -EBADMSG;
	return 0;
}

static int
read_answer(struct packet *packet, struct way *way, bool nxdomain)
{
	struct walk_reply *reply = &packet->reply;
	int r = follow_aliases(way);

	if (r == 0)
		r = measure_all(way);
	if (r < 0)
		return r;
	if (way->n > 0) {
		if (nxdomain)
			return -EBADMSG;
		reply->content = WALK_DATA;
		return copy_all(packet, way);
	}
	// Records, and none about the name asked for: no answer to us.
	if (way->n_aliases == 0 && ns_msg_count(way->msg, ns_s_an) > 0)
		return -EBADMSG;
	reply->content = nxdomain ? WALK_NXDOMAIN : WALK_NODATA;
	return read_denial(way);
}

static void
finish_reply(
    struct packet *packet, const struct way *way, enum walk_security security)
{
	struct walk_reply *reply = &packet->reply;

	reply->security = security;
	reply->has_ttl = way->has_ttl;
	reply->ttl_s = way->has_ttl ? way->ttl_s : 0;
	reply->aliased = way->n_aliases > 0;
	if (reply->aliased) {
		memcpy(packet->canonical, name_or_root(way->name),
		    strlen(name_or_root(way->name)) + 1);
		reply->canonical = packet->canonical;
	}
}

static int
parse(struct packet *packet, struct way *way, enum walk_security security)
{
	int rcode, r = check_head(way);

	if (r < 0)
		return r;
	rcode = ns_msg_getflag(way->msg, ns_f_rcode);
	if (rcode != ns_r_noerror && rcode != ns_r_nxdomain) {
		packet->reply.cause = packet_rcode_text(rcode, packet->cause);
		return 0;
	}
	r = read_answer(packet, way, rcode == ns_r_nxdomain);
	if (r == 0)
		finish_reply(packet, way, security);
	return r;
}

int
packet_parse(const uint8_t *wire, size_t len, const char *name,
    enum walk_type type, enum walk_security security, struct packet **ret)
{
	struct way way = { .type = (ns_type)type };
	struct packet *packet;
	int r;

	if (canonical_form(name, way.name) < 0 || len > NS_MAXMSG ||
	    ns_initparse(wire, (int)len, &way.msg) < 0)
		return -EBADMSG;
	packet = calloc(1, sizeof(*packet));
	if (packet == NULL)
		return -ENOMEM;
	r = parse(packet, &way, security);
	if (r < 0)
		packet_free(packet);
	else
		*ret = packet;
	return r;
}

// RFC 4034 s. 3.1: where fields lie in the RDATA of an RRSIG.
#define RRSIG_COVERED    0
#define RRSIG_TTL        4
#define RRSIG_EXPIRATION 8
#define RRSIG_FIXED      18 // with all before the signer's name

static uint32_t
signed_ttl_s(const uint8_t *rdata, uint32_t now_s)
{
	uint32_t ttl_s = (uint32_t)ns_get32(rdata + RRSIG_TTL);
	// RFC 1982: whatever the difference, it is less than 68 years.
	int32_t left_s =
	    (int32_t)((uint32_t)ns_get32(rdata + RRSIG_EXPIRATION) - now_s);

	if (left_s < 0)
		return 0;
	return ttl_s < (uint32_t)left_s ? ttl_s : (uint32_t)left_s;
}

// What stands in the authority section counts if it denies something.
static bool
is_signature(const ns_rr *rr, ns_sect section)
{
	unsigned covered;

	if (ns_rr_type(*rr) != ns_t_rrsig || ns_rr_class(*rr) != ns_c_in ||
	    ns_rr_rdlen(*rr) < RRSIG_FIXED)
		return false;
	covered = ns_get16(ns_rr_rdata(*rr) + RRSIG_COVERED);
	return section == ns_s_an || covered == ns_t_soa ||
	       covered == ns_t_nsec || covered == ns_t_nsec3;
}

static void
limit_ttl(
    struct walk_reply *reply, ns_msg *msg, ns_sect section, uint32_t now_s)
{
	uint32_t ttl_s;
	ns_rr rr;

	for (int i = 0; i < ns_msg_count(*msg, section); i++) {
		if (ns_parserr(msg, section, i, &rr) < 0)
			return;
		if (!is_signature(&rr, section))
			continue;
		ttl_s = signed_ttl_s(ns_rr_rdata(rr), now_s);
		if (ttl_s < reply->ttl_s)
			reply->ttl_s = ttl_s;
	}
}

void
packet_limit_ttl(
    struct packet *packet, const uint8_t *wire, size_t len, uint32_t now_s)
{
	ns_msg msg;

	if (len > NS_MAXMSG || ns_initparse(wire, (int)len, &msg) < 0)
		return;
	limit_ttl(&packet->reply, &msg, ns_s_an, now_s);
	limit_ttl(&packet->reply, &msg, ns_s_ns, now_s);
}

static const char *
end_that_is(const char *name, const char *owner)
{
	while ((name = dname_parent(name)) != NULL)
		if (same_name(name, owner))
			break;
	return name;
}

const char *
packet_dname_above(const uint8_t *wire, size_t len, const char *name)
{
	const char *above = NULL;
	ns_msg msg;
	ns_rr rr;

	if (len > NS_MAXMSG || ns_initparse(wire, (int)len, &msg) < 0)
		return NULL;
	for (int i = 0; i < ns_msg_count(msg, ns_s_an) && above == NULL; i++) {
		if (ns_parserr(&msg, ns_s_an, i, &rr) < 0)
			return NULL;
		if (ns_rr_type(rr) == ns_t_dname && ns_rr_class(rr) == ns_c_in)
			above = end_that_is(name, ns_rr_name(rr));
	}
	return above;
}

struct tour {
	packet_visitor *visit;
	void *arg;
};

static void
show(const struct tour *tour, const struct way *way, const ns_rr *rr,
    const char *name)
{
	tour->visit(tour->arg, &(struct packet_record){
				   .owner = name_or_root(way->name),
				   .type = (enum walk_type)ns_rr_type(*rr),
				   .ttl_s = record_ttl_s(rr),
				   .name = name,
				   .rdata = ns_rr_rdata(*rr),
				   .len = ns_rr_rdlen(*rr),
			       });
}

// All records of one type at way->name; a name in them lies behind skip octets.
static int
show_all(struct tour *tour, struct way *way, ns_type type, size_t skip)
{
	char name[WALK_NAME_MAX];
	bool has_name = type == ns_t_cname || type == ns_t_mx;
	int index = 0, r;
	ns_rr rr;

	while ((r = next_record(way, type, &index, &rr)) > 0) {
		if (has_name && read_name(&way->msg, &rr, skip, name) < 0)
			return -EBADMSG;
		show(tour, way, &rr, has_name ? name_or_root(name) : NULL);
	}
	return r;
}

static int
show_aliases(struct tour *tour, struct way *way)
{
	int r;

	if (way->type == ns_t_cname)
		return 0;
	do {
		if (way->n_aliases++ > PACKET_ALIASES_MAX)
			return -EBADMSG;
		r = show_all(tour, way, ns_t_cname, 0);
		if (r == 0)
			r = follow_alias(way);
	} while (r > 0);
	return r;
}

int
packet_visit(const uint8_t *wire, size_t len, const char *name,
    enum walk_type type, packet_visitor *visit, void *arg)
{
	struct tour tour = { visit, arg };
	struct way way = { .type = (ns_type)type };
	int r;

	if (canonical_form(name, way.name) < 0 || len > NS_MAXMSG ||
	    ns_initparse(wire, (int)len, &way.msg) < 0 || check_head(&way) < 0)
		return -EBADMSG;
	r = show_aliases(&tour, &way);
	if (r < 0)
		return r;
	return show_all(
	    &tour, &way, way.type, way.type == ns_t_mx ? NS_INT16SZ : 0);
}

const struct walk_reply *
packet_reply(const struct packet *packet)
{
	return &packet->reply;
}

void
packet_free(struct packet *packet)
{
	if (packet == NULL)
		return;
	free(packet->octets);
	free(packet->tlsa);
	free(packet->mx);
	free(packet);
}
