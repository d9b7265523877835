// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The worker as its clients, its resolver and its parent see it.
#include "config.h"

#include "worker_stage.h"

#include "table.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "worker/conn.h"
#include "worker/door.h"

static struct stage stage;

static struct stage_worker *
start_linked(void)
{
	struct stage_worker *worker = stage_start(&stage);

	stage_link(worker);
	return worker;
}

static void
keep(const char *name, bool dane)
{
	struct entry entry = stage_entry(dane, 60000);

	stage_keep(&stage, name, &entry);
}

// --- answers ---

static void
cached(void)
{
	struct stage_worker *worker = start_linked();
	int client = stage_connect(&stage);

	keep("a.example", true);
	keep("b.example", false);
	stage_request(client, "a.example");
	stage_expect(client, "OK dane-only");
	stage_request(client, "B.Example.");
	stage_expect(client, "OK may");
	assert_true(stage_is_silent(worker->resolver));
	assert_int_equal(stage.pages[0].n_cached, 2);
	close(client);
}

static void
asked(void)
{
	struct stage_worker *worker = start_linked();
	static struct stage_question question;
	int client = stage_connect(&stage);

	uint64_t before_ms = stage_now_ms();
	stage_request(client, "a.example");
	stage_take(worker, &question);
	assert_string_equal(question.name, "a.example");
	assert_true(question.ask.deadline_ms >= before_ms + 20000);
	assert_true(question.ask.deadline_ms <= stage_now_ms() + 20000);
	stage_answer(worker, question.ask.id, true);
	stage_expect(client, "OK dane-only");
	close(client);
}

static void
no_lookup(void)
{
	struct stage_worker *worker = start_linked();
	int client = stage_connect(&stage);

	stage_request(client, "[192.0.2.1]");
	stage_expect(client, "NOTFOUND ");
	stage_request(client, ".example.org");
	stage_expect(client, "NOTFOUND ");
	stage_request(client, "/var/run/lmtp");
	stage_expect(client, "NOTFOUND ");
	stage_request(client, "");
	stage_expect(client, "NOTFOUND ");
	assert_true(stage_is_silent(worker->resolver));
	close(client);
}

static void
unknown_map(void)
{
	start_linked();
	int client = stage_connect(&stage);

	keep("a.example", true);
	stage_send(client, "14:dune a.example,", 18);
	stage_expect_start(client, "PERM ");
	stage_request(client, "a.example");
	stage_expect(client, "OK dane-only");
	close(client);
}

static void
refused(void)
{
	struct stage_worker *worker = start_linked();
	int client = stage_connect(&stage);

	stage_request(client, "a.example");
	stage_say(worker, &(struct ask){ .kind = ASK_REFUSED,
			      .id = stage_take_name(worker, "a.example"),
			      .len = 12,
			      .data = (const uint8_t *)"line is full" });
	stage_expect(client, "TEMP line is full");
	close(client);
}

static void
ran_out_on_the_way(void)
{
	static uint8_t bytes[ENTRY_ENCODED_MAX];
	struct stage_worker *worker = start_linked();
	int client = stage_connect(&stage);

	stage_request(client, "a.example");
	uint32_t id = stage_take_name(worker, "a.example");
	struct entry entry = stage_entry(true, 0);
	entry.made_ms++;
	entry.ends_ms = entry.made_ms;
	size_t len = entry_encode(&entry, bytes, sizeof(bytes));
	while (stage_now_ms() <= entry.ends_ms + 1)
		poll(NULL, 0, 1);
	stage_say(worker,
	    &(struct ask){
		.kind = ASK_ANSWER, .id = id, .len = len, .data = bytes });
	stage_expect(client, "OK dane-only");
	close(client);
}

static void
old_answer_is_none(void)
{
	static uint8_t bytes[ENTRY_ENCODED_MAX];
	struct stage_worker *worker = start_linked();
	int client = stage_connect(&stage);

	stage_request(client, "a.example");
	uint32_t id = stage_take_name(worker, "a.example");
	struct entry entry = stage_entry(false, 0);
	entry.made_ms = 0; // at the boot
	entry.ends_ms = 10;
	size_t len = entry_encode(&entry, bytes, sizeof(bytes));
	stage_say(worker,
	    &(struct ask){
		.kind = ASK_ANSWER, .id = id, .len = len, .data = bytes });
	stage_expect_start(client, "TEMP ");
	close(client);
}

static void
partial_is_a_miss(void)
{
	struct stage_worker *worker = start_linked();
	struct entry entry = stage_entry(true, 60000);
	int client = stage_connect(&stage);

	entry.facts.partial = true;
	stage_keep(&stage, "a.example", &entry);
	stage_request(client, "a.example");
	stage_expect(client, "OK dane-only");
	stage_send(client, "21:fingerprint a.example,", 25);
	stage_answer(worker, stage_take_name(worker, "a.example"), false);
	stage_expect(client, "OK may");
	close(client);
}

static void
odd_answers(void)
{
	struct stage_worker *worker = start_linked();
	int client = stage_connect(&stage);

	stage_request(client, "a.example");
	uint32_t id = stage_take_name(worker, "a.example");
	stage_answer(worker, id + 1, false);
	stage_answer(worker, id ^ 0x10000, false);
	assert_int_equal(send(worker->resolver, "nonsense", 8, 0), 8);
	stage_answer(worker, id, true);
	stage_answer(worker, id, false);
	stage_expect(client, "OK dane-only");
	stage_request(client, "b.example");
	uint32_t next = stage_take_name(worker, "b.example");
	assert_int_not_equal(next, id);
	stage_answer(worker, id, false);
	stage_answer(worker, next, true);
	stage_expect(client, "OK dane-only");
	assert_true(stage_is_silent(client));
	close(client);
}

static void
hinted_once(void)
{
	static struct stage_question question;
	struct stage_worker *worker = start_linked();
	struct entry entry = stage_entry(true, 0);
	int client = stage_connect(&stage);

	// Made at the boot, however long that is ago.
	entry.ends_ms = entry.made_ms + entry.made_ms / 20;
	entry.made_ms = 0;
	stage_keep(&stage, "a.example", &entry);
	for (unsigned i = 0; i < 5; i++) {
		stage_request(client, "a.example");
		stage_expect(client, "OK dane-only");
	}
	stage_take(worker, &question);
	assert_int_equal(question.ask.kind, ASK_HINT);
	assert_string_equal(question.name, "a.example");
	assert_true(stage_is_silent(worker->resolver));
	close(client);
}

// --- order ---

static void
in_order(void)
{
	struct stage_worker *worker = start_linked();
	int client = stage_connect(&stage);

	keep("b.example", false);
	stage_request(client, "a.example");
	stage_request(client, "b.example");
	stage_request(client, "c.example");
	stage_request(client, "[192.0.2.1]");
	uint32_t a = stage_take_name(worker, "a.example");
	uint32_t c = stage_take_name(worker, "c.example");
	stage_answer(worker, c, true);
	assert_true(stage_is_silent(client));
	stage_answer(worker, a, true);
	stage_expect(client, "OK dane-only");
	stage_expect(client, "OK may");
	stage_expect(client, "OK dane-only");
	stage_expect(client, "NOTFOUND ");
	close(client);
}

static void
octet_by_octet(void)
{
	static const char text[] = "14:dane a.example,14:dane b.example,";
	struct stage_worker *worker = start_linked();
	int client = stage_connect(&stage);

	keep("a.example", true);
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		stage_send(client, text + i, 1);
		poll(NULL, 0, 1);
	}
	stage_expect(client, "OK dane-only");
	stage_answer(worker, stage_take_name(worker, "b.example"), false);
	stage_expect(client, "OK may");
	close(client);
}

static void
many_at_once(void)
{
	enum { N = 2000 };

	static char text[N * 18 + 1];
	int client = stage_connect(&stage);

	start_linked();
	keep("a.example", true);
	for (unsigned i = 0; i < N; i++)
		memcpy(text + 18 * i, "14:dane a.example,", 18);
	stage_send(client, text, N * 18);
	for (unsigned i = 0; i < N; i++)
		stage_expect(client, "OK dane-only");
	close(client);
}

// More than a round's worth of replies to one read, and nothing to read after
// that: the rest must come all the same.
static void
large_replies(void)
{
	enum { N = 400, DIGESTS = 30 };

	static const char request[] = "21:fingerprint a.example,";
	static char text[N * (sizeof(request) - 1) + 1];
	static uint8_t digests[DIGESTS * 32];
	struct entry entry = stage_entry(true, 60000);
	int client = stage_connect(&stage);

	for (unsigned i = 0; i < DIGESTS; i++)
		digests[32 * i] = (uint8_t)i;
	entry.facts.hosts[0].flags |= FACTS_SHA256;
	entry.facts.n_sha256 = DIGESTS;
	entry.facts.sha256 = digests;
	stage_keep(&stage, "a.example", &entry);
	start_linked();
	for (unsigned i = 0; i < N; i++)
		memcpy(text + i * (sizeof(request) - 1), request,
		    sizeof(request) - 1);
	stage_send(client, text, sizeof(text) - 1);
	for (unsigned i = 0; i < N; i++)
		stage_expect_start(client, "OK fingerprint match=00:");
	close(client);
}

static void
line_is_limited(void)
{
	enum { N = CONN_LINE_MAX + 3 };
	struct stage_worker *worker = start_linked();
	int client = stage_connect(&stage);
	uint32_t ids[N];
	char name[32];

	for (unsigned i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "n%u.example", i);
		stage_request(client, name);
	}
	for (unsigned i = 0; i < CONN_LINE_MAX; i++) {
		snprintf(name, sizeof(name), "n%u.example", i);
		ids[i] = stage_take_name(worker, name);
	}
	assert_true(stage_is_silent(worker->resolver));
	for (unsigned i = 0; i < N; i++) {
		stage_answer(worker, ids[i], i % 2 == 0);
		stage_expect(client, i % 2 == 0 ? "OK dane-only" : "OK may");
		if (i + CONN_LINE_MAX < N) {
			snprintf(name, sizeof(name), "n%u.example",
			    i + CONN_LINE_MAX);
			ids[i + CONN_LINE_MAX] = stage_take_name(worker, name);
		}
	}
	close(client);
}

static void
half_close(void)
{
	struct stage_worker *worker = start_linked();
	int client = stage_connect(&stage);

	keep("b.example", false);
	stage_request(client, "a.example");
	stage_request(client, "b.example");
	shutdown(client, SHUT_WR);
	stage_answer(worker, stage_take_name(worker, "a.example"), true);
	stage_expect(client, "OK dane-only");
	stage_expect(client, "OK may");
	stage_expect(client, NULL);
	close(client);
}

static void
others_go_on(void)
{
	struct stage_worker *worker = start_linked();
	int slow = stage_connect(&stage), quick = stage_connect(&stage);

	keep("b.example", false);
	stage_request(slow, "a.example");
	uint32_t id = stage_take_name(worker, "a.example");
	stage_request(quick, "b.example");
	stage_expect(quick, "OK may");
	stage_request(quick, "c.example");
	stage_answer(worker, stage_take_name(worker, "c.example"), true);
	stage_expect(quick, "OK dane-only");
	stage_answer(worker, id, true);
	stage_expect(slow, "OK dane-only");
	close(slow);
	close(quick);
}

static void
client_gone(void)
{
	struct stage_worker *worker = start_linked();
	int client = stage_connect(&stage);

	stage_request(client, "a.example");
	stage_request(client, "b.example");
	uint32_t a = stage_take_name(worker, "a.example");
	uint32_t b = stage_take_name(worker, "b.example");
	close(client);
	stage_answer(worker, a, true);
	stage_answer(worker, b, true);
	keep("c.example", true);
	client = stage_connect(&stage);
	stage_request(client, "c.example");
	stage_expect(client, "OK dane-only");
	close(client);
}

// --- who is told off ---

struct odd_row {
	const char *sentence;
	const char *octets;
	size_t n_more; // of 'x' behind them
	bool then_shut;
};

static const struct odd_row odd_rows[] = {
	{ "what is no netstring is told off and closed",
	    "GET / HTTP/1.1\r\n\r\n", 0, false },
	{ "a netstring without its comma is told off", "14:dane a.example;", 0,
	    false },
	{ "a request without a space is told off", "4:dane,", 0, false },
	{ "a request that is too long is told off before it is there",
	    "10001:", 0, false },
	{ "a request that is too long is told off though it is sent",
	    "100000:dane ", 99995, false },
	{ "a request that is cut short is told off", "14:dane a.ex", 0, true },
};

static void
check_odd(void **state)
{
	static char more[100000];
	const struct odd_row *row = *state;

	stage_open(&stage);
	struct stage_worker *worker = start_linked();
	int client = stage_connect(&stage);
	stage_request(client, "a.example");
	stage_send(client, row->octets, strlen(row->octets));
	memset(more, 'x', sizeof(more));
	if (row->n_more > 0)
		stage_send(client, more, row->n_more);
	if (row->then_shut)
		shutdown(client, SHUT_WR);
	uint32_t id = stage_take_name(worker, "a.example");
	assert_true(stage_is_silent(client));
	stage_answer(worker, id, true);
	stage_expect(client, "OK dane-only");
	stage_expect_start(client, "PERM ");
	stage_expect(client, NULL);
	close(client);
	stage_close(&stage);
}

// --- resolvers come and go ---

static void
waits_for_resolver(void)
{
	struct stage_worker *worker = stage_start(&stage);
	int client = stage_connect(&stage);

	stage_request(client, "a.example");
	assert_true(stage_is_silent(client));
	stage_link(worker);
	stage_answer(worker, stage_take_name(worker, "a.example"), true);
	stage_expect(client, "OK dane-only");
	close(client);
}

static void
asked_again(void)
{
	static struct stage_question first, again;
	struct stage_worker *worker = start_linked();
	int client = stage_connect(&stage);

	stage_request(client, "a.example");
	stage_request(client, "b.example");
	stage_take(worker, &first);
	stage_take_name(worker, "b.example");
	stage_unlink(worker);
	assert_true(stage_is_silent(client));
	stage_link(worker);
	stage_take(worker, &again);
	assert_string_equal(again.name, "a.example");
	assert_true(again.ask.deadline_ms == first.ask.deadline_ms);
	stage_answer(worker, stage_take_name(worker, "b.example"), false);
	stage_answer(worker, again.ask.id, true);
	stage_expect(client, "OK dane-only");
	stage_expect(client, "OK may");
	close(client);
}

// The worker is held while the order for the new channel and then the last
// words on the old one reach it, in that order.
static void
last_answers_count(void)
{
	struct stage_worker *worker = start_linked();
	int client = stage_connect(&stage);

	stage_request(client, "a.example");
	stage_request(client, "b.example");
	uint32_t a = stage_take_name(worker, "a.example");
	stage_take_name(worker, "b.example");
	int old = dup(worker->resolver);
	assert_int_equal(kill(worker->pid, SIGSTOP), 0);
	stage_link(worker);
	struct stage_worker before = { .resolver = old };
	stage_answer(&before, a, true);
	close(old);
	assert_int_equal(kill(worker->pid, SIGCONT), 0);
	stage_answer(worker, stage_take_name(worker, "b.example"), false);
	stage_expect(client, "OK dane-only");
	stage_expect(client, "OK may");
	close(client);
}

static void
lost_twice(void)
{
	struct stage_worker *worker = start_linked();
	int client = stage_connect(&stage), other = stage_connect(&stage);

	stage_request(client, "a.example");
	stage_take_name(worker, "a.example");
	stage_unlink(worker);
	stage_link(worker);
	stage_take_name(worker, "a.example");
	stage_request(other, "a.example"); // the same, lost once
	stage_take_name(worker, "a.example");
	stage_unlink(worker);
	stage_expect_start(client, "TEMP ");
	stage_expect_start(other, "TEMP ");
	stage_link(worker);
	stage_request(other, "a.example");
	stage_expect_start(other, "TEMP ");
	assert_true(stage_is_silent(worker->resolver));
	stage_request(other, "b.example");
	stage_answer(worker, stage_take_name(worker, "b.example"), true);
	stage_expect(other, "OK dane-only");
	close(client);
	close(other);
}

static void
deadline(void)
{
	stage.conf.query_timeout_s = 1;
	struct stage_worker *worker = start_linked();
	int client = stage_connect(&stage);

	keep("b.example", true);
	stage_request(client, "a.example");
	stage_request(client, "b.example");
	uint32_t id = stage_take_name(worker, "a.example");
	stage_expect_start(client, "TEMP no answer within 1s");
	stage_expect(client, "OK dane-only");
	stage_answer(worker, id, false);
	stage_request(client, "b.example");
	stage_expect(client, "OK dane-only");
	close(client);
}

// Made to live for a minute, and over for a second.
static void
keep_ended(const char *name, bool dane)
{
	struct entry entry = stage_entry(dane, 60000);

	entry.made_ms -= 61000;
	entry.ends_ms -= 61000;
	stage_keep(&stage, name, &entry);
}

static void
deadline_of_ended(void)
{
	stage.conf.query_timeout_s = 1;
	struct stage_worker *worker = start_linked();
	int client = stage_connect(&stage);

	keep_ended("strict.example", true);
	keep_ended("weak.example", false);
	stage_request(client, "strict.example");
	stage_request(client, "weak.example");
	stage_take_name(worker, "strict.example");
	stage_take_name(worker, "weak.example");
	stage_expect(client, "OK dane-only");
	stage_expect_start(client, "TEMP no answer within 1s");
	keep_ended("b.example", true);
	stage_send(client, "21:fingerprint b.example,", 25);
	stage_take_name(worker, "b.example");
	stage_expect(client, "OK defer-dnssec-lookup-failed");
	close(client);
}

static void
answer_unreadably(struct stage_worker *worker, const char *name)
{
	stage_say(worker, &(struct ask){ .kind = ASK_ANSWER,
			      .id = stage_take_name(worker, name),
			      .len = 3,
			      .data = (const uint8_t *)"\377\377\377" });
}

static void
unreadable_answer(void)
{
	struct stage_worker *worker = start_linked();
	int client = stage_connect(&stage);

	keep_ended("strict.example", true);
	keep_ended("weak.example", false);
	stage_request(client, "strict.example");
	stage_request(client, "weak.example");
	answer_unreadably(worker, "strict.example");
	answer_unreadably(worker, "weak.example");
	stage_expect(client, "OK dane-only");
	stage_expect_start(client, "TEMP the resolver's answer cannot be read");
	close(client);
}

static void
deadline_without_resolver(void)
{
	stage.conf.query_timeout_s = 1;
	stage_start(&stage);
	int client = stage_connect(&stage);

	stage_request(client, "a.example");
	stage_expect_start(client, "TEMP no answer within 1s");
	close(client);
}

// More questions than a channel takes at once: none is lost, none overtakes.
static void
full_channel(void)
{
	enum { CLIENTS = 40, N = CLIENTS * CONN_LINE_MAX };
	struct stage_worker *worker = start_linked();
	int clients[CLIENTS];
	char name[64];

	for (unsigned i = 0; i < CLIENTS; i++) {
		clients[i] = stage_connect(&stage);
		for (unsigned k = 0; k < CONN_LINE_MAX; k++) {
			snprintf(name, sizeof(name), "n%u.c%u.example", k, i);
			stage_request(clients[i], name);
		}
		// Each client's questions are in line before the next one's.
		while (stage.pages[0].n_asked < (i + 1) * CONN_LINE_MAX)
			poll(NULL, 0, 1);
	}
	assert_true(stage.pages[0].n_in_line > 0);
	for (unsigned i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "n%u.c%u.example",
		    i % CONN_LINE_MAX, i / CONN_LINE_MAX);
		stage_answer(worker, stage_take_name(worker, name), i % 3);
	}
	for (unsigned i = 0; i < N; i++)
		stage_expect(clients[i / CONN_LINE_MAX],
		    i % 3 ? "OK dane-only" : "OK may");
	for (unsigned i = 0; i < CLIENTS; i++)
		close(clients[i]);
}

// --- many, slow, and too many ---

static void
thousand_idle(void)
{
	enum { N = 1000 };

	static int idle[N];
	int client;

	start_linked();
	keep("a.example", true);
	for (unsigned i = 0; i < N; i++)
		idle[i] = stage_connect(&stage);
	client = stage_connect(&stage);
	stage_request(client, "a.example");
	stage_expect(client, "OK dane-only");
	assert_int_equal(stage.pages[0].n_connections, N + 1);
	for (unsigned i = 0; i < N; i++) {
		stage_request(idle[i], "a.example");
		stage_expect(idle[i], "OK dane-only");
		close(idle[i]);
	}
	close(client);
}

static size_t
resident_pages(pid_t pid)
{
	char path[64];
	size_t total = 0, resident = 0;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%zu %zu", &total, &resident), 2);
	fclose(file);
	return resident;
}

// Sends until the worker has stopped reading, and a little longer.
static size_t
stuff(int client, const char *text, size_t len)
{
	size_t sent = 0;
	unsigned n_waits = 0;

	while (n_waits < 20 && sent < 50000000) {
		ssize_t n = send(client, text + sent % len, len - sent % len,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0) {
			sent += (size_t)n;
			n_waits = 0;
		} else {
			n_waits++;
			poll(NULL, 0, 10);
		}
	}
	return sent;
}

static void
does_not_read(void)
{
	enum { N = 1000 };

	static char text[N * 18 + 1];
	struct stage_worker *worker = start_linked();
	int greedy = stage_connect(&stage), other = stage_connect(&stage);

	keep("a.example", true);
	stage_request(other, "a.example");
	stage_expect(other, "OK dane-only");
	for (unsigned i = 0; i < N; i++)
		memcpy(text + 18 * i, "14:dane a.example,", 18);
	size_t before = resident_pages(worker->pid);
	size_t sent = stuff(greedy, text, N * 18);
	assert_true(sent < 5000000);
	assert_true(resident_pages(worker->pid) < before + 256);
	stage_request(other, "a.example");
	stage_expect(other, "OK dane-only");
	for (size_t i = 0; i < sent / 18; i++)
		stage_expect(greedy, "OK dane-only");
	close(greedy);
	close(other);
}

static void
at_the_limit(void)
{
	stage.conf.max_connections = 2;
	start_linked();
	int a = stage_connect(&stage), b = stage_connect(&stage);

	keep("a.example", true);
	stage_request(a, "a.example");
	stage_expect(a, "OK dane-only");
	stage_request(b, "a.example");
	stage_expect(b, "OK dane-only");
	int c = stage_connect(&stage);
	stage_request(c, "a.example");
	assert_true(stage_is_silent(c));
	assert_true(stage_is_silent(a) && stage_is_silent(b));
	close(a);
	stage_expect(c, "OK dane-only");
	assert_int_equal(stage.pages[0].n_connections, 2);
	close(b);
	close(c);
}

// Waits for as long as it takes to count as idle.
static void
longest_idle_goes(void)
{
	stage.conf.max_connections = 2;
	start_linked();
	int a = stage_connect(&stage), b = stage_connect(&stage);

	keep("a.example", true);
	stage_request(a, "a.example");
	stage_expect(a, "OK dane-only");
	uint64_t end_ms = stage_now_ms() + DOOR_IDLE_MS + 100;
	while (stage_now_ms() < end_ms) {
		stage_request(b, "a.example");
		stage_expect(b, "OK dane-only");
		poll(NULL, 0, 100);
	}
	int c = stage_connect(&stage);
	stage_request(c, "a.example");
	stage_expect(c, "OK dane-only");
	stage_expect(a, NULL);
	assert_true(stage_is_silent(b));
	close(a);
	close(b);
	close(c);
}

static void
limit_over_all(void)
{
	stage.conf.max_connections = 2;
	start_linked();
	keep("a.example", true);
	stage.pages[100].n_connections = 2; // another worker's
	int client = stage_connect(&stage);
	stage_request(client, "a.example");
	assert_true(stage_is_silent(client));
	stage.pages[100].n_connections = 1;
	stage_expect(client, "OK dane-only");
	close(client);
}

static void
idle_timeout(void)
{
	stage.conf.idle_timeout_s = 1;
	struct stage_worker *worker = start_linked();
	int idle = stage_connect(&stage), waiting = stage_connect(&stage);

	stage_request(waiting, "a.example");
	uint32_t id = stage_take_name(worker, "a.example");
	stage_expect(idle, NULL);
	stage_answer(worker, id, true);
	stage_expect(waiting, "OK dane-only");
	close(idle);
	close(waiting);
}

static void
no_descriptors(void)
{
	enum { N = 64 };

	int clients[N];

	stage.max_files = 32;
	start_linked();
	keep("a.example", true);
	for (unsigned i = 0; i < N; i++)
		clients[i] = stage_connect(&stage);
	stage_request(clients[0], "a.example");
	stage_expect(clients[0], "OK dane-only");
	stage_request(clients[N - 1], "a.example");
	assert_true(stage_is_silent(clients[N - 1]));
	for (unsigned i = 0; i < N - 1; i++)
		close(clients[i]);
	stage_expect(clients[N - 1], "OK dane-only");
	close(clients[N - 1]);
}

// The second lets the first go first, and does not wait for it for ever.
static void
first_is_stopped(void)
{
	enum { N = 64 };

	int clients[N];

	stage.n_sharing = 2;
	struct stage_worker *first = start_linked();
	start_linked();
	keep("a.example", true);
	kill(first->pid, SIGSTOP);
	for (unsigned i = 0; i < N; i++)
		clients[i] = stage_connect(&stage);
	for (unsigned i = 0; i < N; i++) {
		stage_request(clients[i], "a.example");
		stage_expect(clients[i], "OK dane-only");
		close(clients[i]);
	}
}

// --- orders ---

static void
finish(void)
{
	struct stage_worker *worker = start_linked();
	int idle = stage_connect(&stage), waiting = stage_connect(&stage);

	stage_request(waiting, "a.example");
	uint32_t id = stage_take_name(worker, "a.example");
	stage_order(worker, ORDER_FINISH, -1);
	stage_expect(idle, NULL);
	int late = stage_connect(&stage); // for another worker
	assert_true(stage_is_silent(late));
	stage_answer(worker, id, true);
	stage_expect(waiting, "OK dane-only");
	stage_expect(waiting, NULL);
	assert_int_equal(stage_wait(worker), 0);
	close(idle);
	close(late);
	close(waiting);
}

// The worker is held while the order and then a request reach it.
static void
finish_looks_once_more(void)
{
	struct stage_worker *worker = start_linked();
	int client = stage_connect(&stage);

	keep("a.example", true);
	stage_request(client, "a.example");
	stage_expect(client, "OK dane-only");
	assert_int_equal(kill(worker->pid, SIGSTOP), 0);
	stage_order(worker, ORDER_FINISH, -1);
	stage_request(client, "a.example");
	assert_int_equal(kill(worker->pid, SIGCONT), 0);
	stage_expect(client, "OK dane-only");
	stage_expect(client, NULL);
	assert_int_equal(stage_wait(worker), 0);
	close(client);
}

static void
finish_without_clients(void)
{
	struct stage_worker *worker = stage_start(&stage);

	stage_order(worker, ORDER_FINISH, -1);
	assert_int_equal(stage_wait(worker), 0);
}

static void
parent_gone(void)
{
	struct stage_worker *worker = start_linked();
	int client = stage_connect(&stage);

	keep("a.example", true);
	stage_request(client, "a.example");
	stage_expect(client, "OK dane-only");
	close(worker->parent);
	worker->parent = -1;
	assert_int_equal(stage_wait(worker), EX_UNAVAILABLE);
	stage_expect(client, NULL);
	close(client);
}

static void
bequeath(struct stage_worker *from, struct stage_worker *to)
{
	int pair[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		0, pair),
	    0);
	stage_order(to, ORDER_BEQUEST, pair[0]);
	stage_order(from, ORDER_HEIR, pair[1]);
	close(pair[0]);
	close(pair[1]);
}

static void
heir(void)
{
	struct stage_worker *old = start_linked();
	int idle = stage_connect(&stage), half = stage_connect(&stage);
	int waiting = stage_connect(&stage);

	keep("a.example", true);
	stage_request(idle, "a.example");
	stage_expect(idle, "OK dane-only");
	stage_send(half, "14:dane a.ex", 12);
	stage_request(waiting, "b.example");
	stage_request(waiting, "a.example");
	uint32_t id = stage_take_name(old, "b.example");
	struct stage_worker *young = start_linked();
	bequeath(old, young);

	stage_request(idle, "a.example");
	stage_expect(idle, "OK dane-only");
	stage_send(half, "ample,", 6);
	stage_expect(half, "OK dane-only");
	stage_request(waiting, "c.example"); // read by the heir
	stage_answer(old, id, false);
	stage_expect(waiting, "OK may");
	stage_expect(waiting, "OK dane-only");
	stage_answer(young, stage_take_name(young, "c.example"), false);
	stage_expect(waiting, "OK may");
	assert_int_equal(stage_wait(old), 0);
	assert_int_equal(stage.pages[1].n_connections, 3);
	close(idle);
	close(half);
	close(waiting);
}

static void
heir_of_many(void)
{
	enum { N = 500 };

	static int clients[N];
	struct stage_worker *old = start_linked();

	keep("a.example", true);
	for (unsigned i = 0; i < N; i++) {
		clients[i] = stage_connect(&stage);
		stage_send(clients[i], "14:dane a", 9);
	}
	while (stage.pages[0].n_connections < N)
		poll(NULL, 0, 1);
	bequeath(old, start_linked());
	for (unsigned i = 0; i < N; i++) {
		stage_send(clients[i], ".example,", 9);
		stage_expect(clients[i], "OK dane-only");
		close(clients[i]);
	}
	assert_int_equal(stage_wait(old), 0);
}

// The one in the middle was busy: it hears of both at once.
static void
heir_of_heir(void)
{
	struct stage_worker *old = start_linked();
	struct stage_worker *middle = start_linked();
	struct stage_worker *young = start_linked();

	kill(middle->pid, SIGSTOP);
	kill(young->pid, SIGSTOP);
	keep("a.example", true);
	int client = stage_connect(&stage);
	stage_send(client, "14:dane a.ex", 12);
	while (stage.pages[0].n_connections < 1)
		poll(NULL, 0, 1);
	bequeath(old, middle);
	assert_int_equal(stage_wait(old), 0);
	bequeath(middle, young);
	kill(middle->pid, SIGCONT);
	assert_int_equal(stage_wait(middle), 0);
	kill(young->pid, SIGCONT);
	stage_send(client, "ample,", 6);
	stage_expect(client, "OK dane-only");
	close(client);
}

static void
heir_dies(void)
{
	struct stage_worker *old = start_linked();
	int idle = stage_connect(&stage), waiting = stage_connect(&stage);
	int pair[2];

	stage_request(waiting, "a.example");
	uint32_t id = stage_take_name(old, "a.example");
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	close(pair[0]);
	stage_order(old, ORDER_HEIR, pair[1]);
	close(pair[1]);
	stage_expect(idle, NULL);
	stage_answer(old, id, true);
	stage_expect(waiting, "OK dane-only");
	stage_expect(waiting, NULL);
	assert_int_equal(stage_wait(old), 0);
	close(idle);
	close(waiting);
}

static void
beats(void)
{
	stage_start(&stage);
	uint64_t first = stage.pages[0].heartbeat_ms;

	assert_true(first > 0);
	for (unsigned i = 0; i < 1000; i++) {
		if (stage.pages[0].heartbeat_ms > first)
			return;
		poll(NULL, 0, 10);
	}
	fail_msg("no second beat");
}

struct row {
	const char *sentence;
	void (*act)(void);
};

static const struct row rows[] = {
	{ "a cached answer needs no resolver", cached },
	{ "what is not cached is asked, with its deadline", asked },
	{ "keys without DANE are not found and not asked", no_lookup },
	{ "an unknown map is an error that keeps the connection", unknown_map },
	{ "a refusal defers with the resolver's words", refused },
	{ "an answer whose time ran out on the way counts",
	    ran_out_on_the_way },
	{ "an answer that was old before the question does not",
	    old_answer_is_none },
	{ "matches that were not kept are asked for", partial_is_a_miss },
	{ "late, repeated, forged and odd answers are ignored", odd_answers },
	{ "an answer that cannot be read counts as a failure",
	    unreadable_answer },
	{ "an entry in use near its end is hinted once", hinted_once },
	{ "replies come in the order of their requests", in_order },
	{ "requests may come octet by octet", octet_by_octet },
	{ "two thousand requests in one write have all their replies",
	    many_at_once },
	{ "large replies to many requests at once all come", large_replies },
	{ "past the line's limit questions wait until there is room",
	    line_is_limited },
	{ "who has closed his sending side gets all answers", half_close },
	{ "a slow question delays no other connection", others_go_on },
	{ "a client that goes before its answers does no harm", client_gone },
	{ "questions wait for a resolver that is not there yet",
	    waits_for_resolver },
	{ "a lost resolver's questions are asked again in order", asked_again },
	{ "the last answers of a lost resolver count", last_answers_count },
	{ "a question lost twice is deferred and barred, and no other",
	    lost_twice },
	{ "a deadline defers, and a later answer is ignored", deadline },
	{ "at a deadline a strict answer that has ended goes on, no other",
	    deadline_of_ended },
	{ "a deadline holds without any resolver", deadline_without_resolver },
	{ "a full channel delays questions and loses none", full_channel },
	{ "a thousand idle connections hinder nobody", thousand_idle },
	{ "who does not read his replies is not read from", does_not_read },
	{ "at max_connections new clients wait for a place", at_the_limit },
	{ "at max_connections the one idle longest makes room",
	    longest_idle_goes },
	{ "max_connections counts all workers", limit_over_all },
	{ "idle_timeout closes the idle, not those who wait", idle_timeout },
	{ "out of descriptors, those inside go on and others wait",
	    no_descriptors },
	{ "a worker whose turn it is and who does not come is not waited for",
	    first_is_stopped },
	{ "finishing closes the idle and answers the others", finish },
	{ "finishing answers what had been sent before",
	    finish_looks_once_more },
	{ "finishing without clients is over at once", finish_without_clients },
	{ "without a parent there is no service", parent_gone },
	{ "an heir takes over connections with what was read of them", heir },
	{ "an heir takes over more connections than a channel holds",
	    heir_of_many },
	{ "an heir that is followed by another at once loses no connection",
	    heir_of_heir },
	{ "without its heir a worker finishes", heir_dies },
	{ "a worker beats", beats },
};

static void
check(void **state)
{
	const struct row *row = *state;

	stage_open(&stage);
	row->act();
	stage_close(&stage);
}

int
main(void)
{
	TABLE_ADD(rows, check);
	TABLE_ADD(odd_rows, check_odd);
	return table_run("worker");
}
