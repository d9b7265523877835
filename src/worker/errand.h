// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Errands: questions that a worker has sent to its resolvers, or will send as
// soon as it can. Every errand ends exactly once: with an answer, a refusal,
// its deadline, or because its owner calls it off. Late, repeated and forged
// answers are ignored. Knows nothing of who asks, nor what an entry means.
//
// A resolver may crash. What was in flight there is asked again when the
// parent brings the new channel, within its first deadline. A question that
// was in flight at two crashes is not asked a third time, and its key is
// barred for a while: it may be what kills them.
#pragma once

#include "base/loop.h"
#include "base/status.h"
#include "policy/nexthop.h"
#include "wire/ask.h"

#include <sys/queue.h>

#define ERRANDS_MAX          65536 // of one worker, under way and in line
#define ERRAND_RESOLVERS_MAX 64
#define ERRAND_LOSSES_MAX    2
#define ERRAND_BARRED_MAX    1024 // keys; the oldest gives way
#define ERRAND_BARRED_MS     60000

TAILQ_HEAD(errand_list, errand);

// Embedded in what its owner keeps of the question. All but key and asked_ms
// is private.
struct errand {
	uint8_t key[NEXTHOP_ID_MAX];
	size_t key_len;
	uint64_t asked_ms;
	uint64_t deadline_ms;
	uint32_t id;
	unsigned n_losses;
	bool sent;
	struct errand_list *list;
	TAILQ_ENTRY(errand) in_list, by_deadline;
};

struct errands;

// The errand is over and its owner's again. answer (ANSWER or REFUSED, data
// borrowed) or, when this worker gave up by itself, NULL and a cause in a few
// words. Only ever called from the event loop, never from within a function of
// this header.
typedef void errand_done(void *arg, struct errand *errand,
    const struct ask *answer, const char *cause);

struct errands_settings {
	struct loop *loop;
	struct status_page *page;
	unsigned n_resolvers;
	uint32_t timeout_s; // query_timeout
	errand_done *done;
	void *arg;
};

// 0, -ENOMEM, or -EINVAL for too many resolvers.
int errands_new(const struct errands_settings *settings, struct errands **ret);

// The channel to a resolver, the first or a new one after a crash; takes fd in
// any case. -EINVAL: there is no such resolver.
int errands_connect(struct errands *errands, unsigned resolver, int fd);

// The owner has filled in key. 0, -EBUSY (ERRANDS_MAX are out) or -EACCES (the
// key is barred).
int errands_ask(
    struct errands *errands, unsigned resolver, struct errand *errand);

// done will not be called.
void errands_cancel(struct errands *errands, struct errand *errand);

// Tells the resolver that the entry of this key is in use. False if the channel
// cannot take it just now: never waits.
bool errands_hint(
    struct errands *errands, unsigned resolver, const uint8_t *key, size_t len);

// Without any done.
void errands_free(struct errands *errands);
