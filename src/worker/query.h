// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The way of one question: from the payload of a netstring to a reply, or to a
// resolver and back. Knows nothing of connections: a query has an owner, and
// whoever that is hears when its reply is there.
#pragma once

#include "base/conf.h"
#include "base/loop.h"
#include "base/status.h"
#include "cache/cache.h"
#include "policy/dialect.h"
#include "worker/errand.h"

// Replies of one worker that wait for their turn, octets in all: past that,
// what comes before its turn is deferred.
#define QUERY_HELD_MAX (32u << 20)

// What all questions of a worker share.
struct query_desk;

// A place in an owner's line: a question under way, or a reply whose turn has
// not come.
struct query {
	TAILQ_ENTRY(query) in_line; // the owner's
	void *owner;                // the owner's
	char *reply;                // NULL: under way
	size_t reply_len;
	bool under_way;  // an errand; else reply is there, or memory ran out
	bool unattended; // nobody's: asked to have the facts next time
	enum dialect_map map;
	struct nexthop nexthop;
	struct errand errand;
};

TAILQ_HEAD(query_line, query);

// Questions that nobody waits for, of one worker: past that they are left out.
#define QUERY_UNATTENDED_MAX 256

struct query_desk_settings {
	struct loop *loop;
	const struct conf *conf;
	const struct cache *cache;
	const struct rules *rules; // NULL: none
	struct status_page *page;
	unsigned n_resolvers;
	// An errand came home: query is no longer under way. Only ever called
	// from the event loop.
	void (*answered)(struct query *query);
};

// 0 or a negative errno.
int query_desk_new(
    const struct query_desk_settings *settings, struct query_desk **ret);
// All queries have been freed.
void query_desk_free(struct query_desk *desk);

// As errands_connect.
int query_connect(struct query_desk *desk, unsigned resolver, int fd);

enum query_fate {
	QUERY_MALFORMED = 0, // no request: say PERM and close
	QUERY_REPLIED,       // the reply is in ret_reply
	QUERY_PENDING,       // ret_query is under way; free it
};

struct query_result {
	char *reply; // in: room for DIALECT_REPLY_MAX
	size_t reply_len;
	struct query *query;
};

enum query_fate query_begin(struct query_desk *desk, const char *payload,
    size_t len, struct query_result *result);

// A copy of a reply that must wait for its turn, or NULL.
struct query *query_hold(
    struct query_desk *desk, const char *reply, size_t len);

// Calls it off if it is under way.
void query_free(struct query_desk *desk, struct query *query);
