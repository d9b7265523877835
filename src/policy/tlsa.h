// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// One TLSA record: usable for SMTP or why not (RFC 6698, RFC 7672 s. 3.1),
// and the digests that a certificate or key must match. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLSA_SHA256_LEN 32
#define TLSA_SHA512_LEN 64

enum tlsa_use {
	TLSA_UNUSABLE_USAGE = 0,  // PKIX-TA, PKIX-EE (RFC 7672 s. 3.1.3), unknown
	TLSA_UNUSABLE_SELECTOR,	  // neither 0 (Cert) nor 1 (SPKI)
	TLSA_UNUSABLE_MATCHING,	  // matching type over 2
	TLSA_UNUSABLE_LENGTH,	  // data does not fit the matching type
	TLSA_UNUSABLE_FULL,	  // matching type 0 that does not parse
	TLSA_UNUSABLE_SHORT,	  // RDATA under three octets
	TLSA_USABLE,
};

// RDATA, borrowed.
struct tlsa {
	uint8_t usage, selector, matching;
	const uint8_t *data;
	size_t len;
};

struct tlsa_digests {
	uint8_t sha256[TLSA_SHA256_LEN];
	uint8_t sha512[TLSA_SHA512_LEN];
};

// Whether der is, to its last octet, a certificate (selector 0) or a
// SubjectPublicKeyInfo (selector 1) with a key that can be decoded; if so its
// digests. x509_digest_full in the daemon.
typedef bool tlsa_full_check(uint8_t selector, const uint8_t *der, size_t len,
    struct tlsa_digests *ret);

// What one record gives to a list of fingerprints: the digests that the flags
// name. Only usable records of usage 3 give any.
struct tlsa_match {
	bool has_sha256, has_sha512;
	struct tlsa_digests digests;
};

// Splits RDATA; false if it has fewer than three octets.
bool tlsa_parse(const uint8_t *rdata, size_t len, struct tlsa *ret);

// The first of usage, selector, matching type and data that is unfit names the
// reason. Fills ret in any case.
enum tlsa_use tlsa_judge(const struct tlsa *record, tlsa_full_check *full,
    struct tlsa_match *ret);

// A few words for each use, for people.
const char *tlsa_use_text(enum tlsa_use use);

// A record of three octets with usage 2 or 3 and matching type not 255 makes
// smtp(8) of Postfix 3.6 to 3.11 panic at any dane level.
bool tlsa_kills_smtp(const struct tlsa *record);
