// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What a TLSA record may hold: any RDATA. The judgement must be the one that
// OpenSSL's own DANE code comes to, which Postfix leaves it to, where the usage
// is one for SMTP; and full data must be one DER structure to its last octet.
// A record's digests are those of its data.
//
// Under test: src/policy/tlsa.c src/x509/x509.c
#include "config.h"

#include "input.h"

#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <string.h>

#include "x509/x509.h"

static SSL *
new_connection(void)
{
	static SSL_CTX *context;

	if (context == NULL) {
		context = SSL_CTX_new(TLS_client_method());
		REQUIRE(context != NULL && SSL_CTX_dane_enable(context) > 0);
	}
	SSL *connection = SSL_new(context);
	REQUIRE(connection != NULL);
	REQUIRE(SSL_dane_enable(connection, "mx.example.org") > 0);
	return connection;
}

static bool
openssl_takes(const uint8_t *rdata, size_t len)
{
	SSL *connection = new_connection();
	int r = SSL_dane_tlsa_add(
	    connection, rdata[0], rdata[1], rdata[2], rdata + 3, len - 3);

	SSL_free(connection);
	ERR_clear_error();
	return r > 0;
}

// The octets of a DER length, or 0; ret_value is what they say.
static size_t
der_length(const uint8_t *at, size_t len, size_t *ret_value)
{
	if (len == 0 || at[0] == 0x80)
		return 0;
	if (at[0] < 0x80) {
		*ret_value = at[0];
		return 1;
	}
	size_t n = at[0] & 0x7f;
	if (n > 4 || len < 1 + n)
		return 0;
	*ret_value = 0;
	for (size_t i = 1; i <= n; i++)
		*ret_value = *ret_value << 8 | at[i];
	return 1 + n;
}

// One SEQUENCE from the first octet to the last. An indefinite length (BER)
// is OpenSSL's to judge.
static bool
is_one_sequence(const uint8_t *at, size_t len)
{
	size_t value = 0;

	if (len < 2 || at[0] != 0x30)
		return false;
	if (at[1] == 0x80)
		return len >= 4 && at[len - 1] == 0 && at[len - 2] == 0;
	size_t n = der_length(at + 1, len - 1, &value);
	return n > 0 && 1 + n + value == len;
}

// The reason that the octets give, in the order that tlsa.h names.
static enum tlsa_use
expected_use(const uint8_t *rdata, size_t len)
{
	static const size_t lengths[] = { 0, 32, 64 };

	if (rdata[0] != 2 && rdata[0] != 3)
		return TLSA_UNUSABLE_USAGE;
	if (rdata[1] != 0 && rdata[1] != 1)
		return TLSA_UNUSABLE_SELECTOR;
	if (rdata[2] > 2)
		return TLSA_UNUSABLE_MATCHING;
	if (rdata[2] > 0)
		return len - 3 == lengths[rdata[2]] ? TLSA_USABLE
						    : TLSA_UNUSABLE_LENGTH;
	return openssl_takes(rdata, len) ? TLSA_USABLE : TLSA_UNUSABLE_FULL;
}

static void
check_match(const uint8_t *rdata, size_t len, bool usable,
    const struct tlsa_match *match)
{
	static const uint8_t zeros[SHA512_DIGEST_LENGTH];
	uint8_t sha256[SHA256_DIGEST_LENGTH] = { 0 };
	uint8_t sha512[SHA512_DIGEST_LENGTH] = { 0 };
	bool gives = usable && rdata[0] == 3;

	REQUIRE(match->has_sha256 == (gives && rdata[2] != 2));
	REQUIRE(match->has_sha512 == (gives && rdata[2] != 1));
	if (gives && rdata[2] == 0) {
		SHA256(rdata + 3, len - 3, sha256);
		SHA512(rdata + 3, len - 3, sha512);
	} else if (gives) {
		memcpy(rdata[2] == 1 ? sha256 : sha512, rdata + 3, len - 3);
	}
	REQUIRE(memcmp(match->digests.sha256, sha256, sizeof(sha256)) == 0);
	REQUIRE(memcmp(match->digests.sha512, sha512, sizeof(sha512)) == 0);
	if (!gives)
		REQUIRE(memcmp(match->digests.sha512, zeros, 64) == 0);
}

static bool
expected_to_kill(const uint8_t *rdata, size_t len)
{
	return len == 3 && (rdata[0] == 2 || rdata[0] == 3) && rdata[2] != 255;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tlsa record;
	struct tlsa_match match;

	if (!tlsa_parse(data, size, &record)) {
		REQUIRE(size < 3);
		return 0;
	}
	REQUIRE(size >= 3);
	enum tlsa_use use = tlsa_judge(&record, x509_digest_full, &match);
	REQUIRE(ERR_peek_error() == 0);
	REQUIRE(use == expected_use(data, size));
	if (use == TLSA_USABLE) {
		REQUIRE(openssl_takes(data, size));
		if (data[2] == 0)
			REQUIRE(is_one_sequence(data + 3, size - 3));
	}
	check_match(data, size, use == TLSA_USABLE, &match);
	REQUIRE(tlsa_kills_smtp(&record) == expected_to_kill(data, size));
	return 0;
}
