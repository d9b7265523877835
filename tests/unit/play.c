// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// How the play is set up: fork, channels, and patience with an end.
#include "config.h"

#include "play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "ident.h"
#include "resolver/resolver.h"

static void
make_pair(int pair[2])
{
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		0, pair),
	    0);
}

static void
open_cache(struct play *play)
{
	struct cache_settings settings = {
		.path = play->path,
		.size = CACHE_SIZE_MIN,
		.owner = geteuid(),
		.group = getegid(),
	};
	char why[CACHE_ERROR_MAX], error[CACHE_ERROR_MAX];
	enum cache_opened opened;

	snprintf(play->folder, sizeof(play->folder), "%s",
	    "/tmp/danemap-test-XXXXXX");
	assert_non_null(mkdtemp(play->folder));
	snprintf(play->path, sizeof(play->path), "%s/cache", play->folder);
	assert_int_equal(
	    cache_open(&settings, &play->cache, &opened, why, error), 0);
}

struct conf
play_conf(void)
{
	return (struct conf){
		.cache_min_ttl_s = 10,
		.cache_max_ttl_s = 86400,
		.cache_error_ttl_s = 5,
		.cache_stale_ttl_s = 86400,
		.query_timeout_s = 1,
		.query_concurrency = 1000,
		.trust_anchor_file = "",
		.root_hints_file = "",
		.resolver_config = "",
		.forward = "",
	};
}

static _Noreturn void
be_resolver(const struct play *play, int channel)
{
	struct resolver_settings settings = {
		.index = 0,
		.count = 1,
		.conf = &play->conf,
		.cache = play->cache,
		.source = play->source,
		.parent = channel,
		.page = play->page,
	};

	alarm(60); // whatever becomes of the test
	if (cache_attach(play->cache, true) < 0)
		_exit(99);
	_exit(resolver_main(&settings));
}

void
play_open(
    struct play *play, const struct conf *conf, const struct dns_source *source)
{
	int pair[2];

	*play = (struct play){ .conf = conf ? *conf : play_conf(),
		.source = source };
	dlog_open(CONF_LOG_STDERR, LOG_ERR, "resolver");
	play->page = status_new();
	assert_non_null(play->page);
	open_cache(play);
	make_pair(pair);
	play->pid = fork();
	assert_true(play->pid >= 0);
	if (play->pid == 0) {
		close(pair[0]);
		be_resolver(play, pair[1]);
	}
	close(pair[1]);
	play->parent = pair[0];
	play_expect(play, ORDER_READY);
	for (unsigned i = 0; i < PLAY_WORKERS; i++) {
		play->workers[i] = -1;
		play_worker(play, i);
	}
}

void
play_close(struct play *play)
{
	char lock[128];

	for (unsigned i = 0; i < PLAY_WORKERS; i++)
		close(play->workers[i]);
	if (play->parent >= 0)
		close(play->parent);
	if (play->pid > 0)
		play_wait(play);
	cache_close(play->cache);
	snprintf(lock, sizeof(lock), "%s.lock", play->path);
	unlink(lock);
	unlink(play->path);
	rmdir(play->folder);
}

void
play_order(struct play *play, enum order_kind kind)
{
	struct order order = { .kind = kind, .fd = -1 };

	assert_int_equal(order_send(play->parent, &order), 0);
}

static void
await(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&wait, 1, PLAY_PATIENCE_MS), 1);
}

void
play_expect(struct play *play, enum order_kind kind)
{
	struct order order;

	await(play->parent);
	assert_int_equal(order_receive(play->parent, &order), 1);
	assert_int_equal(order.kind, kind);
}

void
play_worker(struct play *play, unsigned index)
{
	int pair[2];

	if (play->workers[index] >= 0)
		close(play->workers[index]);
	make_pair(pair);

	struct order order = { .kind = ORDER_WORKER,
		.index = index,
		.count = PLAY_WORKERS,
		.fd = pair[1] };

	assert_int_equal(order_send(play->parent, &order), 0);
	close(pair[1]);
	play->workers[index] = pair[0];
}

void
play_ask(struct play *play, unsigned worker, enum ask_kind kind,
    const char *name, uint32_t ask_id, unsigned within_ms)
{
	uint8_t octets[NEXTHOP_ID_MAX], packet[ASK_HEAD + NEXTHOP_ID_MAX];
	struct ident id = ident_of(name, octets);
	struct ask ask = {
		.kind = kind,
		.id = ask_id,
		.deadline_ms = clock_boot_ms() + within_ms,
		.len = id.len,
		.data = id.octets,
	};
	size_t len = ask_encode(&ask, packet, sizeof(packet));
	struct pollfd wait = { .fd = play->workers[worker], .events = POLLOUT };

	assert_int_equal(poll(&wait, 1, PLAY_PATIENCE_MS), 1);
	assert_int_equal(
	    send(play->workers[worker], packet, len, MSG_NOSIGNAL), len);
}

void
play_answer(struct play *play, unsigned worker, struct play_answer *ret)
{
	ssize_t n;

	await(play->workers[worker]);
	n = recv(play->workers[worker], ret->packet, sizeof(ret->packet), 0);
	assert_true(n > 0);
	assert_int_equal(ask_decode(ret->packet, (size_t)n, &ret->ask), 0);
	if (ret->ask.kind == ASK_ANSWER)
		assert_int_equal(
		    entry_decode(ret->ask.data, ret->ask.len, &ret->entry), 0);
}

int
play_wait(struct play *play)
{
	struct timespec nap = { .tv_nsec = 5000000 };
	uint64_t until_ms = clock_boot_ms() + PLAY_PATIENCE_MS;
	int status = 0;
	pid_t r;

	while ((r = waitpid(play->pid, &status, WNOHANG)) == 0 &&
	       clock_boot_ms() < until_ms)
		nanosleep(&nap, NULL);
	if (r == 0) {
		kill(play->pid, SIGKILL);
		waitpid(play->pid, &status, 0);
		play->pid = 0;
		fail_msg("the resolver did not end");
	}
	play->pid = 0;
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}
