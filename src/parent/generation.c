// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A generation of children: started, linked, watched, and relieved.
#include "config.h"

#include "parent/generation.h"

#include "base/log.h"
#include "wire/ask.h"
#include "wire/order.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// Watched once a second; a child beats once a second too.
#define SILENT_ROUNDS_MAX 10
// What an old generation has beyond query_timeout.
#define FINISH_EXTRA_MS   5000
#define WORKERS_AUTO_MAX  8

static unsigned
auto_workers(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	if (cores < 1)
		return 1;
	return cores > WORKERS_AUTO_MAX ? WORKERS_AUTO_MAX : (unsigned)cores;
}

static void
plan_kind(struct generation *gen, enum child_kind kind, unsigned n,
    struct status_page *pages)
{
	for (unsigned i = 0; i < n; i++, gen->n_children++)
		gen->children[gen->n_children] = (struct child){
			.kind = kind,
			.index = i,
			.channel = -1,
			.page = &pages[gen->n_children],
		};
}

void
generation_plan(struct generation *gen, struct status_page *pages)
{
	unsigned r = gen->conf->resolvers, w = gen->conf->workers;
	gen->n_resolvers =
	    r < GENERATION_RESOLVERS_MAX ? r : GENERATION_RESOLVERS_MAX;
	gen->n_workers = w != 0 ? w : auto_workers();
	if (gen->n_workers > GENERATION_CHILDREN_MAX - 1 - gen->n_resolvers)
		gen->n_workers = GENERATION_CHILDREN_MAX - 1 - gen->n_resolvers;
	plan_kind(gen, CHILD_WORKER, gen->n_workers, pages);
	plan_kind(gen, CHILD_RESOLVER, gen->n_resolvers, pages);
	plan_kind(gen, CHILD_CONTROL, gen->listeners.has_control, pages);
}

// A pair of packet sockets, wide enough for the largest entry.
static int
make_pair(int pair[2])
{
	int size = 4 * ASK_MAX;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		0, pair) != 0)
		return -errno;
	for (int i = 0; i < 2; i++)
		setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return 0;
}

static void
link_two(struct generation *gen, struct child *worker, struct child *resolver)
{
	int pair[2];
	int r = make_pair(pair);
	if (r != 0) {
		dlog(LOG_ERR, "cannot link worker %u and resolver %u: %s",
		    worker->index, resolver->index, strerror(-r));
		kill(worker->pid, SIGKILL); // its restart links anew
		return;
	}
	child_order_fd(
	    worker, ORDER_RESOLVER, resolver->index, gen->n_resolvers, pair[0]);
	child_order_fd(
	    resolver, ORDER_WORKER, worker->index, gen->n_workers, pair[1]);
	close(pair[0]);
	close(pair[1]);
}

// The new child, worker or resolver, with each of the other kind that runs.
static void
link_child(struct generation *gen, struct child *child)
{
	for (unsigned i = 0; i < gen->n_children; i++) {
		struct child *other = &gen->children[i];
		if (other->pid == 0)
			continue;
		if (child->kind == CHILD_WORKER &&
		    other->kind == CHILD_RESOLVER)
			link_two(gen, child, other);
		else if (child->kind == CHILD_RESOLVER &&
			 other->kind == CHILD_WORKER)
			link_two(gen, other, child);
	}
	if (child->kind == CHILD_RESOLVER && gen->owns)
		child_order(child, ORDER_OWN);
}

static void
start(struct generation *gen, struct child *child, uint64_t now_ms)
{
	char name[32];
	int r = child_start(child, &gen->world, now_ms);
	if (r == 0) {
		link_child(gen, child);
		return;
	}
	dlog(LOG_ERR, "cannot start %s: %s", child_name(child, name),
	    strerror(-r));
	child->restart_ms = now_ms + 1000;
}

uint64_t
generation_start_due(struct generation *gen, uint64_t now_ms)
{
	uint64_t next = 0;
	if (gen->finishing)
		return 0;
	for (unsigned i = 0; i < gen->n_children; i++) {
		struct child *child = &gen->children[i];
		if (child->pid == 0 && child->restart_ms <= now_ms)
			start(gen, child, now_ms);
		if (child->pid == 0 && (next == 0 || child->restart_ms < next))
			next = child->restart_ms;
	}
	return next;
}

struct child *
generation_find(struct generation *gen, pid_t pid)
{
	for (unsigned i = 0; i < gen->n_children; i++)
		if (gen->children[i].pid == pid)
			return &gen->children[i];
	return NULL;
}

bool
generation_is_ready(const struct generation *gen)
{
	for (unsigned i = 0; i < gen->n_workers + gen->n_resolvers; i++)
		if (gen->children[i].pid == 0 || !gen->children[i].ready)
			return false;
	return true;
}

bool
generation_is_gone(const struct generation *gen)
{
	for (unsigned i = 0; i < gen->n_children; i++)
		if (gen->children[i].pid != 0)
			return false;
	return true;
}

static unsigned
count_alive(const struct generation *gen, enum child_kind kind)
{
	unsigned n = 0;
	for (unsigned i = 0; i < gen->n_children; i++)
		n += gen->children[i].kind == kind && gen->children[i].pid != 0;
	return n;
}

bool
generation_has_left_cache(const struct generation *gen)
{
	return gen->finishing && count_alive(gen, CHILD_RESOLVER) == 0;
}

static void
order_all(struct generation *gen, enum child_kind kind, unsigned order_kind)
{
	for (unsigned i = 0; i < gen->n_children; i++)
		if (gen->children[i].kind == kind)
			child_order(&gen->children[i], order_kind);
}

void
generation_heed(struct generation *gen)
{
	for (unsigned i = 0; i < gen->n_children; i++)
		gen->children[i].heeded = gen->children[i].wish;
}

void
generation_reloaded(struct generation *gen, bool in_force)
{
	for (unsigned i = 0; i < gen->n_children; i++)
		if (gen->children[i].kind == CHILD_CONTROL)
			child_order_fd(&gen->children[i], ORDER_RELOADED,
			    gen->children[i].heeded, in_force, -1);
}

void
generation_own(struct generation *gen)
{
	gen->owns = true;
	order_all(gen, CHILD_RESOLVER, ORDER_OWN);
}

static void
bequeath(struct child *old, struct child *heir)
{
	int pair[2];
	if (make_pair(pair) != 0) {
		child_order(old, ORDER_FINISH);
		return;
	}
	child_order_fd(heir, ORDER_BEQUEST, old->index, 0, pair[0]);
	child_order_fd(old, ORDER_HEIR, heir->index, 0, pair[1]);
	close(pair[0]);
	close(pair[1]);
}

static void
set_end(struct generation *gen, uint64_t now_ms)
{
	gen->finishing = true;
	gen->end_ms =
	    now_ms + FINISH_EXTRA_MS + 1000ull * gen->conf->query_timeout_s;
}

void
generation_inherit(
    struct generation *gen, struct generation *old, uint64_t now_ms)
{
	set_end(old, now_ms);
	old->moving = true;
	old->moving_end_ms = now_ms + GENERATION_MOVE_MAX_MS;
	for (unsigned i = 0; i < old->n_workers; i++)
		bequeath(&old->children[i], &gen->children[i % gen->n_workers]);
	generation_settle(old);
}

bool
generation_has_moved(const struct generation *gen, uint64_t now_ms)
{
	if (now_ms >= gen->moving_end_ms)
		return true;
	for (unsigned i = 0; i < gen->n_workers; i++)
		if (gen->children[i].pid != 0 && !gen->children[i].left)
			return false;
	return true;
}

void
generation_moved(struct generation *gen)
{
	gen->moving = false;
	generation_reloaded(gen, true);
	order_all(gen, CHILD_CONTROL, ORDER_FINISH);
}

void
generation_finish(struct generation *gen, uint64_t now_ms)
{
	set_end(gen, now_ms);
	order_all(gen, CHILD_CONTROL, ORDER_FINISH);
	order_all(gen, CHILD_WORKER, ORDER_FINISH);
	generation_settle(gen);
}

// Workers still wait for answers: resolvers go last.
void
generation_settle(struct generation *gen)
{
	if (!gen->finishing || gen->resolvers_told ||
	    count_alive(gen, CHILD_WORKER) > 0)
		return;
	gen->resolvers_told = true;
	order_all(gen, CHILD_RESOLVER, ORDER_FINISH);
}

void
generation_enforce(struct generation *gen, uint64_t now_ms)
{
	char name[32];
	if (gen->end_ms == 0 || now_ms < gen->end_ms)
		return;
	for (unsigned i = 0; i < gen->n_children; i++) {
		struct child *child = &gen->children[i];
		if (child->pid == 0)
			continue;
		dlog(LOG_WARNING, "%s did not finish in time: ending it",
		    child_name(child, name));
		kill(child->pid, SIGKILL);
	}
	gen->end_ms = now_ms + FINISH_EXTRA_MS;
}

static bool
watch(struct child *child)
{
	char name[32];
	uint64_t beat = atomic_load_explicit(
	    &child->page->heartbeat_ms, memory_order_relaxed);
	if (beat != child->last_beat_ms) {
		child->last_beat_ms = beat;
		child->silent_rounds = 0;
		return true;
	}
	if (++child->silent_rounds < SILENT_ROUNDS_MAX)
		return true;
	dlog(LOG_ERR, "%s (pid %d) is silent for %d s: ending it",
	    child_name(child, name), (int)child->pid, SILENT_ROUNDS_MAX);
	kill(child->pid, SIGKILL);
	child->silent_rounds = 0;
	return false;
}

bool
generation_watch(struct generation *gen)
{
	bool fine = true;
	for (unsigned i = 0; i < gen->n_children; i++) {
		struct child *child = &gen->children[i];
		bool well = child->pid != 0 && watch(child);
		if (!well && child->kind != CHILD_CONTROL)
			fine = false;
	}
	return fine;
}
