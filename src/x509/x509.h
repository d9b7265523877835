// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The only file of the answer path that includes OpenSSL: certificates and
// public keys in full, as TLSA matching type 0 carries them.
#pragma once

#include "policy/tlsa.h"

// A tlsa_full_check. DER only, to the last octet, with a public key that
// OpenSSL can decode; the digests are those of the octets given.
bool x509_digest_full(uint8_t selector, const uint8_t *der, size_t len,
    struct tlsa_digests *ret);

// SHA-256 of some octets; for the cache's context. 0, or -ENOMEM.
int x509_sha256(const void *data, size_t len, uint8_t ret[TLSA_SHA256_LEN]);

// "OpenSSL 3.0.19 ..."
const char *x509_version(void);
