// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Next-hops as Postfix may send them. IDNA and service names are played by
// small tables: that nexthop asks for the right ones is what is tested.

#include "config.h"

#include "policy/nexthop.h"

#include "table.h"

#include <errno.h>
#include <string.h>

#define LABEL_63 \
	"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"
// 3 * 64 + 61 = 253 octets.
#define NAME_253 LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_61
#define LABEL_61 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghi"

static unsigned n_conversions;

static int
convert(const char *label, size_t len, char ret[64])
{
	static const struct {
		const char *u, *a;
	} labels[] = {
		{ "b\303\274cher", "xn--bcher-kva" },
		{ "B\303\234CHER", "xn--bcher-kva" },
		{ "\357\274\22192", "192" },
		{ "dots\343\200\202dots", "dots.dots" },
		{ "empty\303\274", "" },
		{ "high\303\274", "high\303\274" },
		{ "upper\303\274", "XN--UPPER-KVA" },
		{ "long\303\274", LABEL_63 },
	};

	n_conversions++;
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		if (strlen(labels[i].u) == len &&
		    memcmp(labels[i].u, label, len) == 0) {
			memcpy(ret, labels[i].a, strlen(labels[i].a) + 1);
			return 0;
		}
	return -EINVAL;
}

static int
find_service(const char *name, size_t len, uint16_t *ret_port)
{
	if (len == 10 && memcmp(name, "submission", 10) == 0) {
		*ret_port = 587;
		return 0;
	}
	if (len == 4 && memcmp(name, "zero", 4) == 0) {
		*ret_port = 0;
		return 0;
	}
	return -ENOENT;
}

static const struct nexthop_env env = { convert, find_service };

static void
parse(const char *key, size_t len, struct nexthop *ret)
{
	memset(ret, 0xa5, sizeof(*ret));
	nexthop_parse(key, len, &env, ret);
}

struct key_row {
	const char *sentence;
	const char *key;
	enum nexthop_kind kind;
	const char *name;
	uint16_t port;
	bool bare;
};

#define DOMAIN  NEXTHOP_DOMAIN
#define HOST    NEXTHOP_HOST
#define ADDRESS NEXTHOP_ADDRESS
#define PARENT  NEXTHOP_PARENT

static const struct key_row good_rows[] = {
	{ "a domain is looked up on port 25", "example.org", DOMAIN,
	    "example.org", 25, true },
	{ "a domain with a port number", "example.org:2525", DOMAIN,
	    "example.org", 2525, false },
	{ "a domain with a service name", "example.org:submission", DOMAIN,
	    "example.org", 587, false },
	{ "a domain with :25 is not bare", "example.org:25", DOMAIN,
	    "example.org", 25, false },
	{ "a port of one digit", "example.org:7", DOMAIN, "example.org", 7,
	    false },
	{ "the highest port", "example.org:65535", DOMAIN, "example.org", 65535,
	    false },
	{ "a port with leading zeros is a number", "example.org:0025", DOMAIN,
	    "example.org", 25, false },
	{ "a host in brackets is not an MX question", "[mx.example.org]", HOST,
	    "mx.example.org", 25, false },
	{ "a host in brackets with a port", "[mx.example.org]:587", HOST,
	    "mx.example.org", 587, false },
	{ "a host in brackets with a service", "[mx.example.org]:submission",
	    HOST, "mx.example.org", 587, false },
	{ "upper case is folded", "Example.TEST:2525", DOMAIN, "example.test",
	    2525, false },
	{ "upper case in brackets is folded", "[MX.Example.ORG]", HOST,
	    "mx.example.org", 25, false },
	{ "one trailing dot is folded", "example.org.", DOMAIN, "example.org",
	    25, true },
	{ "one trailing dot before a port is folded", "example.org.:25", DOMAIN,
	    "example.org", 25, false },
	{ "one trailing dot in brackets is folded", "[mx.example.org.]:25",
	    HOST, "mx.example.org", 25, false },
	{ "underscores are looked up", "_spf.ex_ample.org", DOMAIN,
	    "_spf.ex_ample.org", 25, true },
	{ "hyphens anywhere are looked up", "-a-.example-", DOMAIN,
	    "-a-.example-", 25, true },
	{ "a top-level domain is a domain", "org", DOMAIN, "org", 25, true },
	{ "three numbers are a name", "192.0.2", DOMAIN, "192.0.2", 25, true },
	{ "a label of 63 octets", LABEL_63 ".org", DOMAIN, LABEL_63 ".org", 25,
	    true },
	{ "a name of 253 octets", NAME_253, DOMAIN, NAME_253, 25, true },
	{ "a name of 253 octets and a trailing dot", NAME_253 ".", DOMAIN,
	    NAME_253, 25, true },
	{ "a name of 253 octets in brackets", "[" NAME_253 "]", HOST, NAME_253,
	    25, false },
	{ "a bare IPv4 address", "192.0.2.1", ADDRESS, "192.0.2.1", 25, true },
	{ "a U-label of digits makes an IPv4 address", "\357\274\22192.0.2.1",
	    ADDRESS, "192.0.2.1", 25, true },
	{ "and so it does in brackets", "[\357\274\22192.0.2.1]:587", ADDRESS,
	    "192.0.2.1", 587, false },
	{ "a bare IPv4 address with a trailing dot", "192.0.2.1.", ADDRESS,
	    "192.0.2.1", 25, true },
	{ "a bare IPv4 address with a port", "192.0.2.1:2525", ADDRESS,
	    "192.0.2.1", 2525, false },
	{ "an IPv4 address in brackets", "[192.0.2.1]", ADDRESS, "192.0.2.1",
	    25, false },
	{ "an IPv4 address in brackets with a port", "[192.0.2.1]:26", ADDRESS,
	    "192.0.2.1", 26, false },
	{ "a prefixed IPv6 address", "[IPv6:2001:db8::1]", ADDRESS,
	    "2001:db8::1", 25, false },
	{ "a prefixed IPv6 address in full",
	    "[IPv6:2001:0db8:0000:0000:0000:0000:0000:0001]", ADDRESS,
	    "2001:db8::1", 25, false },
	{ "the longest spelling of an address",
	    "[IPv6:0000:0000:0000:0000:0000:ffff:255.255.255.255]", ADDRESS,
	    "::ffff:255.255.255.255", 25, false },
	{ "the IPv6 prefix in any case, and the address", "[ipV6:2001:DB8::A]",
	    ADDRESS, "2001:db8::a", 25, false },
	{ "a prefixed IPv6 address with a port", "[IPv6:2001:db8::1]:587",
	    ADDRESS, "2001:db8::1", 587, false },
	{ "an IPv6 address without prefix", "[2001:db8::1]", ADDRESS,
	    "2001:db8::1", 25, false },
	{ "an IPv6 address without prefix and with a port",
	    "[2001:db8::1]:submission", ADDRESS, "2001:db8::1", 587, false },
	{ "a bare IPv6 address", "2001:db8::1", ADDRESS, "2001:db8::1", 25,
	    true },
	{ "a bare prefixed IPv6 address", "IPv6:2001:db8::1", ADDRESS,
	    "2001:db8::1", 25, true },
	{ "one IPv6 address has one name", "[2001:0db8:0:0::0:1]", ADDRESS,
	    "2001:db8::1", 25, false },
	{ "an IPv4 address within IPv6", "[::ffff:192.0.2.1]", ADDRESS,
	    "::ffff:192.0.2.1", 25, false },
	{ "the longest IPv6 address",
	    "[IPv6:1111:2222:3333:4444:5555:6666:7777:8888]", ADDRESS,
	    "1111:2222:3333:4444:5555:6666:7777:8888", 25, false },
	{ "a parent key keeps its dot", ".example.org", PARENT, ".example.org",
	    25, true },
	{ "a parent key is folded", ".Example.ORG.", PARENT, ".example.org", 25,
	    true },
	{ "the parent of a top-level domain", ".org", PARENT, ".org", 25,
	    true },
	{ "a U-label becomes an A-label", "b\303\274cher.example", DOMAIN,
	    "xn--bcher-kva.example", 25, true },
	{ "a U-label is not folded here, but by IDNA",
	    "B\303\234CHER.Example:26", DOMAIN, "xn--bcher-kva.example", 26,
	    false },
	{ "a U-label in brackets", "[mx.b\303\274cher.example]", HOST,
	    "mx.xn--bcher-kva.example", 25, false },
	{ "a U-label in a parent key", ".b\303\274cher.example", PARENT,
	    ".xn--bcher-kva.example", 25, true },
	{ "an A-label passes unchanged but for case", "XN--BCHER-KVA.example",
	    DOMAIN, "xn--bcher-kva.example", 25, true },
	{ "labels that IDNA would refuse pass where they are ASCII",
	    "_a--b.xn--.example", DOMAIN, "_a--b.xn--.example", 25, true },
	{ "an A-label in upper case from the library is folded",
	    "upper\303\274.example", DOMAIN, "xn--upper-kva.example", 25,
	    true },
};

static void
good_key(void **state)
{
	const struct key_row *row = *state;
	struct nexthop nexthop;
	parse(row->key, strlen(row->key), &nexthop);
	assert_int_equal(nexthop.kind, row->kind);
	assert_string_equal(nexthop.name, row->name);
	assert_int_equal(nexthop.name_len, strlen(row->name));
	assert_int_equal(nexthop.port, row->port);
	assert_int_equal(nexthop.bare, row->bare);
}

#define OCTETS(text) text, sizeof(text) - 1

struct bad_row {
	const char *sentence;
	const char *key;
	size_t len;
};

static const struct bad_row unparsable_rows[] = {
	{ "a colon behind a port", OCTETS("[mx.example.org]:2:") },
	{ "a U-label behind what begins no name", OCTETS("!\303\274.example") },
	{ "an empty key is unparsable", OCTETS("") },
	{ "a dot alone is unparsable", OCTETS(".") },
	{ "two dots alone are unparsable", OCTETS("..") },
	{ "two trailing dots are unparsable", OCTETS("example.org..") },
	{ "an empty label is unparsable", OCTETS("example..org") },
	{ "an empty label in a parent key is unparsable", OCTETS("..org") },
	{ "an absolute path is unparsable", OCTETS("/var/run/lmtp") },
	{ "a unix socket is unparsable", OCTETS("unix:/var/run/lmtp") },
	{ "a unix socket without slash is unparsable", OCTETS("unix:private") },
	{ "a unix socket with a service's name is unparsable",
	    OCTETS("unix:submission") },
	{ "a unix socket with a number is unparsable", OCTETS("UNIX:25") },
	{ "a NUL within is unparsable", OCTETS("example\0.org") },
	{ "a NUL at the end is unparsable", OCTETS("example.org\0") },
	{ "a NUL within an address is unparsable", OCTETS("[192.0.2.1\0]") },
	{ "a NUL within the digits of an address is unparsable",
	    OCTETS("[192.0.2.1\0"
		   "1]") },
	{ "a NUL in a service name is unparsable",
	    OCTETS("example.org:submission\0") },
	{ "a newline is unparsable", OCTETS("example.org\n") },
	{ "a space is unparsable", OCTETS("example org") },
	{ "a leading space is unparsable", OCTETS(" example.org") },
	{ "a DEL is unparsable", OCTETS("example\177.org") },
	{ "a slash is unparsable", OCTETS("example.org/24") },
	{ "an at sign is unparsable", OCTETS("user@example.org") },
	{ "a backslash is unparsable", OCTETS("ex\\046ample.org") },
	{ "an asterisk is unparsable", OCTETS("*.example.org") },
	{ "a control octet beside a U-label is unparsable",
	    OCTETS("b\303\274\001cher.example") },
	{ "a slash within a U-label is unparsable",
	    OCTETS("b\303\274/cher.example") },
	{ "port 0 is unparsable", OCTETS("example.org:0") },
	{ "port 65536 is unparsable", OCTETS("example.org:65536") },
	{ "a port that wraps 32 bits is unparsable",
	    OCTETS("example.org:4294967321") },
	{ "a negative port is unparsable", OCTETS("example.org:-25") },
	{ "an empty port is unparsable", OCTETS("example.org:") },
	{ "an unknown service is unparsable", OCTETS("example.org:nonesuch") },
	{ "a service without a port is unparsable",
	    OCTETS("example.org:zero") },
	{ "a port without a host is unparsable", OCTETS(":25") },
	{ "two ports are unparsable", OCTETS("example.org:25:25") },
	{ "empty brackets are unparsable", OCTETS("[]") },
	{ "empty brackets with a port are unparsable", OCTETS("[]:25") },
	{ "a bracket that stays open is unparsable", OCTETS("[example.org") },
	{ "a bracket alone is unparsable", OCTETS("[") },
	{ "a bracket that only closes is unparsable", OCTETS("example.org]") },
	{ "text behind a bracket is unparsable", OCTETS("[example.org]x") },
	{ "a bracket with an empty port is unparsable",
	    OCTETS("[example.org]:") },
	{ "a bracket with port 0 is unparsable", OCTETS("[example.org]:0") },
	{ "brackets within brackets are unparsable",
	    OCTETS("[[example.org]]") },
	{ "a parent key in brackets is unparsable", OCTETS("[.example.org]") },
	{ "a parent key with a port is unparsable", OCTETS(".example.org:25") },
	{ "a prefixed name is unparsable", OCTETS("[IPv6:mx.example.org]") },
	{ "a prefixed IPv4 address is unparsable", OCTETS("[IPv6:192.0.2.1]") },
	{ "a prefix alone is unparsable", OCTETS("[IPv6:]") },
	{ "an IPv6 address with a zone is unparsable",
	    OCTETS("[fe80::1%eth0]") },
	{ "an over-long IPv6 address is unparsable",
	    OCTETS("[IPv6:1111:2222:3333:4444:5555:6666:7777:8888:9999]") },
	{ "a label of 64 octets is unparsable", OCTETS(LABEL_63 "x.org") },
	{ "a name of 254 octets is unparsable", OCTETS(NAME_253 "x") },
	{ "a name of 255 octets with its last dot is unparsable",
	    OCTETS(NAME_253 "x.") },
	{ "a name over 253 octets with short labels is unparsable",
	    OCTETS(NAME_253 ".a") },
	{ "a name over 253 octets after conversion is unparsable",
	    OCTETS("long\303\274.long\303\274.long\303\274.long\303\274") },
	{ "a bad port behind a U-label that fails is unparsable",
	    OCTETS("bad\303\274.example:0") },
	{ "an empty label behind a U-label that fails is unparsable",
	    OCTETS("bad\303\274..example") },
	{ "an over-long label behind a U-label that fails is unparsable",
	    OCTETS("bad\303\274." LABEL_63 "x") },
};

static void
unparsable_key(void **state)
{
	const struct bad_row *row = *state;
	struct nexthop nexthop;
	parse(row->key, row->len, &nexthop);
	assert_int_equal(nexthop.kind, NEXTHOP_UNPARSABLE);
	assert_int_equal(nexthop.name_len, 0);
	assert_string_equal(nexthop.name, "");
}

static const struct bad_row unconvertible_rows[] = {
	{ "a U-label that IDNA refuses is deferred",
	    OCTETS("bad\303\274.example") },
	{ "octets that are no UTF-8 are deferred", OCTETS("\377\376.example") },
	{ "a U-label refused in brackets is deferred",
	    OCTETS("[mx.bad\303\274.example]:25") },
	{ "a U-label refused in a parent key is deferred",
	    OCTETS(".bad\303\274.example") },
	{ "a U-label refused beside one that converts is deferred",
	    OCTETS("bad\303\274.b\303\274cher.example") },
	{ "an ideographic full stop separates nothing",
	    OCTETS("dots\343\200\202dots.example") },
	{ "an empty A-label is deferred", OCTETS("empty\303\274.example") },
	{ "an A-label with high octets is deferred",
	    OCTETS("high\303\274.example") },
};

static void
unconvertible_key(void **state)
{
	const struct bad_row *row = *state;
	struct nexthop nexthop;
	parse(row->key, row->len, &nexthop);
	assert_int_equal(nexthop.kind, NEXTHOP_UNCONVERTIBLE);
	assert_string_equal(nexthop.name, "");
}

static void
plain_names_ask_nothing(void **state)
{
	(void)state;
	struct nexthop nexthop;
	n_conversions = 0;
	parse("Mail._x.xn--bcher-kva.example", 29, &nexthop);
	assert_int_equal(n_conversions, 0);
	parse("mail.b\303\274cher.example", 20, &nexthop);
	assert_int_equal(n_conversions, 1);
}

// Any octets of any length: no crash, and what is found is found again.
static void
any_octets_give_a_consistent_result(void **state)
{
	(void)state;
	static const char alphabet[] = "aZ09-_..::[]\303\274 \0/25IPv6";
	uint32_t seed = 1;
	for (unsigned round = 0; round < 20000; round++) {
		char key[24];
		size_t len = round % sizeof(key);
		for (size_t i = 0; i < len; i++) {
			seed = seed * 1664525 + 1013904223;
			key[i] = alphabet[(seed >> 16) % sizeof(alphabet)];
		}
		struct nexthop nexthop, again;
		parse(key, len, &nexthop);
		assert_int_equal(strlen(nexthop.name), nexthop.name_len);
		uint8_t id[NEXTHOP_ID_MAX];
		if (nexthop.kind != NEXTHOP_DOMAIN &&
		    nexthop.kind != NEXTHOP_HOST)
			continue;
		assert_int_equal(
		    nexthop_from_id(id, nexthop_id(&nexthop, id), &again), 0);
		assert_string_equal(again.name, nexthop.name);
	}
}

struct id_row {
	const char *sentence;
	const char *one, *other;
	bool equal;
};

static const struct id_row id_rows[] = {
	{ "spellings of one domain have one identity", "Example.ORG.",
	    "example.org", true },
	{ "a domain with :25 is the domain", "example.org:25", "example.org",
	    true },
	{ "a domain on another port is another", "example.org:26",
	    "example.org", false },
	{ "ports that differ in the high octet differ", "example.org:281",
	    "example.org", false },
	{ "a host is not the domain of its name", "[example.org]",
	    "example.org", false },
	{ "a service is its port", "example.org:submission", "example.org:587",
	    true },
	{ "a U-label is its A-label", "b\303\274cher.example",
	    "xn--bcher-kva.example", true },
};

static void
identity(void **state)
{
	const struct id_row *row = *state;
	struct nexthop one, other;
	uint8_t one_id[NEXTHOP_ID_MAX], other_id[NEXTHOP_ID_MAX];
	parse(row->one, strlen(row->one), &one);
	parse(row->other, strlen(row->other), &other);
	size_t one_len = nexthop_id(&one, one_id);
	size_t other_len = nexthop_id(&other, other_id);
	bool equal =
	    one_len == other_len && memcmp(one_id, other_id, one_len) == 0;
	assert_int_equal(equal, row->equal);

	struct nexthop back;
	assert_int_equal(nexthop_from_id(one_id, one_len, &back), 0);
	assert_int_equal(back.kind, one.kind);
	assert_int_equal(back.port, one.port);
	assert_string_equal(back.name, one.name);
	assert_int_equal(back.name_len, one.name_len);
	assert_false(back.bare);
}

#define ID_DOMAIN "\4"
#define ID_25     "\31\0"

static const struct bad_row bad_id_rows[] = {
	{ "no octets are no identity", OCTETS("") },
	{ "a head without a name is no identity", OCTETS(ID_DOMAIN ID_25) },
	{ "an unparsable kind is no identity", OCTETS("\0" ID_25 "a") },
	{ "an address is no identity", OCTETS("\2" ID_25 "a") },
	{ "a parent is no identity", OCTETS("\3" ID_25 "a") },
	{ "an unknown kind is no identity", OCTETS("\6" ID_25 "a") },
	{ "port 0 is no identity", OCTETS(ID_DOMAIN "\0\0a") },
	{ "upper case is no identity", OCTETS(ID_DOMAIN ID_25 "A") },
	{ "a trailing dot is no identity", OCTETS(ID_DOMAIN ID_25 "a.") },
	{ "a leading dot is no identity", OCTETS(ID_DOMAIN ID_25 ".a") },
	{ "a NUL is no identity", OCTETS(ID_DOMAIN ID_25 "a\0") },
	{ "a space is no identity", OCTETS(ID_DOMAIN ID_25 "a b") },
	{ "a U-label is no identity", OCTETS(ID_DOMAIN ID_25 "b\303\274") },
	{ "an address for a name is no identity",
	    OCTETS(ID_DOMAIN ID_25 "192.0.2.1") },
	{ "a label of 64 octets is no identity",
	    OCTETS(ID_DOMAIN ID_25 LABEL_63 "x") },
	{ "a name of 254 octets is no identity",
	    OCTETS(ID_DOMAIN ID_25 NAME_253 "x") },
};

static void
bad_identity(void **state)
{
	const struct bad_row *row = *state;
	struct nexthop nexthop, before;
	memset(&nexthop, 0xa5, sizeof(nexthop));
	before = nexthop;
	assert_int_equal(
	    nexthop_from_id((const uint8_t *)row->key, row->len, &nexthop),
	    -EINVAL);
	assert_memory_equal(&nexthop, &before, sizeof(nexthop));
}

struct hostname_row {
	const char *sentence;
	const char *name;
	bool valid;
};

static const struct hostname_row hostname_rows[] = {
	{ "Postfix takes an ordinary host name", "mx1.example.org", true },
	{ "Postfix takes upper case", "MX1.Example.ORG", true },
	{ "Postfix takes underscores", "_mx_.example.org", true },
	{ "Postfix takes a hyphen within a label", "m-x.e--x.org", true },
	{ "Postfix takes one label", "localhost", true },
	{ "Postfix takes labels of digits beside others", "1.2.3.4a", true },
	{ "Postfix takes a label of 63 octets", LABEL_63, true },
	{ "Postfix takes a name of 253 octets", NAME_253, true },
	{ "Postfix refuses the empty name", "", false },
	{ "Postfix refuses the root", ".", false },
	{ "Postfix refuses a trailing dot", "mx.example.org.", false },
	{ "Postfix refuses a leading dot", ".example.org", false },
	{ "Postfix refuses an empty label", "mx..example.org", false },
	{ "Postfix refuses a leading hyphen", "-mx.example.org", false },
	{ "Postfix refuses a leading hyphen in the second label",
	    "mx.-example.org", false },
	{ "Postfix refuses a trailing hyphen", "mx-.example.org", false },
	{ "Postfix refuses a trailing hyphen at the end", "mx.org-", false },
	{ "Postfix refuses a hyphen alone", "-", false },
	{ "Postfix refuses digits and dots alone", "192.0.2.1", false },
	{ "Postfix refuses digits alone", "1234", false },
	{ "Postfix refuses an escape", "mx\\032.example.org", false },
	{ "Postfix refuses a space", "mx 1.example.org", false },
	{ "Postfix refuses a colon", "2001:db8::1", false },
	{ "Postfix refuses octets over 127", "b\303\274cher.example", false },
	{ "Postfix refuses a label of 64 octets", LABEL_63 "x.org", false },
	{ "Postfix refuses a name no DNS can hold", NAME_253 "x", false },
};

static void
hostname(void **state)
{
	const struct hostname_row *row = *state;
	assert_int_equal(nexthop_valid_hostname(row->name), row->valid);
}

int
main(void)
{
	TABLE_ADD(good_rows, good_key);
	TABLE_ADD(unparsable_rows, unparsable_key);
	TABLE_ADD(unconvertible_rows, unconvertible_key);
	TABLE_ADD(id_rows, identity);
	TABLE_ADD(bad_id_rows, bad_identity);
	TABLE_ADD(hostname_rows, hostname);
	table_add("names without U-labels never go to IDNA",
	    plain_names_ask_nothing, NULL);
	table_add(
	    "any octets give a result that is found again by its identity",
	    any_octets_give_a_consistent_result, NULL);
	return table_run("nexthop");
}
