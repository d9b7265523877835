// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// packet_parse against packets made from text here, and against octets that no
// honest server would send.
#include "config.h"

#include "dns/packet.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "table.h"

#define WIRE_MAX 65535
#define NO_TTL   UINT32_MAX

struct wire {
	uint8_t octets[WIRE_MAX];
	size_t len;
};

static void
put(struct wire *wire, const void *octets, size_t len)
{
	assert(len <= WIRE_MAX - wire->len);
	memcpy(wire->octets + wire->len, octets, len);
	wire->len += len;
}

static void
put16(struct wire *wire, unsigned value)
{
	put(wire, (uint8_t[]){ (uint8_t)(value >> 8), (uint8_t)value }, 2);
}

static void
put32(struct wire *wire, uint32_t value)
{
	put16(wire, value >> 16);
	put16(wire, value & 0xffff);
}

static void
put_name(struct wire *wire, const char *name)
{
	uint8_t octets[NS_MAXCDNAME];
	const uint8_t *end = octets;

	assert_true(ns_name_pton(name, octets, sizeof(octets)) >= 0);
	while (*end != 0)
		end += *end + 1;
	put(wire, octets, (size_t)(end + 1 - octets));
}

static void
put_hex(struct wire *wire, const char *hex)
{
	unsigned octet;

	for (; *hex != '\0'; hex += 2) {
		assert_int_equal(sscanf(hex, "%2x", &octet), 1);
		put(wire, &(uint8_t){ (uint8_t)octet }, 1);
	}
}

static unsigned
type_number(const char *name)
{
	static const struct {
		const char *name;
		unsigned number;
	} types[] = { { "A", 1 }, { "NS", 2 }, { "CNAME", 5 }, { "SOA", 6 },
		{ "MX", 15 }, { "AAAA", 28 }, { "DNAME", 39 }, { "RRSIG", 46 },
		{ "NSEC", 47 }, { "NSEC3", 50 }, { "TLSA", 52 } };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].name, name) == 0)
			return types[i].number;
	fail_msg("the builder does not know %s", name);
	return 0;
}

// "TYPE TTL EXPIRATION": what it covers, and what of it is of interest here.
static void
put_signature(struct wire *wire, const char *text)
{
	uint32_t ttl_s, expiration;
	char covered[16];

	assert_int_equal(
	    sscanf(text, "%15s %u %u", covered, &ttl_s, &expiration), 3);
	put16(wire, type_number(covered));
	put16(wire, 0x0d02);
	put32(wire, ttl_s);
	put32(wire, expiration);
	put32(wire, 0);
	put16(wire, 4711);
	put_name(wire, "example");
}

// "10 mx.example", "192.0.2.1", "target.example", "300" for the minimum of a
// SOA, "A 300 1000" for an RRSIG, or hexadecimal after "# ".
static void
put_rdata(struct wire *wire, unsigned type, const char *text)
{
	uint8_t address[16];
	char name[256];
	unsigned number;

	if (strncmp(text, "# ", 2) == 0) {
		put_hex(wire, text + 2);
	} else if (type == ns_t_a || type == ns_t_aaaa) {
		int family = type == ns_t_a ? AF_INET : AF_INET6;
		assert_int_equal(inet_pton(family, text, address), 1);
		put(wire, address, type == ns_t_a ? 4 : 16);
	} else if (type == ns_t_mx) {
		assert_int_equal(sscanf(text, "%u %255s", &number, name), 2);
		put16(wire, number);
		put_name(wire, name);
	} else if (type == ns_t_soa) {
		put_name(wire, "ns.example");
		put_name(wire, ".");
		for (int i = 0; i < 4; i++)
			put32(wire, 7);
		put32(wire, (uint32_t)strtoul(text, NULL, 10));
	} else if (type == ns_t_rrsig) {
		put_signature(wire, text);
	} else {
		put_name(wire, text);
	}
}

// "OWNER TTL TYPE RDATA", one a line; class 3 (CHAOS) where TYPE begins with
// '!'. Returns how many.
static unsigned
put_records(struct wire *wire, const char *text)
{
	char owner[256], type[16], rdata[512];
	unsigned n = 0, used;
	uint32_t ttl_s;
	size_t at;

	for (; text != NULL && *text != '\0'; n++, text += used) {
		int end = 0;

		int n_read = sscanf(text, "%255s %u %15s %511[^\n]%n", owner,
		    &ttl_s, type, rdata, &end);
		assert_int_equal(n_read, 4);
		used = (unsigned)end + (text[end] == '\n');
		put_name(wire, owner);
		put16(wire, type_number(type + (*type == '!')));
		put16(wire, *type == '!' ? 3 : 1);
		put32(wire, ttl_s);
		at = wire->len;
		put16(wire, 0);
		put_rdata(wire, type_number(type + (*type == '!')), rdata);
		wire->octets[at] = (uint8_t)((wire->len - at - 2) >> 8);
		wire->octets[at + 1] = (uint8_t)(wire->len - at - 2);
	}
	return n;
}

#define FLAG_QR 0x8000u
#define FLAG_TC 0x0200u

struct message {
	const char *name;
	enum walk_type type;
	unsigned flags, rcode;
	const char *answer, *authority;
};

static void
build(struct wire *wire, const struct message *message)
{
	unsigned n;

	wire->len = 0;
	put16(wire, 0x1234);
	put16(wire, FLAG_QR | message->flags | message->rcode);
	put16(wire, 1);
	put16(wire, 0);
	put16(wire, 0);
	put16(wire, 0);
	put_name(wire, message->name);
	put16(wire, message->type);
	put16(wire, ns_c_in);
	n = put_records(wire, message->answer);
	wire->octets[6] = (uint8_t)(n >> 8);
	wire->octets[7] = (uint8_t)n;
	n = put_records(wire, message->authority);
	wire->octets[9] = (uint8_t)n;
}

// ---- What an answer says ----

static const struct answer_row {
	const char *sentence;
	struct message message;
	enum walk_content content;
	uint32_t ttl_s; // NO_TTL: none
	const char *canonical;
} answer_rows[] = {
	{ "an address is data with its TTL",
	    { "a.example", WALK_A, .answer = "a.example 300 A 192.0.2.1" },
	    WALK_DATA, 300, NULL },
	{ "of several addresses the smallest TTL counts",
	    { "a.example", WALK_A,
		.answer = "a.example 300 A 192.0.2.1\n"
			  "a.example 200 A 192.0.2.2\n"
			  "a.example 400 A 192.0.2.3" },
	    WALK_DATA, 200, NULL },
	{ "an IPv6 address is data",
	    { "a.example", WALK_AAAA,
		.answer = "a.example 9 AAAA 2001:db8::1" },
	    WALK_DATA, 9, NULL },
	{ "names are the same in upper and lower case",
	    { "A.example", WALK_A, .answer = "a.EXAMPLE 300 A 192.0.2.1" },
	    WALK_DATA, 300, NULL },
	{ "a dot within a label is no border",
	    { "a\\.b.example", WALK_A,
		.answer = "a\\.b.example 300 A 192.0.2.1" },
	    WALK_DATA, 300, NULL },
	{ "the root can be asked about",
	    { ".", WALK_MX, .answer = ". 300 MX 1 mx.example" }, WALK_DATA, 300,
	    NULL },
	{ "an alias is followed, and the smaller TTL counts",
	    { "a.example", WALK_A,
		.answer = "a.example 60 CNAME b.example\n"
			  "b.example 300 A 192.0.2.1" },
	    WALK_DATA, 60, "b.example" },
	{ "a chain of aliases may come in any order",
	    { "a.example", WALK_A,
		.answer = "c.example 300 A 192.0.2.1\n"
			  "b.example 50 CNAME c.example\n"
			  "a.example 60 CNAME B.example" },
	    WALK_DATA, 50, "c.example" },
	{ "an alias made from a DNAME is followed",
	    { "a.old.example", WALK_A,
		.answer = "old.example 60 DNAME new.example\n"
			  "a.old.example 60 CNAME a.new.example\n"
			  "a.new.example 300 A 192.0.2.1" },
	    WALK_DATA, 60, "a.new.example" },
	{ "an alias of the root is an alias",
	    { "a.example", WALK_A, .answer = "a.example 60 CNAME ." },
	    WALK_NODATA, NO_TTL, "." },
	{ "an alias given twice is one alias",
	    { "a.example", WALK_A,
		.answer = "a.example 60 CNAME b.example\n"
			  "a.example 50 CNAME B.EXAMPLE\n"
			  "b.example 300 A 192.0.2.1" },
	    WALK_DATA, 50, "b.example" },
	{ "who asks for an alias gets it unfollowed",
	    { "a.example", WALK_CNAME,
		.answer = "a.example 60 CNAME b.example\n"
			  "b.example 5 CNAME c.example" },
	    WALK_DATA, 60, NULL },
	{ "records of other names, types and classes do not count",
	    { "a.example", WALK_A,
		.answer = "a.example 300 A 192.0.2.1\n"
			  "b.example 1 A 192.0.2.2\n"
			  "a.example 2 AAAA 2001:db8::1\n"
			  "a.example 3 !A 192.0.2.3\n"
			  "a.example 4 RRSIG # 00" },
	    WALK_DATA, 300, NULL },
	{ "a TTL with the top bit set counts as nothing",
	    { "a.example", WALK_A,
		.answer = "a.example 2147483648 A 192.0.2.1" },
	    WALK_DATA, 0, NULL },
	{ "the largest TTL there is counts in full",
	    { "a.example", WALK_A,
		.answer = "a.example 2147483647 A 192.0.2.1" },
	    WALK_DATA, 2147483647, NULL },
	{ "no data lives as long as the SOA's minimum field says",
	    { "a.example", WALK_A, .authority = "example 3600 SOA 300" },
	    WALK_NODATA, 300, NULL },
	{ "no data lives no longer than the SOA itself",
	    { "a.example", WALK_A, .authority = "example 30 SOA 300" },
	    WALK_NODATA, 30, NULL },
	{ "a minimum field with the top bit set counts as nothing",
	    { "a.example", WALK_A, .authority = "example 30 SOA 4294967295" },
	    WALK_NODATA, 0, NULL },
	{ "no data without SOA has no TTL", { "a.example", WALK_A, .rcode = 0 },
	    WALK_NODATA, NO_TTL, NULL },
	{ "a SOA of another class gives no TTL",
	    { "a.example", WALK_A, .authority = "example 30 !SOA 300" },
	    WALK_NODATA, NO_TTL, NULL },
	{ "an alias without data behind it is no data, with the smallest TTL",
	    { "a.example", WALK_A, .answer = "a.example 20 CNAME b.example",
		.authority = "example 30 SOA 300" },
	    WALK_NODATA, 20, "b.example" },
	{ "an alias without data and SOA has no TTL",
	    { "a.example", WALK_A, .answer = "a.example 20 CNAME b.example" },
	    WALK_NODATA, NO_TTL, "b.example" },
	{ "NXDOMAIN is no name, with the SOA's TTL",
	    { "a.example", WALK_A, .rcode = 3,
		.authority = "example 3600 SOA 300" },
	    WALK_NXDOMAIN, 300, NULL },
	{ "NXDOMAIN behind an alias is that of its end",
	    { "a.example", WALK_A, .rcode = 3,
		.answer = "a.example 20 CNAME b.example",
		.authority = "example 30 SOA 300" },
	    WALK_NXDOMAIN, 20, "b.example" },
};

static void
answer_test(void **state)
{
	const struct answer_row *row = *state;
	static struct wire wire;
	const struct walk_reply *reply;
	struct packet *packet;

	build(&wire, &row->message);
	assert_int_equal(
	    0, packet_parse(wire.octets, wire.len, row->message.name,
		   row->message.type, WALK_SECURE, &packet));
	reply = packet_reply(packet);
	assert_int_equal(reply->security, WALK_SECURE);
	assert_int_equal(reply->content, row->content);
	assert_int_equal(reply->has_ttl, row->ttl_s != NO_TTL);
	if (row->ttl_s != NO_TTL)
		assert_int_equal(reply->ttl_s, row->ttl_s);
	assert_int_equal(reply->aliased, row->canonical != NULL);
	if (row->canonical != NULL)
		assert_int_equal(
		    strcasecmp(reply->canonical, row->canonical), 0);
	packet_free(packet);
}

#define NOW 1000000

static const struct signature_row {
	const char *sentence;
	struct message message;
	uint32_t now_s, ttl_s;
} signature_rows[] = {
	{ "what a signature permits in full lives as long as it says",
	    { "a.example", WALK_A,
		.answer = "a.example 300 A 192.0.2.1\n"
			  "a.example 300 RRSIG A 300 1000300" },
	    NOW, 300 },
	{ "a TTL that was raised on the way is what was signed",
	    { "a.example", WALK_A,
		.answer = "a.example 86400 A 192.0.2.1\n"
			  "a.example 86400 RRSIG A 300 1086400" },
	    NOW, 300 },
	{ "nothing lives longer than its signature",
	    { "a.example", WALK_A,
		.answer = "a.example 300 A 192.0.2.1\n"
			  "a.example 300 RRSIG A 300 1000040" },
	    NOW, 40 },
	{ "nor longer than that of an alias before it",
	    { "a.example", WALK_A,
		.answer = "a.example 300 CNAME b.example\n"
			  "a.example 300 RRSIG CNAME 300 1000030\n"
			  "b.example 300 A 192.0.2.1\n"
			  "b.example 300 RRSIG A 300 1000040" },
	    NOW, 30 },
	{ "nor than that of a DNAME",
	    { "a.old.example", WALK_A,
		.answer = "old.example 300 DNAME new.example\n"
			  "old.example 300 RRSIG DNAME 300 1000020\n"
			  "a.old.example 300 CNAME a.new.example\n"
			  "a.new.example 300 A 192.0.2.1" },
	    NOW, 20 },
	{ "an expired signature leaves nothing",
	    { "a.example", WALK_A,
		.answer = "a.example 300 A 192.0.2.1\n"
			  "a.example 300 RRSIG A 300 999999" },
	    NOW, 0 },
	{ "time is counted past its end in 2106 (RFC 1982)",
	    { "a.example", WALK_A,
		.answer = "a.example 300 A 192.0.2.1\n"
			  "a.example 300 RRSIG A 300 20" },
	    4294967286, 30 },
	{ "a denial lives no longer than the signature of its SOA",
	    { "a.example", WALK_A,
		.authority = "example 300 SOA 300\n"
			     "example 300 RRSIG SOA 50 1001000" },
	    NOW, 50 },
	{ "nor than that of an NSEC record",
	    { "a.example", WALK_A,
		.authority = "example 300 SOA 300\n"
			     "a.example 300 RRSIG NSEC 300 1000007" },
	    NOW, 7 },
	{ "nor than that of an NSEC3 record",
	    { "a.example", WALK_A, .rcode = 3,
		.authority = "example 300 SOA 300\n"
			     "a.example 300 RRSIG NSEC3 300 1000008" },
	    NOW, 8 },
	{ "other signatures in the authority section do not count",
	    { "a.example", WALK_A, .answer = "a.example 300 A 192.0.2.1",
		.authority = "example 300 NS ns.example\n"
			     "example 300 RRSIG NS 5 1000005" },
	    NOW, 300 },
	{ "what is too short for a signature, or of another class, is none",
	    { "a.example", WALK_A,
		.answer =
		    "a.example 300 A 192.0.2.1\n"
		    "a.example 300 RRSIG # 00010d020000000100000001000000\n"
		    "a.example 300 !RRSIG A 1 1000001" },
	    NOW, 300 },
};

static void
signature_test(void **state)
{
	const struct signature_row *row = *state;
	static struct wire wire;
	struct packet *packet;

	build(&wire, &row->message);
	assert_int_equal(
	    0, packet_parse(wire.octets, wire.len, row->message.name,
		   row->message.type, WALK_SECURE, &packet));
	packet_limit_ttl(packet, wire.octets, wire.len, row->now_s);
	assert_int_equal(packet_reply(packet)->ttl_s, row->ttl_s);
	packet_free(packet);
}

// ---- Records handed on ----

static const struct record_row {
	const char *sentence;
	struct message message;
	const char *seen; // "10 mx.example,20 ." or "030101,00"
} record_rows[] = {
	{ "an MX is its preference and its name without the last dot",
	    { "example", WALK_MX, .answer = "example 9 MX 10 mx.example." },
	    "10 mx.example" },
	{ "a null MX names the root by a dot",
	    { "example", WALK_MX, .answer = "example 9 MX 0 ." }, "0 ." },
	{ "all MX come, in the order of the packet",
	    { "example", WALK_MX,
		.answer = "example 9 MX 20 b.example\n"
			  "example 9 MX 65535 a.example\n"
			  "example 9 MX 20 b.example" },
	    "20 b.example,65535 a.example,20 b.example" },
	{ "odd octets in an MX are escaped",
	    { "example", WALK_MX, .answer = "example 9 MX 5 a\\.b\\000.c" },
	    "5 a\\.b\\000.c" },
	{ "MX behind an alias come",
	    { "example", WALK_MX,
		.answer = "example 9 CNAME b.example\n"
			  "b.example 9 MX 1 mx.example" },
	    "1 mx.example" },
	{ "a TLSA record is its octets",
	    { "_25._tcp.mx.example", WALK_TLSA,
		.answer = "_25._tcp.mx.example 9 TLSA # 030101abcd" },
	    "030101abcd" },
	{ "TLSA records of no, one and three octets are handed on to be judged",
	    { "t.example", WALK_TLSA,
		.answer = "t.example 9 TLSA # \n"
			  "t.example 9 TLSA # 03\n"
			  "t.example 9 TLSA # 030101" },
	    ",03,030101" },
	{ "an address hands no octets on",
	    { "a.example", WALK_A, .answer = "a.example 9 A 192.0.2.1" }, "" },
};

static void
describe(const struct walk_reply *reply, char *ret, size_t size)
{
	FILE *out = fmemopen(ret, size, "w");

	for (size_t i = 0; i < reply->n_mx; i++)
		fprintf(out, "%s%u %s", i > 0 ? "," : "",
		    reply->mx[i].preference, reply->mx[i].name);
	for (size_t i = 0; i < reply->n_tlsa; i++) {
		fprintf(out, "%s", i > 0 ? "," : "");
		for (size_t j = 0; j < reply->tlsa[i].len; j++)
			fprintf(out, "%02x", reply->tlsa[i].data[j]);
	}
	fputc('\0', out);
	fclose(out);
}

static void
record_test(void **state)
{
	const struct record_row *row = *state;
	static struct wire wire;
	struct packet *packet;
	char seen[512];

	build(&wire, &row->message);
	assert_int_equal(
	    0, packet_parse(wire.octets, wire.len, row->message.name,
		   row->message.type, WALK_INSECURE, &packet));
	memset(wire.octets, 0xff, sizeof(wire.octets));
	describe(packet_reply(packet), seen, sizeof(seen));
	assert_string_equal(seen, row->seen);
	packet_free(packet);
}

// ---- Failures told by the server ----

static const struct rcode_row {
	const char *sentence;
	unsigned rcode;
	const char *cause;
} rcode_rows[] = {
	{ "FORMERR is a failure, secure or not", 1, "FORMERR" },
	{ "SERVFAIL is a failure, secure or not", 2, "SERVFAIL" },
	{ "NOTIMP is a failure, secure or not", 4, "NOTIMP" },
	{ "REFUSED is a failure, secure or not", 5, "REFUSED" },
	{ "an rcode that nobody knows is a failure", 15, "RCODE 15" },
};

static void
rcode_test(void **state)
{
	const struct rcode_row *row = *state;
	const struct message message = { "a.example", WALK_A,
		.rcode = row->rcode, .answer = "a.example 9 A 192.0.2.1" };
	static struct wire wire;
	struct packet *packet;

	build(&wire, &message);
	assert_int_equal(0, packet_parse(wire.octets, wire.len, "a.example",
				WALK_A, WALK_SECURE, &packet));
	assert_int_equal(packet_reply(packet)->security, WALK_FAILED);
	assert_string_equal(packet_reply(packet)->cause, row->cause);
	packet_free(packet);
}

// ---- What is no answer ----

static const struct refused_row {
	const char *sentence;
	struct message message;
	const char *asked; // NULL: the name in the message
} refused_rows[] = {
	{ "an answer to another name is none",
	    { "b.example", WALK_A, .answer = "a.example 9 A 192.0.2.1" },
	    "a.example" },
	{ "a truncated answer is none",
	    { "a.example", WALK_A, FLAG_TC,
		.answer = "a.example 9 A 192.0.2.1" },
	    NULL },
	{ "records about other names only are no answer",
	    { "a.example", WALK_A, .answer = "b.example 9 A 192.0.2.1" },
	    NULL },
	{ "data in an NXDOMAIN is a contradiction",
	    { "a.example", WALK_A, .rcode = 3,
		.answer = "a.example 9 A 192.0.2.1" },
	    NULL },
	{ "an alias of itself is no answer",
	    { "a.example", WALK_A, .answer = "a.example 9 CNAME a.example" },
	    NULL },
	{ "a ring of aliases is no answer",
	    { "a.example", WALK_A,
		.answer = "a.example 9 CNAME b.example\n"
			  "b.example 9 CNAME a.example" },
	    NULL },
	{ "an alias of two names is no answer",
	    { "a.example", WALK_A,
		.answer = "a.example 9 CNAME b.example\n"
			  "a.example 9 CNAME c.example" },
	    NULL },
	{ "an address of three octets is no answer",
	    { "a.example", WALK_A, .answer = "a.example 9 A # c00002" }, NULL },
	{ "an IPv6 address of four octets is no answer",
	    { "a.example", WALK_AAAA, .answer = "a.example 9 AAAA # c0000201" },
	    NULL },
	{ "an MX of two octets is no answer",
	    { "example", WALK_MX, .answer = "example 9 MX # 000a" }, NULL },
	{ "an MX with octets after its name is no answer",
	    { "example", WALK_MX, .answer = "example 9 MX # 000a00ff" }, NULL },
	{ "an MX whose name points to itself is no answer",
	    { "example", WALK_MX, .answer = "example 9 MX # 000ac02e" }, NULL },
	{ "an alias without a name is no answer",
	    { "a.example", WALK_A, .answer = "a.example 9 CNAME # " }, NULL },
	{ "an alias whose name is cut is no answer",
	    { "a.example", WALK_A, .answer = "a.example 9 CNAME # 0361" },
	    NULL },
	{ "a SOA that is too short is no answer",
	    { "a.example", WALK_A,
		.authority = "example 9 SOA # 000000000001" },
	    NULL },
	{ "a SOA with octets left over is no answer",
	    { "a.example", WALK_A,
		.authority = "example 9 SOA # 0000"
			     "0000000100000001000000010000000100000001ff" },
	    NULL },
};

static void
refused_test(void **state)
{
	const struct refused_row *row = *state;
	struct packet *packet = NULL;
	static struct wire wire;

	build(&wire, &row->message);
	assert_int_equal(
	    -EBADMSG, packet_parse(wire.octets, wire.len,
			  row->asked != NULL ? row->asked : row->message.name,
			  row->message.type, WALK_SECURE, &packet));
	assert_null(packet);
}

// ---- Octets that nobody should send ----

static const struct message rich = { "a.example", WALK_MX,
	.answer = "a.example 60 CNAME b.example\n"
		  "b.example 300 MX 10 mx.example",
	.authority = "example 30 SOA 300" };

static void
ignore_record(void *arg, const struct packet_record *record)
{
	unsigned *n = arg;

	*n += (unsigned)record->len;
}

static int
parse_rich(const struct wire *wire, size_t len)
{
	struct packet *packet;
	// A copy of just that length, so that a sanitizer sees what is read
	// past it.
	uint8_t *octets = malloc(len > 0 ? len : 1);
	unsigned n = 0;
	int r;

	memcpy(octets, wire->octets, len);
	r = packet_parse(
	    octets, len, rich.name, rich.type, WALK_SECURE, &packet);
	if (r == 0)
		packet_free(packet);
	(void)packet_visit(
	    octets, len, rich.name, rich.type, ignore_record, &n);
	free(octets);
	return r;
}

static void
cut_test(void **state)
{
	static struct wire wire;

	(void)state;
	build(&wire, &rich);
	assert_int_equal(0, parse_rich(&wire, wire.len));
	for (size_t len = 0; len < wire.len; len++)
		assert_int_equal(-EBADMSG, parse_rich(&wire, len));
}

static void
counts_test(void **state)
{
	static struct wire wire;

	(void)state;
	for (size_t at = 4; at < 12; at++) {
		build(&wire, &rich);
		wire.octets[at] = 0xff;
		assert_int_equal(-EBADMSG, parse_rich(&wire, wire.len));
	}
}

// Every octet set to every value in turn: whatever comes out, nothing may be
// read or written where it should not.
static void
flip_test(void **state)
{
	static struct wire wire;

	(void)state;
	for (size_t at = 0;; at++) {
		build(&wire, &rich);
		if (at == wire.len)
			break;
		for (unsigned value = 0; value < 256; value++) {
			wire.octets[at] = (uint8_t)value;
			(void)parse_rich(&wire, wire.len);
		}
	}
}

// An owner that is a pointer to itself, and one that points forward.
static void
pointer_test(void **state)
{
	static const char *const hex[] = {
		"123480000001000100000000"
		"01610000010001"
		"c013000100010000000900047f000001",
		"123480000001000100000000"
		"01610000010001"
		"c0ff000100010000000900047f000001",
	};
	struct packet *packet;
	static struct wire wire;

	(void)state;
	for (size_t i = 0; i < sizeof(hex) / sizeof(hex[0]); i++) {
		wire.len = 0;
		put_hex(&wire, hex[i]);
		assert_int_equal(
		    -EBADMSG, packet_parse(wire.octets, wire.len, "a", WALK_A,
				  WALK_SECURE, &packet));
	}
}

// Sixteen aliases are followed and a seventeenth is not.
static void
chain_test(void **state)
{
	char answer[2048];
	static struct wire wire;
	struct packet *packet;

	(void)state;
	for (unsigned n = 16; n <= 17; n++) {
		struct message message = { "n0.example", WALK_A,
			.answer = answer };
		size_t len = 0;

		for (unsigned i = 0; i < n; i++)
			len += (size_t)sprintf(answer + len,
			    "n%u.example 9 CNAME n%u.example\n", i, i + 1);
		sprintf(answer + len, "n%u.example 9 A 192.0.2.1", n);
		build(&wire, &message);
		assert_int_equal(n == 16 ? 0 : -EBADMSG,
		    packet_parse(wire.octets, wire.len, "n0.example", WALK_A,
			WALK_SECURE, &packet));
		if (n == 16)
			packet_free(packet);
	}
}

// The owner is a pointer to the question, so that 4,097 fit.
static void
many_test(void **state)
{
	static struct wire wire;
	struct packet *packet;

	(void)state;
	for (unsigned n = 4096; n <= 4097; n++) {
		struct message message = { .name = "example",
			.type = WALK_TLSA };

		build(&wire, &message);
		for (unsigned i = 0; i < n; i++)
			put_hex(&wire, "c00c003400010000000900020301");
		wire.octets[6] = (uint8_t)(n >> 8);
		wire.octets[7] = (uint8_t)n;
		assert_int_equal(n == 4096 ? 0 : -EBADMSG,
		    packet_parse(wire.octets, wire.len, "example", WALK_TLSA,
			WALK_SECURE, &packet));
		if (n > 4096)
			break;
		assert_int_equal(packet_reply(packet)->n_tlsa, 4096);
		packet_free(packet);
	}
}

static const struct {
	const char *sentence;
	CMUnitTestFunction run;
} hostile_rows[] = {
	{ "an answer that is cut anywhere is no answer", cut_test },
	{ "counts that lie make no answer", counts_test },
	{ "no octet changed makes the parser go astray", flip_test },
	{ "a name that points to itself or to nowhere is no answer",
	    pointer_test },
	{ "sixteen aliases are followed and seventeen are not", chain_test },
	{ "4,096 records are taken and 4,097 are not", many_test },
};

// ---- What a visitor sees ----

#define SEEN_MAX 2048

static const struct visit_row {
	const char *sentence;
	struct message message;
	const char *seen; // "OWNER TTL TYPE [NAME] OCTETS", one a line
} visit_rows[] = {
	{ "a visitor sees each record of the answer, in order",
	    { "a.example", WALK_MX,
		.answer = "a.example 300 MX 20 b.example\n"
			  "a.example 200 MX 10 ." },
	    "a.example 300 15 b.example 13\n"
	    "a.example 200 15 . 3\n" },
	{ "a visitor sees the steps of an alias in the order of the way",
	    { "a.example", WALK_A,
		.answer = "c.example 300 A 192.0.2.1\n"
			  "b.example 50 CNAME c.example\n"
			  "a.example 60 CNAME b.example" },
	    "a.example 60 5 b.example 11\n"
	    "b.example 50 5 c.example 11\n"
	    "c.example 300 1 - 4\n" },
	{ "a visitor who asks for an alias sees it once",
	    { "a.example", WALK_CNAME,
		.answer = "a.example 60 CNAME b.example\n"
			  "b.example 5 CNAME c.example" },
	    "a.example 60 5 b.example 11\n" },
	{ "a visitor sees no records of other names, types and classes",
	    { "a.example", WALK_A,
		.answer = "b.example 1 A 192.0.2.2\n"
			  "a.example 2 AAAA 2001:db8::1\n"
			  "a.example 3 !A 192.0.2.3" },
	    "" },
	{ "a visitor sees the alias of a name that does not exist",
	    { "a.example", WALK_A, .rcode = 3,
		.answer = "a.example 20 CNAME b.example",
		.authority = "example 30 SOA 300" },
	    "a.example 20 5 b.example 11\n" },
};

static void
write_down(void *arg, const struct packet_record *record)
{
	char *at = strchr(arg, '\0');

	(void)snprintf(at, SEEN_MAX - strlen(arg), "%s %u %d %s %zu\n",
	    record->owner, record->ttl_s, (int)record->type,
	    record->name != NULL ? record->name : "-", record->len);
}

static void
visit_test(void **state)
{
	const struct visit_row *row = *state;
	static struct wire wire;
	char seen[SEEN_MAX] = "";

	build(&wire, &row->message);
	assert_int_equal(
	    0, packet_visit(wire.octets, wire.len, row->message.name,
		   row->message.type, write_down, seen));
	assert_string_equal(seen, row->seen);
}

static void
visit_loop_test(void **state)
{
	const struct message loop = { "a.example", WALK_A,
		.answer = "a.example 20 CNAME b.example\n"
			  "b.example 20 CNAME a.example" };
	static struct wire wire;
	unsigned n = 0;

	(void)state;
	build(&wire, &loop);
	assert_int_equal(
	    -EBADMSG, packet_visit(wire.octets, wire.len, loop.name, loop.type,
			  ignore_record, &n));
}

// ---- The DNAME above a name ----

static const struct above_row {
	const char *sentence;
	const char *name, *answer;
	const char *above; // NULL: none
} above_rows[] = {
	{ "the DNAME above a name is found", "a.b.example",
	    "B.Example 60 DNAME other.example", "b.example" },
	{ "behind other records", "a.b.example",
	    "a.b.example 60 CNAME a.other.example\n"
	    "b.example 60 DNAME other.example",
	    "b.example" },
	{ "several labels up", "a.b.c.example", "example 60 DNAME other",
	    "example" },
	{ "and behind a dot that belongs to a label", "a\\.x.b.example",
	    "b.example 60 DNAME other.example", "b.example" },
	{ "a label with such a dot is no owner by its end", "a\\.b.example",
	    "b.example 60 DNAME other.example", NULL },
	{ "a DNAME at the name itself makes no alias of it", "b.example",
	    "b.example 60 DNAME other.example", NULL },
	{ "nor does one above another name", "a.b.example",
	    "c.example 60 DNAME other.example", NULL },
	{ "an alias is no DNAME", "a.b.example",
	    "b.example 60 CNAME other.example", NULL },
	{ "a DNAME of another class is none", "a.b.example",
	    "b.example 60 !DNAME other.example", NULL },
	{ "without records there is none", "a.b.example", "", NULL },
};

static void
above_test(void **state)
{
	const struct above_row *row = *state;
	const struct message message = {
		.name = row->name, .type = WALK_CNAME, .answer = row->answer
	};
	struct wire wire;
	const char *above;

	build(&wire, &message);
	above = packet_dname_above(wire.octets, wire.len, row->name);
	if (row->above == NULL) {
		assert_null(above);
		return;
	}
	assert_non_null(above);
	assert_string_equal(above, row->above);
	for (size_t len = 0; len < wire.len; len++)
		assert_null(packet_dname_above(wire.octets, len, row->name));
}

int
main(void)
{
	TABLE_ADD(answer_rows, answer_test);
	TABLE_ADD(signature_rows, signature_test);
	TABLE_ADD(record_rows, record_test);
	TABLE_ADD(rcode_rows, rcode_test);
	TABLE_ADD(refused_rows, refused_test);
	for (size_t i = 0; i < sizeof(hostile_rows) / sizeof(hostile_rows[0]);
	     i++)
		table_add(hostile_rows[i].sentence, hostile_rows[i].run, NULL);
	TABLE_ADD(visit_rows, visit_test);
	TABLE_ADD(above_rows, above_test);
	table_add("a visitor is not led in circles", visit_loop_test, NULL);
	return table_run("packet");
}
