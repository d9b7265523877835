// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// One worker, as a resolver sees it: questions and hints come in, answers go
// out. While answers wait for a worker that is slow to read, no more of its
// questions are read: what waits here never grows beyond what it asked.
#pragma once

#include "base/loop.h"
#include "resolver/flights.h"

struct channel;

struct channel_hooks {
	void (*question)(void *arg, const struct question *question);
	void (*hint)(void *arg, struct ident id);
	// The worker is gone: free the channel, from here or later.
	void (*closed)(void *arg, struct channel *channel);
	void *arg;
};

// Takes fd. 0 or -ENOMEM: then fd is closed.
int channel_new(struct loop *loop, int fd, const struct channel_hooks *hooks,
    struct channel **ret);
struct asker *channel_asker(struct channel *channel);
// Reads what has already arrived, and nothing from then on.
void channel_finish(struct channel *channel);
// Answers that the worker has not taken yet.
bool channel_is_behind(const struct channel *channel);
// Its asker must have left the flights.
void channel_free(struct channel *channel);
