// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// One child process: how it is born, told, and buried.
#include "config.h"

#include "parent/child.h"

#include "base/log.h"
#include "base/sandbox.h"
#include "control/control.h"
#include "dns/dns.h"
#include "resolver/resolver.h"
#include "wire/order.h"
#include "worker/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

// A child that never came to serve is tried again ever more slowly; one that
// did serve is wanted back soon, whatever killed it.
#define BACKOFF_FIRST_MS       20
#define BACKOFF_SERVED_MAX_MS  320
#define BACKOFF_UNREADY_MAX_MS 10000
// Whoever lived longer than that starts with a clean record.
#define BACKOFF_FORGET_MS      5000

const char *
child_name(const struct child *child, char ret[32])
{
	if (child->kind == CHILD_CONTROL)
		snprintf(ret, 32, "control");
	else
		snprintf(ret, 32, "%s %u",
		    child->kind == CHILD_WORKER ? "worker" : "resolver",
		    child->index);
	return ret;
}

// Signals are the parent's affair: a terminal or a service manager sends them
// to all processes at once, and children wait for the parent's orders.
static void
leave_signals(void)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGTERM, SIGPIPE };
	sigset_t none;
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int
run_worker(const struct child *child, const struct child_world *world)
{
	int fds[LISTEN_MAX];
	for (unsigned i = 0; i < world->listeners->n; i++)
		fds[i] = world->listeners->of[i].fd;
	struct worker_settings settings = {
		.index = child->index,
		.conf = world->conf,
		.cache = world->cache,
		.rules = world->rules,
		.parent = child->channel,
		.listeners = fds,
		.n_listeners = world->listeners->n,
		.n_resolvers = world->n_resolvers,
		.page = child->page,
		.pages = world->pages,
		.n_pages = STATUS_CHILDREN_MAX,
		// Workers are the first of their generation, by index.
		.workers = child->page - child->index,
		.n_workers = world->n_workers,
	};
	return worker_main(&settings);
}

static int
run_resolver(const struct child *child, const struct child_world *world)
{
	struct resolver_settings settings = {
		.index = child->index,
		.count = world->n_resolvers,
		.conf = world->conf,
		.cache = world->cache,
		.source = world->source,
		.parent = child->channel,
		.page = child->page,
	};
	return resolver_main(&settings);
}

static int
run_control(const struct child *child, const struct child_world *world)
{
	struct control_settings settings = {
		.conf = world->conf,
		.parent = child->channel,
		.listener = world->listeners->control.fd,
		.page = child->page,
		.pages = world->pages,
		.n_pages = STATUS_CHILDREN_MAX,
	};
	return control_main(&settings);
}

static int
run_kind(const struct child *child, const struct child_world *world)
{
	switch (child->kind) {
	case CHILD_WORKER:
		return run_worker(child, world);
	case CHILD_RESOLVER:
		return run_resolver(child, world);
	case CHILD_CONTROL:
		break;
	}
	return run_control(child, world);
}

// Each kind has sockets that are no business of the others.
static void
close_listeners(const struct child *child, const struct listeners *listeners)
{
	for (unsigned i = 0; i < listeners->n; i++)
		if (child->kind != CHILD_WORKER)
			close(listeners->of[i].fd);
	if (listeners->has_control && child->kind != CHILD_CONTROL)
		close(listeners->control.fd);
}

// Mapped anew, with no more rights than the kind needs.
static void
take_cache(const struct child *child, const struct child_world *world)
{
	if (child->kind == CHILD_CONTROL) {
		cache_close(world->cache);
		return;
	}
	int r = cache_attach(world->cache, child->kind == CHILD_RESOLVER);
	if (r != 0) {
		dlog(LOG_ERR, "cannot map the cache: %s", strerror(-r));
		_exit(EX_OSERR);
	}
}

// With what a worker or control process has, the world ends at its descriptors;
// a resolver has the network besides, and what resolver_config names.
static void
confine(const struct child *child, const struct child_world *world)
{
	static const enum sandbox_kind kinds[] = {
		[CHILD_WORKER] = SANDBOX_WORKER,
		[CHILD_RESOLVER] = SANDBOX_RESOLVER,
		[CHILD_CONTROL] = SANDBOX_CONTROL,
	};
	struct sandbox_settings settings = {
		.kind = kinds[child->kind],
		.log_fd = dlog_fd(),
		.readable = dns_source_files(world->source),
	};
	struct sandbox_got got;
	if (!world->conf->sandbox)
		return;
	sandbox_enter(&settings, &got);
	if (dlog_wants(LOG_DEBUG))
		dlog(LOG_DEBUG, "confined: seccomp=%s landlock=%u",
		    got.seccomp ? "yes" : "no", got.landlock);
}

static void
run(struct child *child, const struct child_world *world, pid_t parent)
{
	static const char *const short_names[] = { "work", "reso", "ctrl" };

	char name[32], comm[16];
	leave_signals();
	// No orphan may go on answering; a parent that died before the request
	// took effect shows as another parent.
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EX_OSERR);
	snprintf(comm, sizeof(comm), "danemapd-%.4s%u",
	    short_names[child->kind], child->index % 100);
	prctl(PR_SET_NAME, comm);
	int channel = child->channel;
	child->channel = -1; // not among the parent's, which are closed now
	world->leave_parent(world->arg);
	child->channel = channel;
	close_listeners(child, world->listeners);
	dlog_open(world->conf->log_target, world->conf->log_level,
	    child_name(child, name));
	take_cache(child, world);
	confine(child, world);
	exit(run_kind(child, world));
}

int
child_start(
    struct child *child, const struct child_world *world, uint64_t now_ms)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		0, pair) != 0)
		return -errno;
	memset(child->page, 0, sizeof(*child->page));
	pid_t parent = getpid(), pid = fork();
	if (pid < 0) {
		int saved = errno;
		close(pair[0]);
		close(pair[1]);
		return -saved;
	}
	if (pid == 0) {
		close(pair[0]);
		child->channel = pair[1];
		run(child, world, parent);
	}
	close(pair[1]);
	child->channel = pair[0];
	child->pid = pid;
	child->ready = child->left = false;
	child->wish = child->heeded = 0; // a new process counts anew
	child->started_ms = now_ms;
	child->silent_rounds = 0;
	child->last_beat_ms = 0;
	return 0;
}

static void
log_end(const struct child *child, int wait_status, bool expected)
{
	static const struct dlog_fields lost = { .message_id = DLOG_ID_LOST };
	static const struct dlog_fields none = { 0 };
	const struct dlog_fields *fields = expected ? &none : &lost;
	const char *next = expected ? "" : "; starting another";
	char name[32];
	child_name(child, name);
	if (WIFSIGNALED(wait_status))
		dlog_event(expected ? LOG_NOTICE : LOG_ERR, fields,
		    "%s (pid %d) was ended by signal %d (%s)%s", name,
		    (int)child->pid, WTERMSIG(wait_status),
		    strsignal(WTERMSIG(wait_status)), next);
	else if (WEXITSTATUS(wait_status) != 0 || !expected)
		dlog_event(LOG_ERR, fields,
		    "%s (pid %d) exited with status %d%s", name,
		    (int)child->pid, WEXITSTATUS(wait_status), next);
}

void
child_ended(
    struct child *child, int wait_status, bool expected, uint64_t now_ms)
{
	unsigned max =
	    child->ready ? BACKOFF_SERVED_MAX_MS : BACKOFF_UNREADY_MAX_MS;
	log_end(child, wait_status, expected);
	close(child->channel);
	child->channel = -1;
	child->pid = 0;
	memset(child->page, 0, sizeof(*child->page));
	if (now_ms - child->started_ms > BACKOFF_FORGET_MS ||
	    child->backoff_ms == 0)
		child->backoff_ms = BACKOFF_FIRST_MS;
	else
		child->backoff_ms *= 2;
	if (child->backoff_ms > max)
		child->backoff_ms = max;
	child->restart_ms = now_ms + child->backoff_ms;
	child->ready = false;
}

void
child_order_fd(struct child *child, unsigned order_kind, unsigned index,
    unsigned count, int fd)
{
	struct order order = { order_kind, index, count, fd };
	char name[32];
	if (child->pid == 0)
		return;
	int r = order_send(child->channel, &order);
	if (r == -EPIPE || r == -ECONNRESET)
		return; // it is dying; its end will be seen
	if (r != 0) {
		dlog(LOG_ERR, "%s does not take orders (%s): ending it",
		    child_name(child, name), strerror(-r));
		kill(child->pid, SIGKILL);
	}
}

void
child_order(struct child *child, unsigned order_kind)
{
	child_order_fd(child, order_kind, 0, 0, -1);
}

bool
child_may_say(const struct child *child, unsigned order_kind)
{
	switch (order_kind) {
	case ORDER_READY:
	case ORDER_REMAP:
		return true;
	case ORDER_LEFT:
		return child->kind == CHILD_WORKER;
	case ORDER_ANCHORED:
		return child->kind == CHILD_RESOLVER;
	case ORDER_RELOAD:
	case ORDER_REPLACE:
		return child->kind == CHILD_CONTROL;
	default:
		return false;
	}
}
