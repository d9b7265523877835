// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The root is tried until it validates, and again when all is forgotten.
#include "config.h"

#include "table.h"

#include <stdio.h>
#include <string.h>

#include "base/loop.h"
#include "fake_dns.h"
#include "resolver/anchor.h"

#define RETIRE_MS  50
#define PATIENCE_S 10

struct scene {
	struct loop *loop;
	struct anchor *anchor;
	struct dns *dns; // in use
	unsigned n_held, n_failed, n_closing;
	char why_not[128];
	bool (*done)(const struct scene *scene);
	bool impatient;
};

static void
on_held(void *arg, struct dns *dns)
{
	struct scene *scene = arg;

	scene->dns = dns;
	scene->n_held++;
}

static void
on_failed(void *arg, const char *why_not)
{
	struct scene *scene = arg;

	snprintf(scene->why_not, sizeof(scene->why_not), "%s", why_not);
	scene->n_failed++;
}

// Whoever has lookups in it is told while it is still there.
static void
on_closing(void *arg, struct dns *dns)
{
	struct scene *scene = arg;

	(void)dns;
	assert_int_equal(scene->n_closing, fake_dns.n_closed);
	scene->n_closing++;
}

static void
after_round(void *arg)
{
	struct scene *scene = arg;

	if (scene->done(scene) || scene->impatient)
		loop_stop(scene->loop);
}

static void
on_patience(evutil_socket_t fd, short what, void *arg)
{
	struct scene *scene = arg;

	(void)fd;
	(void)what;
	scene->impatient = true;
}

static void
play_until(struct scene *scene, bool (*done)(const struct scene *scene))
{
	struct timeval patience = { .tv_sec = PATIENCE_S };
	struct event *guard =
	    evtimer_new(loop_base(scene->loop), on_patience, scene);

	evtimer_add(guard, &patience);
	scene->done = done;
	loop_run(scene->loop, after_round, scene);
	event_free(guard);
	assert_false(scene->impatient);
}

static bool
is_held(const struct scene *scene)
{
	return scene->n_held == 1;
}

static bool
is_held_again(const struct scene *scene)
{
	return scene->n_held == 2;
}

static bool
has_failed(const struct scene *scene)
{
	return scene->n_failed == 1;
}

static bool
has_closed(const struct scene *scene)
{
	return scene->n_closing == 1;
}

static void
holds(struct scene *scene)
{
	play_until(scene, is_held);
	assert_non_null(scene->dns);
	assert_int_equal(fake_dns.n_opened, 1);
	assert_int_equal(scene->n_failed, 0);
}

static void
tries_again(struct scene *scene)
{
	fake_dns.why_not = "bogus";
	play_until(scene, has_failed);
	assert_string_equal(scene->why_not, "bogus");
	assert_int_equal(scene->n_held, 0);
	fake_dns.why_not = NULL;
	play_until(scene, is_held);
	assert_int_equal(fake_dns.n_opened, 2);
	assert_int_equal(fake_dns.n_closed, 1);
}

static void
survives_a_context_that_cannot_be_had(struct scene *scene)
{
	fake_dns.open_error = "no such file";
	play_until(scene, has_failed);
	assert_string_equal(scene->why_not, "no such file");
	fake_dns.open_error = NULL;
	play_until(scene, is_held);
	assert_int_equal(scene->n_failed, 1);
}

static void
begins_anew(struct scene *scene)
{
	struct dns *before;

	play_until(scene, is_held);
	before = scene->dns;
	anchor_renew(scene->anchor);
	play_until(scene, is_held_again);
	assert_ptr_not_equal(scene->dns, before);
	assert_int_equal(fake_dns.n_opened, 2);
	assert_int_equal(fake_dns.n_closed, 0);
	play_until(scene, has_closed);
	assert_int_equal(fake_dns.n_closed, 1);
}

static void
keeps_two_contexts_at_most(struct scene *scene)
{
	play_until(scene, is_held);
	anchor_renew(scene->anchor);
	play_until(scene, is_held_again);
	anchor_renew(scene->anchor);
	assert_int_equal(fake_dns.n_opened - fake_dns.n_closed, 1);
}

static void
begins_anew_while_it_tries(struct scene *scene)
{
	fake_dns.why_not = "bogus";
	play_until(scene, has_failed);
	fake_dns.why_not = NULL;
	anchor_renew(scene->anchor);
	play_until(scene, is_held);
	assert_int_equal(fake_dns.n_opened - fake_dns.n_closed, 1);
}

static bool
has_opened(const struct scene *scene)
{
	(void)scene;
	return fake_dns.n_opened == 1;
}

static void
holds_nothing_old(struct scene *scene)
{
	play_until(scene, has_opened);
	assert_int_equal(scene->n_held, 0);
	anchor_renew(scene->anchor);
	play_until(scene, is_held);
	assert_int_equal(fake_dns.n_opened, 2);
}

static const struct row {
	const char *sentence;
	void (*act)(struct scene *scene);
} rows[] = {
	{ "a root that validates is held", holds },
	{ "a root that does not is tried again in a fresh context",
	    tries_again },
	{ "a context that cannot be had is tried again",
	    survives_a_context_that_cannot_be_had },
	{ "renewed, the new context is held before the old one is closed",
	    begins_anew },
	{ "renewed twice, the oldest context is closed at once",
	    keeps_two_contexts_at_most },
	{ "renewed while it tries, it begins again at once",
	    begins_anew_while_it_tries },
	{ "renewed while the root is asked, only a later context is held",
	    holds_nothing_old },
};

static void
run(void **state)
{
	const struct row *row = *state;
	struct scene scene = { 0 };
	struct anchor_hooks hooks = { on_held, on_failed, on_closing, &scene };

	assert_int_equal(loop_new(&scene.loop), 0);
	assert_int_equal(
	    anchor_new(scene.loop, NULL, RETIRE_MS, &hooks, &scene.anchor), 0);
	row->act(&scene);
	anchor_free(scene.anchor);
	assert_int_equal(fake_dns.n_opened, fake_dns.n_closed);
	loop_free(scene.loop);
	fake_dns_reset();
}

int
main(void)
{
	TABLE_ADD(rows, run);
	return table_run("anchor");
}
