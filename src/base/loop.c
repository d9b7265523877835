// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Rounds of libevent: wait, run what is due, then the caller's hook. The time
// is read by the first who asks in a round, so it is that of the events and
// not that of the wait before them.
#include "config.h"

#include "base/loop.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"

struct loop {
	struct event_base *base;
	uint64_t now_ms; // 0: not read in this round
	bool stopped;
};

// Neither the environment nor threads have a say.
static struct event_base *
new_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (!config)
		return NULL;
	if (event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == 0 &&
	    event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV) == 0)
		base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

int
loop_new(struct loop **ret)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return -ENOMEM;
	loop->base = new_base();
	if (!loop->base) {
		free(loop);
		return -ENOMEM;
	}
	*ret = loop;
	return 0;
}

struct event_base *
loop_base(struct loop *loop)
{
	return loop->base;
}

uint64_t
loop_now_ms(struct loop *loop)
{
	if (loop->now_ms == 0)
		loop->now_ms = clock_boot_ms();
	return loop->now_ms;
}

void
loop_run(struct loop *loop, void (*after)(void *arg), void *arg)
{
	while (!loop->stopped) {
		loop->now_ms = 0;
		// 1: nothing is left to wait for; -1: waiting failed.
		if (event_base_loop(loop->base, EVLOOP_ONCE) != 0)
			break;
		if (after)
			after(arg);
	}
	loop->now_ms = 0;
	loop->stopped = false;
}

void
loop_stop(struct loop *loop)
{
	loop->stopped = true;
}

void
loop_free(struct loop *loop)
{
	if (!loop)
		return;
	event_base_free(loop->base);
	free(loop);
}
