// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The digest of all that an answer is trusted for.
#include "config.h"

#include "resolver/trust.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/decide.h"
#include "x509/x509.h"

int
trust_digest(const struct dns_settings *settings,
    uint8_t ret[CACHE_CONTEXT_LEN], char ret_error[DNS_ERROR_MAX])
{
	uint8_t *text = NULL;
	size_t len;
	int r = dns_context(settings, &text, &len, ret_error);

	if (r != 0)
		return r;
	uint8_t *all = realloc(text, len + 1);
	if (all == NULL) {
		free(text);
		snprintf(ret_error, DNS_ERROR_MAX, "out of memory");
		return -ENOMEM;
	}
	all[len] = DECIDE_VERSION;
	r = x509_sha256(all, len + 1, ret);
	free(all);
	if (r != 0)
		snprintf(ret_error, DNS_ERROR_MAX, "out of memory");
	return r;
}
