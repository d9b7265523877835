// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Asks the DNS for stories, one story at a time, in an event loop of its own.
// As in the daemon nothing is asked before the root has validated.
#include "config.h"

#include "base/clock.h"
#include "base/loop.h"
#include "parent/check.h"
#include "tool/story.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// As long as an attempt of the daemon's takes.
#define PRIME_MS 10000

// After an answer is certain, for what does not count but is worth showing.
#define LINGER_MS 2000

struct errand {
	struct scene *scene;
	struct story_answer *answer;
	struct dns_lookup *lookup; // NULL: not under way
};

struct scene {
	struct story_world world;
	struct loop *loop;
	struct dns *dns;
	bool primed;                 // whether it was tried
	char why_not[DNS_ERROR_MAX]; // the root does not validate
	struct story *story;         // under way
	unsigned n_out;              // lookups of it
	bool lingers;
	struct errand errands[WALK_QUESTIONS_MAX]; // by question
};

static int
open_dns(struct scene *scene, const struct dns_settings *settings,
    char error[DNS_ERROR_MAX])
{
	struct dns_source *source;
	int r = dns_source_read(settings, &source, error);

	if (r != 0)
		return r;
	r = dns_open(loop_base(scene->loop), source, &scene->dns, error);
	dns_source_free(source);
	return r;
}

int
scene_open(const struct story_world *world, struct scene **ret,
    char ret_error[DNS_ERROR_MAX])
{
	struct dns_settings settings = check_dns_settings(world->conf);
	struct scene *scene = calloc(1, sizeof(*scene));
	int r = scene != NULL ? loop_new(&scene->loop) : -ENOMEM;

	settings.keep_wire = true;
	if (r == 0)
		r = open_dns(scene, &settings, ret_error);
	else
		snprintf(ret_error, DNS_ERROR_MAX, "out of memory");
	if (r != 0) {
		scene_close(scene);
		return r;
	}
	scene->world = *world;
	*ret = scene;
	return 0;
}

void
scene_close(struct scene *scene)
{
	if (scene == NULL)
		return;
	dns_close(scene->dns);
	loop_free(scene->loop);
	free(scene);
}

static void
on_time(evutil_socket_t fd, short what, void *arg)
{
	struct scene *scene = arg;

	(void)fd, (void)what;
	loop_stop(scene->loop);
}

// Until somebody stops the loop, or the time is up.
static int
run(struct scene *scene, uint64_t most_ms)
{
	struct timeval wait = {
		.tv_sec = (time_t)(most_ms / 1000),
		.tv_usec = (suseconds_t)(most_ms % 1000 * 1000),
	};

	struct event *timer =
	    evtimer_new(loop_base(scene->loop), on_time, scene);
	if (timer == NULL || evtimer_add(timer, &wait) != 0)
		return -ENOMEM;
	loop_run(scene->loop, NULL, NULL);
	event_free(timer);
	return 0;
}

static void
on_primed(void *arg, const char *why_not)
{
	struct scene *scene = arg;

	snprintf(scene->why_not, sizeof(scene->why_not), "%s",
	    why_not != NULL ? why_not : "");
	loop_stop(scene->loop);
}

static void
prime(struct scene *scene)
{
	if (scene->primed)
		return;
	scene->primed = true;
	snprintf(scene->why_not, sizeof(scene->why_not),
	    "the root zone does not answer");
	if (dns_prime(scene->dns, on_primed, scene) == 0)
		run(scene, PRIME_MS);
}

// ---- One story ----

static void go_on(struct scene *scene);

static void
on_answer(void *arg, const struct walk_reply *reply)
{
	struct errand *errand = arg;
	struct scene *scene = errand->scene;

	errand->lookup = NULL;
	scene->n_out--;
	story_answer(scene->story, errand->answer, reply);
	go_on(scene);
}

static void
ask(struct scene *scene, const struct walk_question *question)
{
	struct story_answer *answer = story_ask(scene->story, question);
	struct errand *errand = &scene->errands[question->id];

	*errand = (struct errand){ .scene = scene, .answer = answer };
	int r = dns_ask(scene->dns, answer->name, answer->type, on_answer,
	    errand, &errand->lookup);
	if (r == 0) {
		scene->n_out++;
		return;
	}
	errand->lookup = NULL;
	struct walk_reply failed = {
		.cause = r == -EINVAL ? "not a domain name" : strerror(-r),
	};
	story_answer(scene->story, answer, &failed);
}

static void
go_on(struct scene *scene)
{
	struct walk_question question;

	while (walk_next(&scene->story->walk, &question))
		ask(scene, &question);
	// At once: who reads it wants to know of AAAA too.
	while (walk_spare(&scene->story->walk, &question))
		ask(scene, &question);
	if (scene->n_out == 0 ||
	    (!scene->lingers && walk_is_done(&scene->story->walk)))
		loop_stop(scene->loop);
}

static void
resolve(struct scene *scene, struct story *story)
{
	scene->story = story;
	go_on(scene);
	run(scene, scene->world.conf->query_timeout_s * UINT64_C(1000));
	// For the reader's sake: these change nothing any more.
	if (scene->n_out > 0 && walk_is_done(&story->walk)) {
		scene->lingers = true;
		run(scene, LINGER_MS);
		scene->lingers = false;
	}
	for (unsigned i = 0; i < WALK_QUESTIONS_MAX; i++)
		if (scene->errands[i].lookup != NULL)
			dns_cancel(scene->errands[i].lookup);
	memset(scene->errands, 0, sizeof(scene->errands));
	scene->n_out = 0;
}

int
story_find(struct scene *scene, const char *key, struct story **ret)
{
	struct story *story;
	int r = story_new(key, &scene->world, &story);

	if (r != 0)
		return r;
	if (story_needs_dns(story)) {
		prime(scene);
		snprintf(story->why_not, sizeof(story->why_not), "%s",
		    scene->why_not);
		if (story->why_not[0] == '\0')
			resolve(scene, story);
	}
	r = story_end(story, &scene->world, clock_boot_ms());
	if (r == 0)
		*ret = story;
	else
		story_free(story);
	return r;
}
