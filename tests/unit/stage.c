// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// How the stage is set and struck.
#include "config.h"

#include "stage.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "ident.h"
#include "resolver/kept.h"

uint64_t
stage_now_ms(void)
{
	return clock_boot_ms();
}

static void
on_answer(struct asker *asker, uint32_t ask_id, struct letter *letter)
{
	struct stage *stage =
	    (struct stage *)(void *)((char *)asker -
				     offsetof(struct stage, asker));
	struct stage_answer *last = &stage->last;

	assert_true(stage->n_answers < STAGE_ANSWERS_MAX);
	assert_true(letter->len <= sizeof(last->data));
	stage->kinds[stage->n_answers] = letter->kind;
	stage->order[stage->n_answers++] = ask_id;
	last->ask_id = ask_id;
	last->kind = letter->kind;
	last->len = letter->len;
	memcpy(last->data, letter->data, letter->len);
	memset(&last->entry, 0, sizeof(last->entry));
	if (letter->kind == ASK_ANSWER)
		assert_int_equal(
		    entry_decode(last->data, last->len, &last->entry), 0);
}

static void
open_cache(struct stage *stage)
{
	struct cache_settings settings = {
		.path = stage->path,
		.size = CACHE_SIZE_MIN,
		.owner = geteuid(),
		.group = getegid(),
	};
	char why[CACHE_ERROR_MAX], error[CACHE_ERROR_MAX];
	enum cache_opened opened;

	snprintf(stage->folder, sizeof(stage->folder), "%s",
	    "/tmp/danemap-test-XXXXXX");
	assert_non_null(mkdtemp(stage->folder));
	snprintf(stage->path, sizeof(stage->path), "%s/cache", stage->folder);
	assert_int_equal(
	    cache_open(&settings, &stage->cache, &opened, why, error), 0);
	assert_int_equal(cache_attach(stage->cache, true), 0);
	for (unsigned part = 0; part < CACHE_PARTS; part++)
		cache_own(stage->cache, part);
}

static void
close_cache(struct stage *stage)
{
	char lock[128];

	cache_close(stage->cache);
	snprintf(lock, sizeof(lock), "%s.lock", stage->path);
	unlink(lock);
	unlink(stage->path);
	rmdir(stage->folder);
}

static void
open_stage(struct stage *stage, unsigned places)
{
	char error[DNS_ERROR_MAX];

	*stage = (struct stage){ .conf = {
				     .cache_min_ttl_s = 10,
				     .cache_max_ttl_s = 86400,
				     .cache_error_ttl_s = 5,
				     .cache_stale_ttl_s = 86400,
				     .query_timeout_s = 1,
				     .query_concurrency = places,
				 } };
	open_cache(stage);
	stage->page = status_new();
	assert_non_null(stage->page);
	assert_int_equal(loop_new(&stage->loop), 0);
	assert_int_equal(
	    dns_open(loop_base(stage->loop), NULL, &stage->dns, error), 0);

	struct flights_settings flights = { &stage->conf, stage->cache,
		stage->loop, stage->page, STAGE_LINE_MAX,
		&stage->clock_offset_ms };

	assert_int_equal(flights_new(&flights, &stage->flights), 0);

	struct refresh_settings refresh = { &stage->conf, stage->cache,
		stage->loop, stage->flights, 4 };

	assert_int_equal(refresh_new(&refresh, &stage->refresh), 0);
	stage->asker.answer = on_answer;
	flights_go(stage->flights, stage->dns);
}

static void
close_stage(struct stage *stage)
{
	flights_leave(&stage->asker);
	refresh_free(stage->refresh);
	flights_free(stage->flights);
	assert_int_equal(fake_dns.n_open, 0);
	if (stage->dns)
		dns_close(stage->dns);
	loop_free(stage->loop);
	close_cache(stage);
	fake_dns_reset();
}

static void
run_row(const struct stage_row *row, unsigned places)
{
	struct stage stage;

	open_stage(&stage, places);
	row->act(&stage);
	close_stage(&stage);
}

void
stage_run(void **state)
{
	run_row(*state, 8);
}

void
stage_run_line(void **state)
{
	run_row(*state, 1);
}

void
stage_ask(
    struct stage *stage, const char *name, uint32_t ask_id, unsigned within_ms)
{
	uint8_t octets[NEXTHOP_ID_MAX];
	struct question question = {
		.id = ident_of(name, octets),
		.asker = &stage->asker,
		.ask_id = ask_id,
		.deadline_ms = stage_now_ms() + within_ms,
	};

	flights_ask(stage->flights, &question);
}

void
stage_keep(struct stage *stage, const char *name, const struct entry *entry)
{
	uint8_t octets[NEXTHOP_ID_MAX];

	assert_int_equal(kept_write(stage->cache, ident_of(name, octets), entry,
			     &stage->conf, stage_now_ms()),
	    0);
}

bool
stage_kept(struct stage *stage, const char *name, struct entry *ret)
{
	static struct kept kept;
	uint8_t octets[NEXTHOP_ID_MAX];

	if (!kept_read(stage->cache, ident_of(name, octets), &kept))
		return false;
	*ret = kept.entry;
	return true;
}

struct watch {
	struct stage *stage;
	bool (*done)(struct stage *stage);
};

static void
after_round(void *arg)
{
	struct watch *watch = arg;
	struct stage *stage = watch->stage;

	flights_round(stage->flights);
	if (watch->done(stage) || stage->impatient)
		loop_stop(stage->loop);
}

static void
on_patience(evutil_socket_t fd, short what, void *arg)
{
	struct stage *stage = arg;

	(void)fd;
	(void)what;
	stage->impatient = true;
}

void
stage_until(struct stage *stage, bool (*done)(struct stage *stage))
{
	struct timeval patience = { .tv_sec = STAGE_PATIENCE_S };
	struct event *guard =
	    evtimer_new(loop_base(stage->loop), on_patience, stage);
	struct watch watch = { stage, done };

	stage->impatient = false;
	evtimer_add(guard, &patience);
	flights_round(stage->flights);
	if (!done(stage))
		loop_run(stage->loop, after_round, &watch);
	event_free(guard);
	assert_false(stage->impatient);
}

static unsigned answers_wanted;

static bool
has_answers(struct stage *stage)
{
	return stage->n_answers >= answers_wanted;
}

void
stage_answers(struct stage *stage, unsigned n)
{
	answers_wanted = n;
	stage_until(stage, has_answers);
	assert_int_equal(stage->n_answers, n);
}

static bool
is_quiet(struct stage *stage)
{
	return flights_waiting(stage->flights) == 0 &&
	       stage->page->n_in_flight == 0 && stage->page->n_in_line == 0;
}

void
stage_quiet(struct stage *stage)
{
	stage_until(stage, is_quiet);
}

static void
on_rest(evutil_socket_t fd, short what, void *arg)
{
	bool *rested = arg;

	(void)fd;
	(void)what;
	*rested = true;
}

static bool rested;

static bool
is_rested(struct stage *stage)
{
	(void)stage;
	return rested;
}

void
stage_rest(struct stage *stage, unsigned time_ms)
{
	struct timeval time = { .tv_sec = time_ms / 1000,
		.tv_usec = (suseconds_t)(time_ms % 1000) * 1000 };
	struct event *timer =
	    evtimer_new(loop_base(stage->loop), on_rest, &rested);

	rested = false;
	evtimer_add(timer, &time);
	stage_until(stage, is_rested);
	event_free(timer);
}
