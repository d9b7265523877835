// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The stage for tests of flights and refreshes: a loop, a cache in a folder of
// its own, a DNS that says what the test wants (fake_dns.h), and one asker that
// remembers its answers.
#pragma once

#include "base/conf.h"
#include "base/loop.h"
#include "base/status.h"
#include "cache/cache.h"
#include "fake_dns.h"
#include "resolver/flights.h"
#include "resolver/refresh.h"
#include "wire/ask.h"

#define STAGE_ANSWERS_MAX 4096
// A test that waits for longer has failed.
#define STAGE_PATIENCE_S  10

struct stage_answer {
	uint32_t ask_id;
	enum ask_kind kind;
	size_t len;
	uint8_t data[ENTRY_ENCODED_MAX]; // of the newest answer: see last
	struct entry entry;
};

struct stage {
	struct conf conf;
	struct status_page *page;
	struct cache *cache;
	struct loop *loop;
	struct dns *dns;
	struct flights *flights;
	struct refresh *refresh;
	int64_t clock_offset_ms; // 0: the wall clock is as it always was
	struct asker asker;
	unsigned n_answers;
	uint32_t order[STAGE_ANSWERS_MAX]; // ask ids as they were answered
	enum ask_kind kinds[STAGE_ANSWERS_MAX];
	struct stage_answer last;
	bool impatient;
	char folder[64], path[96];
};

#define STAGE_LINE_MAX 16

// A test that has a stage to itself, as a row of a table. The cache is owned,
// the DNS is there.
struct stage_row {
	const char *sentence;
	void (*act)(struct stage *stage);
};

// With a query_concurrency of eight, or of one.
void stage_run(void **state);
void stage_run_line(void **state);

// A question that may take so long.
void stage_ask(
    struct stage *stage, const char *name, uint32_t ask_id, unsigned within_ms);
// Puts an entry into the cache.
void stage_keep(
    struct stage *stage, const char *name, const struct entry *entry);
// Takes an entry out of it; borrows from a buffer of its own.
bool stage_kept(struct stage *stage, const char *name, struct entry *ret);

uint64_t stage_now_ms(void);

// Runs the loop until done says so; fails the test if that takes too long.
void stage_until(struct stage *stage, bool (*done)(struct stage *stage));
// Until there are n answers.
void stage_answers(struct stage *stage, unsigned n);
// Until nothing waits and nothing is in flight.
void stage_quiet(struct stage *stage);
// For so long.
void stage_rest(struct stage *stage, unsigned time_ms);
