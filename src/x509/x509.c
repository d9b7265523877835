// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Certificates and public keys of the DNS, held against OpenSSL. Promises that
// what passes here will not fail in Postfix's own OpenSSL for its encoding;
// knows nothing of names, dates or trust. Leaves no error in OpenSSL's queue.
#include "config.h"

#include "x509/x509.h"

#include <openssl/err.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <errno.h>
#include <limits.h>

enum { SELECTOR_CERT = 0, SELECTOR_SPKI = 1 };

static bool
is_certificate(const uint8_t *der, size_t len)
{
	const uint8_t *end = der;
	X509 *certificate = d2i_X509(NULL, &end, (long)len);
	bool fits = certificate != NULL && end == der + len &&
		    X509_get0_pubkey(certificate) != NULL;

	X509_free(certificate);
	return fits;
}

static bool
is_public_key(const uint8_t *der, size_t len)
{
	const uint8_t *end = der;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &end, (long)len);
	bool fits = key != NULL && end == der + len;

	EVP_PKEY_free(key);
	return fits;
}

bool
x509_digest_full(
    uint8_t selector, const uint8_t *der, size_t len, struct tlsa_digests *ret)
{
	struct tlsa_digests digests;
	bool fits = false;

	if (len == 0 || len > LONG_MAX)
		return false;
	if (selector == SELECTOR_CERT)
		fits = is_certificate(der, len);
	else if (selector == SELECTOR_SPKI)
		fits = is_public_key(der, len);
	fits = fits &&
	       EVP_Digest(der, len, digests.sha256, NULL, EVP_sha256(), NULL) &&
	       EVP_Digest(der, len, digests.sha512, NULL, EVP_sha512(), NULL);
	ERR_clear_error();
	if (fits)
		*ret = digests;
	return fits;
}

int
x509_sha256(const void *data, size_t len, uint8_t ret[TLSA_SHA256_LEN])
{
	if (EVP_Digest(data, len, ret, NULL, EVP_sha256(), NULL))
		return 0;
	ERR_clear_error();
	return -ENOMEM;
}

const char *
x509_version(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}
