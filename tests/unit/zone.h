// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A small DNS written as text, one answer a line:
//
//	NAME TYPE secure|insecure TTL [>CANONICAL] [nodata|nxdomain|DATA...]
//	NAME TYPE bogus|failed CAUSE
//	NAME TYPE silence
//
// TTL is "-" for a denial without SOA. DATA of MX is PREFERENCE:NAME, of TLSA
// three digits and the octet that fills its data ("311aa"), with "/LEN" where
// its length is not that of the matching type; "rdata/LEN" is nothing but LEN
// octets. A name that stands nowhere fails with the cause "not in the zone".
#pragma once

#include "policy/walk.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ZONE_WORDS_MAX 5000
#define ZONE_RDATA_MAX 80

// A reply with all that it points to in memory of its own, so that whoever
// keeps a pointer into it is caught once it is freed.
struct zone_reply {
	struct walk_reply reply;
	bool silent;
	char *line; // cut into words
	char *words[ZONE_WORDS_MAX];
	size_t n_words;
	struct walk_mx *mx;
	struct walk_rdata *tlsa;
	uint8_t *rdata;
};

static inline const char *
zone_type(enum walk_type type)
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
	abort();
}

// What follows NAME TYPE, to the end of its line.
static inline char *
zone_find(const char *zone, const char *name, enum walk_type type)
{
	char head[WALK_NAME_MAX + 16];
	int len = snprintf(head, sizeof(head), "%s %s ", name, zone_type(type));

	for (const char *at = zone; *at != '\0';) {
		size_t line = strcspn(at, "\n");

		if (strncmp(at, head, (size_t)len) == 0)
			return strndup(at + len, line - (size_t)len);
		at += line + (at[line] == '\n');
	}
	return strdup("failed not in the zone");
}

static inline void
zone_read_mx(struct zone_reply *ret, const char *word)
{
	char *name;
	unsigned long preference = strtoul(word, &name, 10);

	assert(*name == ':');
	ret->mx[ret->reply.n_mx++] = (struct walk_mx){
		.preference = (uint16_t)preference,
		.name = name + 1,
	};
}

static inline void
zone_read_tlsa(struct zone_reply *ret, const char *word)
{
	static const size_t fit[] = {
		['0'] = 5, ['1'] = 32, ['2'] = 64, ['9'] = 9
	};
	uint8_t *rdata = &ret->rdata[ret->reply.n_tlsa * ZONE_RDATA_MAX];
	const char *slash = strchr(word, '/');
	size_t len;

	if (strncmp(word, "rdata/", 6) == 0) {
		len = strtoul(word + 6, NULL, 10);
	} else {
		for (int i = 0; i < 3; i++)
			rdata[i] = (uint8_t)(word[i] - '0');
		len = slash != NULL ? strtoul(slash + 1, NULL, 10)
				    : fit[(unsigned char)word[2]];
		memset(rdata + 3, (int)strtoul(word + 3, NULL, 16), len);
		len += 3;
	}
	assert(len <= ZONE_RDATA_MAX);
	ret->tlsa[ret->reply.n_tlsa++] = (struct walk_rdata){ rdata, len };
}

static inline void
zone_read_data(struct zone_reply *ret, enum walk_type type)
{
	struct walk_reply *reply = &ret->reply;
	size_t room = ret->n_words + 1;

	reply->has_ttl = strcmp(ret->words[1], "-") != 0;
	reply->ttl_s = (uint32_t)strtoul(ret->words[1], NULL, 10);
	reply->content = WALK_DATA;
	reply->mx = ret->mx = calloc(room, sizeof(*ret->mx));
	reply->tlsa = ret->tlsa = calloc(room, sizeof(*ret->tlsa));
	ret->rdata = calloc(room, ZONE_RDATA_MAX);
	for (size_t i = 2; i < ret->n_words; i++) {
		const char *word = ret->words[i];

		if (word[0] == '>') {
			reply->aliased = true;
			reply->canonical = word + 1;
		} else if (strcmp(word, "nodata") == 0) {
			reply->content = WALK_NODATA;
		} else if (strcmp(word, "nxdomain") == 0) {
			reply->content = WALK_NXDOMAIN;
		} else if (type == WALK_MX) {
			zone_read_mx(ret, word);
		} else {
			zone_read_tlsa(ret, word);
		}
	}
}

static inline void
zone_cut(struct zone_reply *ret)
{
	char *rest = NULL;

	for (char *word = strtok_r(ret->line, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest)) {
		assert(ret->n_words < ZONE_WORDS_MAX);
		ret->words[ret->n_words++] = word;
	}
}

// Never fails; the caller frees it with zone_free.
static inline struct zone_reply *
zone_answer(const char *zone, const char *name, enum walk_type type)
{
	struct zone_reply *ret = calloc(1, sizeof(*ret));
	struct walk_reply *reply = &ret->reply;

	ret->line = zone_find(zone, name, type);
	ret->silent = strcmp(ret->line, "silence") == 0;
	if (strncmp(ret->line, "bogus ", 6) == 0) {
		reply->security = WALK_BOGUS;
		reply->cause = ret->line + 6;
		return ret;
	}
	if (strncmp(ret->line, "failed ", 7) == 0) {
		reply->cause = ret->line + 7;
		return ret;
	}
	zone_cut(ret);
	if (strcmp(ret->words[0], "secure") == 0)
		reply->security = WALK_SECURE;
	else if (strcmp(ret->words[0], "insecure") == 0)
		reply->security = WALK_INSECURE;
	else
		assert(ret->silent);
	if (!ret->silent)
		zone_read_data(ret, type);
	return ret;
}

static inline void
zone_free(struct zone_reply *reply)
{
	free(reply->mx);
	free(reply->tlsa);
	free(reply->rdata);
	free(reply->line);
	free(reply);
}
