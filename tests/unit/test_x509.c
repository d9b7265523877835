// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// x509: real certificates and keys, made here, pass whole; whatever is cut,
// longer, of the other selector or of a key that nobody can decode does not.
#include "config.h"

#include "x509/x509.h"

#include "table.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <string.h>

enum kind { RSA_2048, P_256, ED_25519, KINDS };

enum { CERT = 0, SPKI = 1 };

struct der {
	uint8_t *octets;
	size_t len;
};

// Made once: [kind][selector].
static struct der made[KINDS][2];

static EVP_PKEY *
make_key(enum kind kind)
{
	switch (kind) {
	case RSA_2048:
		return EVP_RSA_gen(2048);
	case P_256:
		return EVP_EC_gen("P-256");
	default:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	}
}

static void
make(enum kind kind)
{
	EVP_PKEY *key = make_key(kind);
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);

	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)"mx.example.org", -1, -1, 0);
	X509_set_issuer_name(cert, name);
	X509_set_pubkey(cert, key);
	X509_sign(cert, key, kind == ED_25519 ? NULL : EVP_sha256());
	made[kind][CERT].len = (size_t)i2d_X509(cert, &made[kind][CERT].octets);
	made[kind][SPKI].len =
	    (size_t)i2d_PUBKEY(key, &made[kind][SPKI].octets);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static const struct {
	const char *sentence;
	enum kind kind;
	uint8_t holds, selector; // what the octets are, and are said to be
	int longer;              // octets added (zeros) or taken away
	int flip;                // octet that is changed, from the end; 0: none
	bool passes;
} rows[] = {
	{ "an RSA certificate passes", RSA_2048, CERT, CERT, 0, 0, true },
	{ "a P-256 certificate passes", P_256, CERT, CERT, 0, 0, true },
	{ "an Ed25519 certificate passes", ED_25519, CERT, CERT, 0, 0, true },
	{ "an RSA key passes", RSA_2048, SPKI, SPKI, 0, 0, true },
	{ "a P-256 key passes", P_256, SPKI, SPKI, 0, 0, true },
	{ "an Ed25519 key passes", ED_25519, SPKI, SPKI, 0, 0, true },
	{ "a certificate is no key", RSA_2048, CERT, SPKI, 0, 0, false },
	{ "a key is no certificate", RSA_2048, SPKI, CERT, 0, 0, false },
	{ "a P-256 certificate is no key", P_256, CERT, SPKI, 0, 0, false },
	{ "a P-256 key is no certificate", P_256, SPKI, CERT, 0, 0, false },
	{ "a certificate without its last octet fails", RSA_2048, CERT, CERT,
	    -1, 0, false },
	{ "a key without its last octet fails", RSA_2048, SPKI, SPKI, -1, 0,
	    false },
	{ "a certificate with an octet behind it fails", P_256, CERT, CERT, 1,
	    0, false },
	{ "a key with an octet behind it fails", P_256, SPKI, SPKI, 1, 0,
	    false },
	{ "a certificate with a signature that is wrong passes: trust is not "
	  "judged here",
	    RSA_2048, CERT, CERT, 0, 1, true },
	{ "a key that is not on its curve fails", P_256, SPKI, SPKI, 0, 1,
	    false },
	{ "selector 2 fails", P_256, SPKI, 2, 0, 0, false },
	{ "selector 255 fails", P_256, CERT, 255, 0, 0, false },
};

static void
assert_digests(
    const struct tlsa_digests *digests, const uint8_t *octets, size_t len)
{
	uint8_t want[TLSA_SHA512_LEN];

	EVP_Digest(octets, len, want, NULL, EVP_sha256(), NULL);
	assert_memory_equal(digests->sha256, want, TLSA_SHA256_LEN);
	EVP_Digest(octets, len, want, NULL, EVP_sha512(), NULL);
	assert_memory_equal(digests->sha512, want, TLSA_SHA512_LEN);
}

// Octets in memory of their own length, so that a read past them is caught.
static void
check(uint8_t selector, const uint8_t *octets, size_t len, bool passes)
{
	struct tlsa_digests digests, untouched;

	memset(&digests, 0x55, sizeof(digests));
	untouched = digests;
	assert_int_equal(
	    x509_digest_full(selector, octets, len, &digests), passes);
	assert_int_equal(ERR_peek_error(), 0);
	if (passes)
		assert_digests(&digests, octets, len);
	else
		assert_memory_equal(&digests, &untouched, sizeof(digests));
}

static void
test_row(void **state)
{
	const typeof(rows[0]) *row = *state;
	const struct der *der = &made[row->kind][row->holds];
	size_t len = der->len + (size_t)(ptrdiff_t)row->longer;
	uint8_t *octets = calloc(1, len);

	memcpy(octets, der->octets, len < der->len ? len : der->len);
	if (row->flip > 0)
		octets[len - (size_t)row->flip] ^= 1;
	check(row->selector, octets, len, row->passes);
	free(octets);
}

static void
test_cut_anywhere(void **state)
{
	(void)state;
	for (uint8_t selector = 0; selector < 2; selector++) {
		const struct der *der = &made[P_256][selector];

		for (size_t len = 0; len < der->len; len++) {
			uint8_t *octets = malloc(len + 1);

			memcpy(octets, der->octets, len);
			check(selector, octets, len, false);
			free(octets);
		}
	}
}

// The algorithm's identifier made one that OpenSSL does not know.
static void
test_unknown_algorithm(void **state)
{
	static const uint8_t ed25519[] = { 0x06, 0x03, 0x2b, 0x65, 0x70 };
	(void)state;

	for (uint8_t selector = 0; selector < 2; selector++) {
		const struct der *der = &made[ED_25519][selector];
		uint8_t *octets = malloc(der->len), *at;
		size_t n = 0;

		memcpy(octets, der->octets, der->len);
		while ((at = memmem(octets, der->len, ed25519,
			    sizeof(ed25519))) != NULL) {
			at[4] = 0x7f;
			n++;
		}
		assert_in_range(n, 1, 3);
		check(selector, octets, der->len, false);
		free(octets);
	}
}

static void
test_garbage(void **state)
{
	uint32_t seed = 1;
	(void)state;

	for (int i = 0; i < 2000; i++) {
		uint8_t octets[200];

		for (size_t j = 0; j < sizeof(octets); j++) {
			seed = seed * 1664525 + 1013904223;
			octets[j] = (uint8_t)(seed >> 24);
		}
		octets[0] = 0x30;
		check((uint8_t)(i & 1), octets, sizeof(octets), false);
	}
}

static void
test_sha256(void **state)
{
	static const uint8_t want[] = { 0xba, 0x78, 0x16, 0xbf };
	uint8_t digest[TLSA_SHA256_LEN];
	(void)state;

	assert_int_equal(x509_sha256("abc", 3, digest), 0);
	assert_memory_equal(digest, want, sizeof(want));
}

int
main(void)
{
	for (enum kind kind = 0; kind < KINDS; kind++)
		make(kind);
	TABLE_ADD(rows, test_row);
	table_add("a certificate or key cut at any octet fails",
	    test_cut_anywhere, NULL);
	table_add("a key of an unknown algorithm fails, alone and in a "
		  "certificate",
	    test_unknown_algorithm, NULL);
	table_add("garbage fails", test_garbage, NULL);
	table_add("x509_sha256 is SHA-256", test_sha256, NULL);
	int failed = table_run("x509");
	for (enum kind kind = 0; kind < KINDS; kind++) {
		OPENSSL_free(made[kind][CERT].octets);
		OPENSSL_free(made[kind][SPKI].octets);
	}
	return failed;
}
