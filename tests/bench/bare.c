// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// libunbound bare: the questions of a cold domain (MX; then A, AAAA and TLSA of
// its host at once), as fast as the library takes them, so many domains in
// flight. The limit for danemapd's cold answers.
//
//	bench_bare ANCHOR FORWARDER DEPTH FILE-OF-DOMAINS
//
// The host of DOMAIN is mx.DOMAIN, as tests/bench/zone.sh makes them.
#include "config.h"

#include "histogram.h"

#include <event2/event.h>
#include <unbound-event.h>
#include <unbound.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINE_SIZE     256
#define ROOM_FOR_NAME (LINE_SIZE + 16)

struct domain {
	char name[LINE_SIZE];
	unsigned n_open;
	uint64_t start_ns;
	struct domain *next_ready;
	int phase;
};

static struct ub_ctx *ctx;
static struct event_base *base;
static FILE *domains;
static struct histogram latencies;
static uint64_t n_secure, n_other;
static unsigned n_live;
// Callbacks may come from within ub_resolve_event: the next questions are
// asked from the loop.
static struct domain *ready;
static struct event *ready_event;

static uint64_t
now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void
on_answer(void *arg, int rcode, void *packet, int len, int sec, char *why,
    int limited)
{
	struct domain *domain = arg;
	(void)rcode;
	(void)packet;
	(void)len;
	(void)why;
	(void)limited;
	*(sec == 2 ? &n_secure : &n_other) += 1;
	if (--domain->n_open > 0)
		return;
	domain->next_ready = ready;
	ready = domain;
	event_active(ready_event, 0, 0);
}

static void
ask(struct domain *domain, const char *prefix, int type)
{
	char name[ROOM_FOR_NAME];
	int id;
	snprintf(name, sizeof(name), "%s%s.", prefix, domain->name);
	if (ub_resolve_event(ctx, name, type, 1, domain, on_answer, &id) != 0)
		exit(1);
}

static void
start(struct domain *domain)
{
	if (fgets(domain->name, sizeof(domain->name), domains) == NULL) {
		free(domain);
		n_live--;
		return;
	}
	domain->name[strcspn(domain->name, "\n")] = '\0';
	domain->start_ns = now_ns();
	domain->phase = 0;
	domain->n_open = 1;
	ask(domain, "", 15);
}

static void
go_on(struct domain *domain)
{
	if (domain->phase++ == 0) {
		domain->n_open = 3;
		ask(domain, "mx.", 1);
		ask(domain, "mx.", 28);
		ask(domain, "_25._tcp.mx.", 52);
		return;
	}
	histogram_add(&latencies, now_ns() - domain->start_ns);
	start(domain);
}

static void
on_ready(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	while (ready != NULL) {
		struct domain *domain = ready;
		ready = domain->next_ready;
		go_on(domain);
	}
}

// The settings that danemapd gives its own context.
static void
configure(const char *anchor, const char *forwarder)
{
	static const char *const options[][2] = {
		{ "outgoing-range:", "4096" },
		{ "num-queries-per-thread:", "4096" },
		{ "outgoing-num-tcp:", "50" },
		{ "infra-cache-numhosts:", "100000" },
		{ "msg-cache-size:", "64m" },
		{ "rrset-cache-size:", "128m" },
		{ "key-cache-size:", "32m" },
		{ "neg-cache-size:", "8m" },
		{ "edns-buffer-size:", "1232" },
		{ "aggressive-nsec:", "yes" },
		{ "qname-minimisation:", "no" },
		{ "prefetch-key:", "yes" },
		{ "val-clean-additional:", "no" },
		{ "unwanted-reply-threshold:", "10000000" },
		{ "do-not-query-localhost:", "no" },
	};
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (ub_ctx_set_option(ctx, options[i][0], options[i][1]) != 0)
			exit(1);
	if (ub_ctx_add_ta_file(ctx, anchor) != 0 ||
	    ub_ctx_set_fwd(ctx, forwarder) != 0)
		exit(1);
}

int
main(int argc, char **argv)
{
	if (argc != 5) {
		fprintf(stderr, "usage: bench_bare ANCHOR FORWARDER DEPTH "
				"FILE\n");
		return 64;
	}
	base = event_base_new();
	ctx = ub_ctx_create_event(base);
	domains = fopen(argv[4], "r");
	ready_event = event_new(base, -1, 0, on_ready, NULL);
	if (ctx == NULL || domains == NULL || ready_event == NULL)
		return 1;
	configure(argv[1], argv[2]);
	uint64_t start_ns = now_ns();
	n_live = (unsigned)atoi(argv[3]);
	for (unsigned i = 0, n = n_live; i < n; i++)
		start(calloc(1, sizeof(struct domain)));
	while (n_live > 0)
		event_base_loop(base, EVLOOP_ONCE);
	double seconds = (double)(now_ns() - start_ns) / 1e9;
	printf("depth=%s answers=%llu seconds=%.3f rate=%.0f p50_us=%.1f "
	       "p99_us=%.1f max_us=%.1f temp=0 errors=%llu\n",
	    argv[3], (unsigned long long)latencies.n, seconds,
	    (double)latencies.n / seconds,
	    histogram_quantile_us(&latencies, 0.50),
	    histogram_quantile_us(&latencies, 0.99),
	    (double)latencies.max_ns / 1000.0, (unsigned long long)n_other);
	return 0;
}
