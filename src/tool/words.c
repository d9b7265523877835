// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Tables of names, and the few records that are read for display. Nothing is
// decided here.
#include "config.h"

#include "tool/words.h"

#include "x509/x509.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

const char *
words_type(enum walk_type type)
{
	switch (type) {
	case WALK_A:
		return "A";
	case WALK_CNAME:
		return "CNAME";
	case WALK_MX:
		return "MX";
	case WALK_AAAA:
		return "AAAA";
	case WALK_TLSA:
		return "TLSA";
	}
	return "?";
}

const char *
words_security(const struct story_answer *answer)
{
	if (!answer->answered)
		return "open";
	switch (answer->security) {
	case WALK_SECURE:
		return "secure";
	case WALK_INSECURE:
		return "insecure";
	case WALK_BOGUS:
		return "bogus";
	case WALK_FAILED:
		break;
	}
	return "failed";
}

const char *
words_content(enum walk_content content)
{
	switch (content) {
	case WALK_DATA:
		return "data";
	case WALK_NXDOMAIN:
		return "nxdomain";
	case WALK_NODATA:
		break;
	}
	return "nodata";
}

const char *
words_host(enum facts_state state)
{
	switch (state) {
	case FACTS_DANE:
		return "dane";
	case FACTS_UNUSABLE:
		return "unusable";
	case FACTS_NODANE:
		return "no-dane";
	case FACTS_ABSENT:
		return "absent";
	case FACTS_ERROR:
		break;
	}
	return "error";
}

const char *
words_kind(enum nexthop_kind kind)
{
	switch (kind) {
	case NEXTHOP_DOMAIN:
		return "domain";
	case NEXTHOP_HOST:
		return "host";
	case NEXTHOP_ADDRESS:
		return "address";
	case NEXTHOP_PARENT:
		return "parent";
	case NEXTHOP_UNCONVERTIBLE:
		return "unconvertible";
	case NEXTHOP_UNPARSABLE:
		break;
	}
	return "unparsable";
}

const char *
words_usage(uint8_t usage)
{
	static const char *const names[] = { "PKIX-TA", "PKIX-EE", "DANE-TA",
		"DANE-EE" };

	if (usage < sizeof(names) / sizeof(names[0]))
		return names[usage];
	return usage == UINT8_MAX ? "PrivCert" : NULL;
}

const char *
words_selector(uint8_t selector)
{
	static const char *const names[] = { "Cert", "SPKI" };

	if (selector < sizeof(names) / sizeof(names[0]))
		return names[selector];
	return selector == UINT8_MAX ? "PrivSel" : NULL;
}

const char *
words_matching(uint8_t matching)
{
	static const char *const names[] = { "Full", "SHA2-256", "SHA2-512" };

	if (matching < sizeof(names) / sizeof(names[0]))
		return names[matching];
	return matching == UINT8_MAX ? "PrivMatch" : NULL;
}

const char *
words_address(const struct story_record *record, char ret[WORDS_ADDRESS_MAX])
{
	ret[0] = '\0';
	if (record->type == WALK_A && record->len == sizeof(struct in_addr))
		inet_ntop(AF_INET, record->rdata, ret, WORDS_ADDRESS_MAX);
	if (record->type == WALK_AAAA && record->len == sizeof(struct in6_addr))
		inet_ntop(AF_INET6, record->rdata, ret, WORDS_ADDRESS_MAX);
	return ret;
}

uint16_t
words_preference(const struct story_record *mx)
{
	if (mx->len < 2)
		return 0;
	return (uint16_t)(mx->rdata[0] << 8 | mx->rdata[1]);
}

bool
words_tlsa(
    const struct story_record *record, struct tlsa *ret, enum tlsa_use *ret_use)
{
	struct tlsa_match match;

	*ret_use = TLSA_UNUSABLE_SHORT;
	if (!tlsa_parse(record->rdata, record->len, ret))
		return false;
	*ret_use = tlsa_judge(ret, x509_digest_full, &match);
	return true;
}

void
words_hex(const uint8_t *octets, size_t len, char *ret)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*ret++ = digits[octets[i] >> 4];
		*ret++ = digits[octets[i] & 0x0f];
	}
	*ret = '\0';
}
