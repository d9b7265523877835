// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The stage for tests of the worker: real workers in processes of their own, on
// a real listener and a real cache. The test plays the parent, the resolver and
// the clients, all in their true protocols.
#pragma once

#include "base/conf.h"
#include "base/status.h"
#include "cache/cache.h"
#include "policy/entry.h"
#include "policy/rules.h"
#include "wire/ask.h"
#include "wire/order.h"

#include <stdbool.h>
#include <sys/types.h>

#define STAGE_WORKERS_MAX 3
// Nothing here takes that long: a test that waits for it has failed.
#define STAGE_PATIENCE_MS 20000

struct stage_worker {
	pid_t pid;
	int parent;   // our end of its channel
	int resolver; // our end of the channel to its resolver; -1: none
};

struct stage {
	bool is_open;
	struct conf conf;
	struct cache *cache;
	const struct rules *rules; // NULL: none
	struct status_page *pages;
	int listener;
	unsigned max_files; // of a worker; 0: as many as we have
	unsigned n_sharing; // workers that know of each other; 0: none
	char folder[64], cache_path[96], socket_path[96];
	struct stage_worker workers[STAGE_WORKERS_MAX];
	unsigned n_workers;
};

// Without workers; conf may be changed until the first is started. What a test
// that failed has left open is closed.
void stage_open(struct stage *stage);
// Ends what is left.
void stage_close(struct stage *stage);

// Starts one more and waits until it serves; it has no resolver yet.
struct stage_worker *stage_start(struct stage *stage);
// A fresh channel to its resolver; the one before is closed.
void stage_link(struct stage_worker *worker);
void stage_unlink(struct stage_worker *worker);
void stage_order(struct stage_worker *worker, enum order_kind kind, int fd);
// Waits for the end of it and returns its exit status.
int stage_wait(struct stage_worker *worker);

uint64_t stage_now_ms(void);

// --- clients ---

int stage_connect(struct stage *stage);
void stage_send(int client, const char *octets, size_t len);
// A request to the dane map.
void stage_request(int client, const char *key);
// The next reply, its payload NUL-terminated; NULL at the end of the file.
const char *stage_reply(int client);
void stage_expect(int client, const char *reply);
void stage_expect_start(int client, const char *start);
// True if nothing arrives in a while (a short one: never proof, but a fault
// that would show at once does show).
bool stage_is_silent(int fd);

// --- the resolver ---

// A question that arrived: ask.data is the octets.
struct stage_question {
	struct ask ask;
	uint8_t packet[ASK_MAX];
	char name[NEXTHOP_NAME_MAX + 1];
};

void stage_take(struct stage_worker *worker, struct stage_question *ret);
// Takes one and requires it to be a question for that name.
uint32_t stage_take_name(struct stage_worker *worker, const char *name);
// An answer for a domain: with DANE ("OK dane-only") or without ("OK may").
void stage_answer(struct stage_worker *worker, uint32_t id, bool dane);
void stage_say(struct stage_worker *worker, const struct ask *ask);

// --- entries ---

// An answer that was made now and lives for so long.
struct entry stage_entry(bool dane, uint32_t life_ms);
void stage_keep(
    struct stage *stage, const char *name, const struct entry *entry);
