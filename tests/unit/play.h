// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A resolver in a process of its own, with the test as its parent and as its
// workers.
#pragma once

#include "base/conf.h"
#include "base/status.h"
#include "cache/cache.h"
#include "wire/ask.h"
#include "wire/order.h"

#include <sys/types.h>

struct dns_source;

#define PLAY_WORKERS     2
#define PLAY_PATIENCE_MS 15000

struct play {
	struct conf conf;
	const struct dns_source *source;
	struct status_page *page;
	struct cache *cache;
	pid_t pid;
	int parent;
	int workers[PLAY_WORKERS];
	char folder[64], path[96];
};

// conf NULL: a query_timeout of a second, and the rest as by default. Waits for
// ORDER_READY and hands the workers' channels over. source: NULL where the DNS
// is a fake.
void play_open(struct play *play, const struct conf *conf,
    const struct dns_source *source);
// Ends the process if it still runs.
void play_close(struct play *play);

struct conf play_conf(void);

void play_order(struct play *play, enum order_kind kind);
void play_expect(struct play *play, enum order_kind kind);
// A fresh channel for worker `index`.
void play_worker(struct play *play, unsigned index);

void play_ask(struct play *play, unsigned worker, enum ask_kind kind,
    const char *name, uint32_t ask_id, unsigned within_ms);

struct play_answer {
	struct ask ask;
	struct entry entry; // if it is an ANSWER
	uint8_t packet[ASK_MAX];
};

// Waits for the next answer to a worker.
void play_answer(struct play *play, unsigned worker, struct play_answer *ret);

// Waits for the process to end; returns its exit status.
int play_wait(struct play *play);
