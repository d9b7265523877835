// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The whole process with libunbound in it, and no root that validates: the one
// thing that can be seen of it without a signed tree.
#include "config.h"

#include "table.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "dns/dns.h"
#include "play.h"

static struct play_answer answer; // large

// A name server that never says a word.
static int
open_blackhole(char *ret, size_t size)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	snprintf(ret, size, "127.0.0.1@%u", ntohs(address.sin_port));
	return fd;
}

static void
ask(struct play *play, uint32_t ask_id)
{
	play_ask(play, 0, ASK_QUESTION, "example.org", ask_id, 400);
	play_answer(play, 0, &answer);
	assert_int_equal(answer.ask.id, ask_id);
	assert_int_equal(answer.ask.kind, ASK_REFUSED);
	assert_true(answer.ask.len > 0);
}

static bool
says(const char *text)
{
	return answer.ask.len >= strlen(text) &&
	       memcmp(answer.ask.data, text, strlen(text)) == 0;
}

static void
check(const struct conf *conf)
{
	struct dns_settings settings = {
		.resolver_config = conf->resolver_config,
		.forward = conf->forward,
		.concurrency = conf->query_concurrency,
	};
	char error[DNS_ERROR_MAX];
	struct dns_source *source;
	uint64_t until_ms = clock_boot_ms() + 2 * PLAY_PATIENCE_MS;
	struct play play;
	uint32_t n = 0;

	assert_int_equal(dns_source_read(&settings, &source, error), 0);
	play_open(&play, conf, source);
	do {
		ask(&play, n++);
	} while (says("waited in line for ") && clock_boot_ms() < until_ms);
	assert_true(says("root zone not validated: "));
	assert_int_equal(play.page->anchored, 0);
	assert_int_equal(play.page->n_lookups, 0);
	play_order(&play, ORDER_FINISH);
	assert_int_equal(play_wait(&play), 0);
	play_close(&play);
	dns_source_free(source);
}

static void
with_a_silent_forwarder(void)
{
	struct conf conf = play_conf();
	char forward[64];
	int fd = open_blackhole(forward, sizeof(forward));

	conf.forward = forward;
	check(&conf);
	close(fd);
}

static void
with_an_empty_root(void)
{
	char path[] = "/tmp/danemap-test-XXXXXX";
	static const char fragment[] = "server:\n\tlocal-zone: \".\" static\n";
	struct conf conf = play_conf();
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(
	    write(fd, fragment, sizeof(fragment) - 1), sizeof(fragment) - 1);
	close(fd);
	conf.resolver_config = path;
	check(&conf);
	unlink(path);
}

static const struct row {
	const char *sentence;
	void (*act)(void);
} rows[] = {
	{ "a silent forwarder: questions wait for the first attempt, then none "
	  "does",
	    with_a_silent_forwarder },
	{ "a root that is made up locally is no root", with_an_empty_root },
};

static void
run(void **state)
{
	const struct row *row = *state;

	row->act();
}

int
main(void)
{
	TABLE_ADD(rows, run);
	return table_run("rootless");
}
