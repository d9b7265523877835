// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Rules from a text in a test: built in memory that is exactly as large as
// rules_memory says, so that a sanitizer sees what goes past it. IDNA and
// services are played: "ü" is the one letter that can be converted.
#pragma once

#include "policy/rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RULES_TEXT_FILE "rules"

static inline int
rules_text_to_ascii(const char *label, size_t len, char ret[64])
{
	static const struct {
		const char *u_label, *a_label;
	} known[] = {
		{ "b\xc3\xbc"
		  "cher",
		    "xn--bcher-kva" },
		{ "B\xc3\x9c"
		  "CHER",
		    "xn--bcher-kva" },
		{ "\xc3\xbc", "xn--tda" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strlen(known[i].u_label) != len ||
		    memcmp(known[i].u_label, label, len) != 0)
			continue;
		strncpy(ret, known[i].a_label, 63);
		ret[63] = '\0';
		return 0;
	}
	return -EINVAL;
}

static inline int
rules_text_port(const char *name, size_t len, uint16_t *ret_port)
{
	if (len == 10 && memcmp(name, "submission", len) == 0)
		*ret_port = 587;
	else if (len == 4 && memcmp(name, "smtp", len) == 0)
		*ret_port = 25;
	else
		return -ENOENT;
	return 0;
}

static const struct nexthop_env rules_text_env = {
	.label_to_ascii = rules_text_to_ascii,
	.service_port = rules_text_port,
};

// As rules_build; the caller frees ret.
static inline int
rules_text_build(const char *text, size_t len, struct rules **ret,
    char ret_error[RULES_ERROR_MAX])
{
	// A copy without a NUL: nothing may be read past its end.
	char *octets = malloc(len > 0 ? len : 1);
	if (octets == NULL)
		abort();
	memcpy(octets, text, len);
	struct rules_text from = { RULES_TEXT_FILE, octets, len };
	void *memory = malloc(rules_memory(&from));
	if (memory == NULL)
		abort();
	int error = rules_build(&from, &rules_text_env, memory, ret, ret_error);
	free(octets);
	if (error != 0)
		free(memory);
	return error;
}
