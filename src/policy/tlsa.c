// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// One TLSA record, taken apart and judged. Promises that whatever Postfix and
// OpenSSL would not use is called unusable, and says why; knows nothing of the
// host it stands for, nor whether its RRset is secure.
#include "config.h"

#include "policy/tlsa.h"

#include <string.h>

// usage, selector, matching type (RFC 6698 s. 2.1)
#define TLSA_HEAD_LEN 3

enum { USAGE_DANE_TA = 2, USAGE_DANE_EE = 3 };

enum { SELECTOR_CERT = 0, SELECTOR_SPKI = 1 };

enum {
	MATCHING_FULL = 0,
	MATCHING_SHA256 = 1,
	MATCHING_SHA512 = 2,
	MATCHING_PRIVATE = 255,
};

bool
tlsa_parse(const uint8_t *rdata, size_t len, struct tlsa *ret)
{
	if (len < TLSA_HEAD_LEN)
		return false;
	*ret = (struct tlsa){
		.usage = rdata[0],
		.selector = rdata[1],
		.matching = rdata[2],
		.data = rdata + TLSA_HEAD_LEN,
		.len = len - TLSA_HEAD_LEN,
	};
	return true;
}

static bool
has_smtp_usage(const struct tlsa *record)
{
	return record->usage == USAGE_DANE_TA || record->usage == USAGE_DANE_EE;
}

// The digests that the data gives, whatever the usage.
static enum tlsa_use
judge_data(
    const struct tlsa *record, tlsa_full_check *full, struct tlsa_match *ret)
{
	switch (record->matching) {
	case MATCHING_FULL:
		if (!full(record->selector, record->data, record->len,
			&ret->digests))
			return TLSA_UNUSABLE_FULL;
		ret->has_sha256 = ret->has_sha512 = true;
		return TLSA_USABLE;
	case MATCHING_SHA256:
		if (record->len != TLSA_SHA256_LEN)
			return TLSA_UNUSABLE_LENGTH;
		memcpy(ret->digests.sha256, record->data, TLSA_SHA256_LEN);
		ret->has_sha256 = true;
		return TLSA_USABLE;
	case MATCHING_SHA512:
		if (record->len != TLSA_SHA512_LEN)
			return TLSA_UNUSABLE_LENGTH;
		memcpy(ret->digests.sha512, record->data, TLSA_SHA512_LEN);
		ret->has_sha512 = true;
		return TLSA_USABLE;
	default:
		return TLSA_UNUSABLE_MATCHING;
	}
}

enum tlsa_use
tlsa_judge(
    const struct tlsa *record, tlsa_full_check *full, struct tlsa_match *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (!has_smtp_usage(record))
		return TLSA_UNUSABLE_USAGE;
	if (record->selector > SELECTOR_SPKI)
		return TLSA_UNUSABLE_SELECTOR;

	struct tlsa_match match = { .has_sha256 = false };
	enum tlsa_use use = judge_data(record, full, &match);

	// A fingerprint is compared with the server's own certificate and key;
	// those that usage 2 names stand above it.
	if (use == TLSA_USABLE && record->usage == USAGE_DANE_EE)
		*ret = match;
	return use;
}

const char *
tlsa_use_text(enum tlsa_use use)
{
	switch (use) {
	case TLSA_USABLE:
		return "usable";
	case TLSA_UNUSABLE_USAGE:
		return "usage is neither 2 nor 3";
	case TLSA_UNUSABLE_SELECTOR:
		return "selector is neither 0 nor 1";
	case TLSA_UNUSABLE_MATCHING:
		return "matching type is over 2";
	case TLSA_UNUSABLE_LENGTH:
		return "length does not fit the matching type";
	case TLSA_UNUSABLE_FULL:
		return "full data does not parse";
	case TLSA_UNUSABLE_SHORT:
		return "shorter than three octets";
	}
	return "unknown";
}

bool
tlsa_kills_smtp(const struct tlsa *record)
{
	return record->len == 0 && has_smtp_usage(record) &&
	       record->matching != MATCHING_PRIVATE;
}
