// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The digest of all that an answer is trusted for.
#include "config.h"

#include "resolver/trust.h"

#include <errno.h>
#include <stdlib.h>

#include "policy/decide.h"
#include "x509/x509.h"

int
trust_digest(const struct dns_source *source, uint8_t ret[CACHE_CONTEXT_LEN])
{
	uint8_t *text = NULL;
	size_t len;
	int r = dns_source_octets(source, &text, &len);

	if (r != 0)
		return r;
	uint8_t *all = realloc(text, len + 1);
	if (all == NULL) {
		free(text);
		return -ENOMEM;
	}
	all[len] = DECIDE_VERSION;
	r = x509_sha256(all, len + 1, ret);
	free(all);
	return r == 0 ? 0 : -ENOMEM;
}
