// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// tlsa: which records are usable, for which reason others are not, and which
// fingerprints they give; every usage, selector and matching type there can be.
#include "config.h"

#include "policy/tlsa.h"

#include "table.h"

#include <stdio.h>
#include <string.h>

#define GOOD 0xcc // first octet of full data that the check below takes

static bool
check_full(
    uint8_t selector, const uint8_t *der, size_t len, struct tlsa_digests *ret)
{
	assert_in_range(selector, 0, 1);
	if (len == 0 || der[0] != GOOD)
		return false;
	memset(ret->sha256, 0xc1, sizeof(ret->sha256));
	memset(ret->sha512, 0xc2, sizeof(ret->sha512));
	return true;
}

static const struct {
	const char *sentence;
	uint8_t usage, selector, matching, fill;
	size_t len; // of the data
	enum tlsa_use use;
	const char *gives; // digests and their first octet
} judged[] = {
	{ "3 0 1 with 32 octets is usable, a SHA-256 match as it stands", 3, 0,
	    1, 0xaa, 32, TLSA_USABLE, "sha256:aa" },
	{ "3 1 1 with 32 octets is usable, a SHA-256 match as it stands", 3, 1,
	    1, 0xaa, 32, TLSA_USABLE, "sha256:aa" },
	{ "3 1 2 with 64 octets is usable, a SHA-512 match as it stands", 3, 1,
	    2, 0xaa, 64, TLSA_USABLE, "sha512:aa" },
	{ "3 0 0 that parses is usable and hashed to both matches", 3, 0, 0,
	    GOOD, 500, TLSA_USABLE, "sha256:c1 sha512:c2" },
	{ "3 1 0 that parses is usable and hashed to both matches", 3, 1, 0,
	    GOOD, 500, TLSA_USABLE, "sha256:c1 sha512:c2" },
	{ "2 0 1 with 32 octets is usable and gives no match", 2, 0, 1, 0xaa,
	    32, TLSA_USABLE, "" },
	{ "2 1 2 with 64 octets is usable and gives no match", 2, 1, 2, 0xaa,
	    64, TLSA_USABLE, "" },
	{ "2 0 0 that parses is usable and gives no match", 2, 0, 0, GOOD, 500,
	    TLSA_USABLE, "" },
	{ "2 0 0 that does not parse is unusable", 2, 0, 0, 0x30, 500,
	    TLSA_UNUSABLE_FULL, "" },
	{ "3 1 0 that does not parse is unusable", 3, 1, 0, 0x30, 500,
	    TLSA_UNUSABLE_FULL, "" },
	{ "3 0 0 without data does not parse", 3, 0, 0, 0, 0,
	    TLSA_UNUSABLE_FULL, "" },
	{ "31 octets of SHA-256 do not fit", 3, 1, 1, 0xaa, 31,
	    TLSA_UNUSABLE_LENGTH, "" },
	{ "33 octets of SHA-256 do not fit", 3, 1, 1, 0xaa, 33,
	    TLSA_UNUSABLE_LENGTH, "" },
	{ "no octet of SHA-256 does not fit", 3, 1, 1, 0, 0,
	    TLSA_UNUSABLE_LENGTH, "" },
	{ "64 octets do not fit SHA-256", 3, 1, 1, 0xaa, 64,
	    TLSA_UNUSABLE_LENGTH, "" },
	{ "32 octets do not fit SHA-512", 3, 1, 2, 0xaa, 32,
	    TLSA_UNUSABLE_LENGTH, "" },
	{ "63 octets do not fit SHA-512", 2, 1, 2, 0xaa, 63,
	    TLSA_UNUSABLE_LENGTH, "" },
	{ "65 octets do not fit SHA-512", 2, 1, 2, 0xaa, 65,
	    TLSA_UNUSABLE_LENGTH, "" },
	{ "usage 0 is unusable for SMTP", 0, 1, 1, 0xaa, 32,
	    TLSA_UNUSABLE_USAGE, "" },
	{ "usage 1 is unusable for SMTP", 1, 1, 1, 0xaa, 32,
	    TLSA_UNUSABLE_USAGE, "" },
	{ "usage 255 is unusable", 255, 1, 1, 0xaa, 32, TLSA_UNUSABLE_USAGE,
	    "" },
	{ "selector 2 is unusable", 3, 2, 1, 0xaa, 32, TLSA_UNUSABLE_SELECTOR,
	    "" },
	{ "selector 255 with full data is not even parsed", 3, 255, 0, GOOD,
	    500, TLSA_UNUSABLE_SELECTOR, "" },
	{ "matching type 3 is unusable", 3, 1, 3, 0xaa, 32,
	    TLSA_UNUSABLE_MATCHING, "" },
	{ "matching type 255 is unusable", 3, 1, 255, 0xaa, 32,
	    TLSA_UNUSABLE_MATCHING, "" },
	{ "of several reasons the usage is named first", 1, 2, 3, 0xaa, 1,
	    TLSA_UNUSABLE_USAGE, "" },
	{ "the selector is named before the matching type", 3, 2, 3, 0xaa, 1,
	    TLSA_UNUSABLE_SELECTOR, "" },
	{ "the matching type is named before the length", 3, 1, 3, 0xaa, 1,
	    TLSA_UNUSABLE_MATCHING, "" },
};

static void
render(const struct tlsa_match *match, char *ret, size_t size)
{
	int len = 0;

	ret[0] = '\0';
	if (match->has_sha256)
		len = snprintf(ret, size, "sha256:%02x",
		    match->digests.sha256[TLSA_SHA256_LEN - 1]);
	if (match->has_sha512)
		snprintf(ret + len, size - (size_t)len, "%ssha512:%02x",
		    len > 0 ? " " : "",
		    match->digests.sha512[TLSA_SHA512_LEN - 1]);
}

static void
test_judge(void **state)
{
	const typeof(judged[0]) *row = *state;
	uint8_t data[512];
	struct tlsa record = { row->usage, row->selector, row->matching, data,
		row->len };
	struct tlsa_match match;
	char text[64];

	memset(data, row->fill, sizeof(data));
	memset(&match, 0xff, sizeof(match));
	assert_int_equal(tlsa_judge(&record, check_full, &match), row->use);
	render(&match, text, sizeof(text));
	assert_string_equal(text, row->gives);
}

// The rule of RFC 7672 section 3.1 in other words than the code's.
static enum tlsa_use
expected(unsigned usage, unsigned selector, unsigned matching, size_t len)
{
	static const size_t fit[] = { 7, 32, 64 };

	if (usage != 2 && usage != 3)
		return TLSA_UNUSABLE_USAGE;
	if (selector != 0 && selector != 1)
		return TLSA_UNUSABLE_SELECTOR;
	if (matching > 2)
		return TLSA_UNUSABLE_MATCHING;
	if (len == fit[matching])
		return TLSA_USABLE;
	return matching == 0 ? TLSA_UNUSABLE_FULL : TLSA_UNUSABLE_LENGTH;
}

static bool
check_seven(
    uint8_t selector, const uint8_t *der, size_t len, struct tlsa_digests *ret)
{
	(void)selector;
	(void)der;
	memset(ret, 1, sizeof(*ret));
	return len == 7;
}

static void
test_combinations(void **state)
{
	static const size_t lens[] = { 0, 7, 31, 32, 33, 63, 64, 65 };
	static const uint8_t data[65];
	(void)state;

	for (unsigned i = 0; i < 256u * 256 * 8 * 4; i++) {
		struct tlsa record = {
			.usage = (uint8_t)i,
			.selector = (uint8_t)(i >> 19),
			.matching = (uint8_t)(i >> 8),
			.data = data,
			.len = lens[i >> 16 & 7],
		};
		struct tlsa_match match;
		enum tlsa_use want = expected(
		    record.usage, record.selector, record.matching, record.len);
		bool gives = want == TLSA_USABLE && record.usage == 3;

		assert_int_equal(
		    tlsa_judge(&record, check_seven, &match), want);
		assert_int_equal(
		    match.has_sha256, gives && record.matching != 2);
		assert_int_equal(
		    match.has_sha512, gives && record.matching != 1);
	}
}

static const struct {
	const char *sentence;
	uint8_t rdata[4];
	size_t len;
	bool parses, kills;
} parsed[] = {
	{ "no octets are no record", { 0 }, 0, false, false },
	{ "two octets are no record", { 3, 1 }, 2, false, false },
	{ "3 0 1 without data kills smtp(8)", { 3, 0, 1 }, 3, true, true },
	{ "3 1 0 without data kills smtp(8)", { 3, 1, 0 }, 3, true, true },
	{ "2 1 2 without data kills smtp(8)", { 2, 1, 2 }, 3, true, true },
	{ "3 7 254 without data kills smtp(8)", { 3, 7, 254 }, 3, true, true },
	{ "matching type 255 without data is harmless", { 3, 1, 255 }, 3, true,
	    false },
	{ "usage 1 without data is harmless", { 1, 1, 1 }, 3, true, false },
	{ "usage 0 without data is harmless", { 0, 1, 1 }, 3, true, false },
	{ "usage 4 without data is harmless", { 4, 1, 1 }, 3, true, false },
	{ "one octet of data is harmless", { 3, 1, 1, 9 }, 4, true, false },
};

static void
test_parse(void **state)
{
	const typeof(parsed[0]) *row = *state;
	struct tlsa record = { .usage = 77 };

	assert_int_equal(
	    tlsa_parse(row->rdata, row->len, &record), row->parses);
	if (!row->parses) {
		assert_int_equal(record.usage, 77);
		return;
	}
	assert_int_equal(record.usage, row->rdata[0]);
	assert_int_equal(record.selector, row->rdata[1]);
	assert_int_equal(record.matching, row->rdata[2]);
	assert_int_equal(record.len, row->len - 3);
	assert_ptr_equal(record.data, row->rdata + 3);
	assert_int_equal(tlsa_kills_smtp(&record), row->kills);
}

static void
test_texts(void **state)
{
	(void)state;
	for (int use = 0; use <= TLSA_USABLE; use++)
		for (int other = 0; other < use; other++)
			assert_string_not_equal(
			    tlsa_use_text((enum tlsa_use)use),
			    tlsa_use_text((enum tlsa_use)other));
}

int
main(void)
{
	TABLE_ADD(judged, test_judge);
	TABLE_ADD(parsed, test_parse);
	table_add("every combination of usage, selector, matching type and "
		  "length is judged by RFC 7672 section 3.1",
	    test_combinations, NULL);
	table_add("every use has words of its own", test_texts, NULL);
	return table_run("tlsa");
}
