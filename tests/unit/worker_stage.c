// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The stage behind worker_stage.h. Every wait has an end; children die with
// the test.
#include "config.h"

#include "worker_stage.h"

#include "table.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "policy/dialect.h"
#include "wire/netstring.h"
#include "worker/worker.h"

uint64_t
stage_now_ms(void)
{
	return clock_boot_ms();
}

static void
open_cache(struct stage *stage)
{
	char why[CACHE_ERROR_MAX] = "", error[CACHE_ERROR_MAX] = "";
	enum cache_opened opened;
	struct cache_settings settings = {
		.path = stage->cache_path,
		.size = CACHE_SIZE_MIN,
		.owner = geteuid(),
		.group = getegid(),
	};

	if (cache_open(&settings, &stage->cache, &opened, why, error) != 0)
		fail_msg("%s", error);
	for (unsigned part = 0; part < CACHE_PARTS; part++)
		cache_own(stage->cache, part);
}

static void
open_listener(struct stage *stage)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s",
	    stage->socket_path);
	stage->listener =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(stage->listener >= 0);
	assert_int_equal(
	    bind(stage->listener, (struct sockaddr *)&address, sizeof(address)),
	    0);
	assert_int_equal(listen(stage->listener, 4096), 0);
}

void
stage_open(struct stage *stage)
{
	if (stage->is_open)
		stage_close(stage);
	memset(stage, 0, sizeof(*stage));
	stage->is_open = true;
	stage->conf = (struct conf){
		.cache_stale_ttl_s = 86400,
		.query_timeout_s = 20,
		.max_connections = 4096,
		.log_level = LOG_ERR,
		.log_target = CONF_LOG_STDERR,
	};
	snprintf(
	    stage->folder, sizeof(stage->folder), "/tmp/danemap-worker-XXXXXX");
	assert_non_null(mkdtemp(stage->folder));
	snprintf(stage->cache_path, sizeof(stage->cache_path), "%s/cache",
	    stage->folder);
	snprintf(stage->socket_path, sizeof(stage->socket_path), "%s/socket",
	    stage->folder);
	stage->pages = status_new();
	assert_non_null(stage->pages);
	open_cache(stage);
	open_listener(stage);
}

static void
end_worker(struct stage_worker *worker)
{
	if (worker->pid > 0) {
		kill(worker->pid, SIGKILL);
		waitpid(worker->pid, NULL, 0);
		worker->pid = 0;
	}
	stage_unlink(worker);
	close(worker->parent);
}

void
stage_close(struct stage *stage)
{
	char lock[128];

	stage->is_open = false;
	for (unsigned i = 0; i < stage->n_workers; i++)
		end_worker(&stage->workers[i]);
	close(stage->listener);
	cache_close(stage->cache);
	snprintf(lock, sizeof(lock), "%s.lock", stage->cache_path);
	unlink(lock);
	unlink(stage->cache_path);
	unlink(stage->socket_path);
	rmdir(stage->folder);
}

// --- workers ---

static void
run(struct stage *stage, unsigned index, int parent)
{
	struct rlimit files = { stage->max_files, stage->max_files };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	// Nobody but the test may hold the other ends.
	for (unsigned i = 0; i < index; i++) {
		close(stage->workers[i].parent);
		close(stage->workers[i].resolver);
	}
	dlog_open(
	    stage->conf.log_target, stage->conf.log_level, "worker under test");
	if (stage->max_files > 0)
		setrlimit(RLIMIT_NOFILE, &files);
	if (cache_attach(stage->cache, false) != 0)
		_exit(99);
	exit(worker_main(&(struct worker_settings){
	    .index = index,
	    .conf = &stage->conf,
	    .cache = stage->cache,
	    .rules = stage->rules,
	    .parent = parent,
	    .listeners = &stage->listener,
	    .n_listeners = 1,
	    .n_resolvers = 1,
	    .page = &stage->pages[index],
	    .pages = stage->pages,
	    .n_pages = STATUS_CHILDREN_MAX,
	    .workers = stage->pages,
	    .n_workers = stage->n_sharing,
	}));
}

static void
wait_readable(int fd)
{
	struct pollfd one = { .fd = fd, .events = POLLIN };

	if (poll(&one, 1, STAGE_PATIENCE_MS) != 1)
		fail_msg("nothing arrived within %d ms", STAGE_PATIENCE_MS);
}

struct stage_worker *
stage_start(struct stage *stage)
{
	unsigned index = stage->n_workers;
	struct stage_worker *worker = &stage->workers[index];
	struct order order;
	int pair[2];

	assert_true(index < STAGE_WORKERS_MAX);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		0, pair),
	    0);
	fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(pair[0]);
		run(stage, index, pair[1]);
	}
	close(pair[1]);
	*worker = (struct stage_worker){ pid, pair[0], -1 };
	stage->n_workers++;
	wait_readable(worker->parent);
	assert_int_equal(order_receive(worker->parent, &order), 1);
	assert_int_equal(order.kind, ORDER_READY);
	return worker;
}

void
stage_order(struct stage_worker *worker, enum order_kind kind, int fd)
{
	struct order order = { kind, 0, 1, fd };

	assert_int_equal(order_send(worker->parent, &order), 0);
}

void
stage_unlink(struct stage_worker *worker)
{
	if (worker->resolver >= 0)
		close(worker->resolver);
	worker->resolver = -1;
}

void
stage_link(struct stage_worker *worker)
{
	int size = 4 * ASK_MAX, pair[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		0, pair),
	    0);
	for (int i = 0; i < 2; i++)
		setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	stage_unlink(worker);
	worker->resolver = pair[0];
	stage_order(worker, ORDER_RESOLVER, pair[1]);
	close(pair[1]);
}

int
stage_wait(struct stage_worker *worker)
{
	int status = 0;

	for (unsigned i = 0; i < STAGE_PATIENCE_MS / 10; i++) {
		if (waitpid(worker->pid, &status, WNOHANG) == worker->pid) {
			worker->pid = 0;
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		}
		poll(NULL, 0, 10);
	}
	fail_msg("the worker does not end");
	return -1;
}

// --- clients ---

int
stage_connect(struct stage *stage)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s",
	    stage->socket_path);
	assert_int_equal(
	    connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

void
stage_send(int client, const char *octets, size_t len)
{
	assert_int_equal(send(client, octets, len, MSG_NOSIGNAL), (ssize_t)len);
}

void
stage_request(int client, const char *key)
{
	char text[512];

	int len =
	    snprintf(text, sizeof(text), "%zu:dane %s,", strlen(key) + 5, key);
	stage_send(client, text, (size_t)len);
}

const char *
stage_reply(int client)
{
	static char buf[DIALECT_REPLY_MAX + NETSTRING_EXTRA_MAX + 1];
	const char *payload;
	size_t len = 0, payload_len, used;

	// Octet by octet: the next reply must stay where it is.
	for (; len < sizeof(buf); len++) {
		switch (netstring_read(buf, len, DIALECT_REPLY_MAX, &payload,
		    &payload_len, &used)) {
		case NETSTRING_PARTIAL:
			break;
		case NETSTRING_WHOLE:
			buf[used - 1] = '\0';
			return payload;
		default:
			fail_msg("the worker sent no netstring");
		}
		wait_readable(client);
		if (recv(client, buf + len, 1, 0) <= 0) {
			assert_int_equal(len, 0);
			return NULL;
		}
	}
	fail_msg("a reply without end");
	return NULL;
}

void
stage_expect(int client, const char *reply)
{
	const char *got = stage_reply(client);

	if (reply == NULL) {
		assert_null(got);
		return;
	}
	assert_non_null(got);
	assert_string_equal(got, reply);
}

void
stage_expect_start(int client, const char *start)
{
	const char *got = stage_reply(client);

	assert_non_null(got);
	if (strncmp(got, start, strlen(start)) != 0)
		fail_msg("\"%s\" does not start with \"%s\"", got, start);
}

bool
stage_is_silent(int fd)
{
	struct pollfd one = { .fd = fd, .events = POLLIN };

	return poll(&one, 1, 100) == 0;
}

// --- the resolver ---

void
stage_take(struct stage_worker *worker, struct stage_question *ret)
{
	struct nexthop nexthop;

	wait_readable(worker->resolver);
	ssize_t n = recv(worker->resolver, ret->packet, sizeof(ret->packet), 0);
	assert_true(n > 0);
	assert_int_equal(ask_decode(ret->packet, (size_t)n, &ret->ask), 0);
	assert_int_equal(
	    nexthop_from_id(ret->ask.data, ret->ask.len, &nexthop), 0);
	snprintf(ret->name, sizeof(ret->name), "%s", nexthop.name);
}

uint32_t
stage_take_name(struct stage_worker *worker, const char *name)
{
	static struct stage_question question;

	stage_take(worker, &question);
	assert_int_equal(question.ask.kind, ASK_QUESTION);
	assert_string_equal(question.name, name);
	return question.ask.id;
}

void
stage_say(struct stage_worker *worker, const struct ask *ask)
{
	static uint8_t packet[ASK_MAX];
	size_t len = ask_encode(ask, packet, sizeof(packet));
	struct pollfd one = { .fd = worker->resolver, .events = POLLOUT };

	assert_int_equal(poll(&one, 1, STAGE_PATIENCE_MS), 1);
	assert_int_equal(
	    send(worker->resolver, packet, len, MSG_NOSIGNAL), (ssize_t)len);
}

void
stage_answer(struct stage_worker *worker, uint32_t id, bool dane)
{
	static uint8_t bytes[ENTRY_ENCODED_MAX];
	struct entry entry = stage_entry(dane, 60000);
	struct ask ask = { .kind = ASK_ANSWER, .id = id, .data = bytes };

	ask.len = entry_encode(&entry, bytes, sizeof(bytes));
	assert_true(ask.len > 0);
	stage_say(worker, &ask);
}

// --- entries ---

struct entry
stage_entry(bool dane, uint32_t life_ms)
{
	struct entry entry = {
		.has_answer = true,
		.made_ms = stage_now_ms(),
		.facts = {
			.mx = dane ? FACTS_MX_SECURE : FACTS_MX_INSECURE,
			.n_hosts = 1,
			.hosts = { {
			    .preference = 10,
			    .state = dane ? FACTS_DANE : FACTS_NODANE,
			    .flags = FACTS_HAS_ADDRESS,
			} },
		},
	};

	entry.ends_ms = entry.made_ms + life_ms;
	return entry;
}

void
stage_keep(struct stage *stage, const char *name, const struct entry *entry)
{
	uint8_t bytes[CACHE_VALUE_MAX], key[NEXTHOP_ID_MAX];
	struct nexthop nexthop;

	nexthop_parse(name, strlen(name), NULL, &nexthop);
	struct cache_value value = {
		.ends_ms = entry->ends_ms,
		.worthless_ms = entry->ends_ms + 86400000,
		.data = bytes,
		.len = entry_encode(entry, bytes, sizeof(bytes)),
	};
	assert_true(value.len > 0);
	assert_int_equal(cache_put(stage->cache, key, nexthop_id(&nexthop, key),
			     &value, stage_now_ms()),
	    0);
}
