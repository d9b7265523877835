// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Rounds of the loop. Events are activated by hand, so that nothing depends on
// how fast this machine is.
#include "config.h"

#include "refusal.h"
#include "scarce.h"
#include "table.h"

#include "base/clock.h"
#include "base/loop.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS_MAX 8

REFUSABLE(int, event_config_set_flag, (struct event_config * config, int flag),
    (config, flag), -1)

// libevent's own memory is as scarce as ours.
static void *
take(size_t size)
{
	return malloc(size);
}

static void *
take_more(void *memory, size_t size)
{
	if (scarce_refuses())
		return NULL;
	scarce.n_held += memory == NULL;
	return realloc(memory, size);
}

static void
give_back(void *memory)
{
	free(memory);
}

struct scene {
	struct loop *loop;
	struct event *event;
	char trace[64]; // what happened, a letter each
	unsigned n_rounds, stop_after;
	uint64_t now_ms[ROUNDS_MAX];
};

static void
note(struct scene *scene, char what)
{
	size_t len = strlen(scene->trace);

	assert_true(len + 1 < sizeof(scene->trace));
	scene->trace[len] = what;
}

static void
next_round(struct scene *scene)
{
	event_active(scene->event, EV_TIMEOUT, 0);
}

static void
on_event(int fd, short what, void *arg)
{
	struct scene *scene = arg;

	(void)fd;
	(void)what;
	note(scene, 'e');
	scene->now_ms[scene->n_rounds] = loop_now_ms(scene->loop);
	if (++scene->n_rounds == scene->stop_after)
		loop_stop(scene->loop);
}

static void
after_round(void *arg)
{
	struct scene *scene = arg;

	note(scene, 'a');
	if (scene->n_rounds < scene->stop_after)
		next_round(scene);
}

static void
begin(struct scene *scene, unsigned stop_after)
{
	*scene = (struct scene){ .stop_after = stop_after };
	assert_int_equal(loop_new(&scene->loop), 0);
	scene->event =
	    event_new(loop_base(scene->loop), -1, 0, on_event, scene);
	assert_non_null(scene->event);
	next_round(scene);
}

static void
end(struct scene *scene)
{
	event_free(scene->event);
	loop_free(scene->loop);
}

static void
stop_within(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, 1);
	loop_run(scene.loop, after_round, &scene);
	assert_string_equal(scene.trace, "ea");
	end(&scene);
}

static void
hook_each_round(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, 3);
	loop_run(scene.loop, after_round, &scene);
	assert_string_equal(scene.trace, "eaeaea");
	end(&scene);
}

static void
run_without_hook(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, 1);
	loop_run(scene.loop, NULL, NULL);
	assert_string_equal(scene.trace, "e");
	end(&scene);
}

static void
stop_before(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, 1);
	loop_stop(scene.loop);
	loop_run(scene.loop, after_round, &scene);
	assert_string_equal(scene.trace, "");
	loop_run(scene.loop, after_round, &scene); // a stop counts once
	assert_string_equal(scene.trace, "ea");
	end(&scene);
}

static void
run_without_events(void **state)
{
	struct loop *loop;

	(void)state;
	assert_int_equal(loop_new(&loop), 0);
	loop_run(loop, NULL, NULL); // returns, or this test never ends
	loop_free(loop);
}

// Lets time pass by CLOCK_BOOTTIME itself.
static void
wait_a_moment(void)
{
	uint64_t begin_ms = clock_boot_ms();

	while (clock_boot_ms() == begin_ms)
		nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
}

static void
on_event_twice(int fd, short what, void *arg)
{
	struct scene *scene = arg;
	uint64_t first_ms = loop_now_ms(scene->loop);

	(void)fd;
	(void)what;
	wait_a_moment();
	assert_int_equal(loop_now_ms(scene->loop), first_ms);
	scene->now_ms[scene->n_rounds] = first_ms;
	if (++scene->n_rounds == scene->stop_after)
		loop_stop(scene->loop);
}

static void
tell_time_once(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene, 2);
	event_free(scene.event);
	scene.event =
	    event_new(loop_base(scene.loop), -1, 0, on_event_twice, &scene);
	next_round(&scene);
	loop_run(scene.loop, after_round, &scene);
	assert_true(scene.now_ms[1] > scene.now_ms[0]);
	end(&scene);
}

// The wait comes before the round: its length must not be missing from the
// time that the event sees.
static void
tell_time_after_waiting(void **state)
{
	static const struct timeval soon = { .tv_usec = 2000 };
	struct scene scene;
	uint64_t before_ms;

	(void)state;
	begin(&scene, 2);
	event_del(scene.event);
	before_ms = loop_now_ms(scene.loop);
	wait_a_moment();
	event_add(scene.event, &soon);
	scene.stop_after = 1;
	loop_run(scene.loop, NULL, NULL);
	assert_true(scene.now_ms[0] > before_ms);
	end(&scene);
}

static void
ignore_warning(int severity, const char *text)
{
	(void)severity;
	(void)text;
}

// Whichever allocation it is, until all are granted. Without memory for one way
// of waiting libevent takes another, and the loop is as good.
static void
begin_without_memory(void **state)
{
	struct loop *const untouched = (struct loop *)&refusals;
	unsigned n = 0, n_failed = 0;
	bool was_refused;

	(void)state;
	event_set_log_callback(ignore_warning);
	do {
		struct loop *loop = untouched;

		scarce_begin(++n);
		int r = loop_new(&loop);
		assert_true(r == 0 || (r == -ENOMEM && loop == untouched));
		n_failed += r != 0;
		if (r == 0)
			loop_run(loop, NULL, NULL);
		if (r == 0)
			loop_free(loop);
		was_refused = scarce_end();
		assert_true(r == 0 || was_refused);
	} while (was_refused);
	event_set_log_callback(NULL);
	assert_true(n_failed > 2); // ours, libevent's settings, its base
}

static void
begin_without_flags(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= 2; n++) {
		struct loop *loop = NULL;

		scarce_begin(0);
		refuse("event_config_set_flag", n, 0);
		assert_int_equal(loop_new(&loop), -ENOMEM);
		assert_true(refuse_no_more());
		assert_null(loop);
		scarce_end();
	}
}

static void
free_nothing(void **state)
{
	(void)state;
	scarce_begin(0);
	loop_free(NULL);
	scarce_end();
}

int
main(void)
{
	event_set_mem_functions(take, take_more, give_back);
	table_add("a stop from an event ends the loop after its round",
	    stop_within, NULL);
	table_add(
	    "the hook runs at the end of each round", hook_each_round, NULL);
	table_add("there may be no hook", run_without_hook, NULL);
	table_add(
	    "a stop before the run makes it return at once", stop_before, NULL);
	table_add("a loop without events ends", run_without_events, NULL);
	table_add("within a round time stands still, between rounds it goes on",
	    tell_time_once, NULL);
	table_add("an event sees the time after the wait, not before it",
	    tell_time_after_waiting, NULL);
	table_add("without memory there is no loop, and nothing left",
	    begin_without_memory, NULL);
	table_add("a loop that threads would have a say in is none",
	    begin_without_flags, NULL);
	table_add("no loop may be freed", free_nothing, NULL);
	return table_run("loop");
}
