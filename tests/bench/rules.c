// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What a policy file costs: how long so many rules take to be read, how much
// memory they need, and what a next-hop pays to learn its rule, or that there
// is none.
//
//	bench_rules RULES
//
// Seven in ten rules are for domains, and one each for parents, relays with a
// port and exemptions that end. What an answer pays is shown for names that
// are spread over a set too large for the processor's cache, and for one name.
#include "config.h"

#include "base/idn.h"
#include "base/services.h"
#include "policy/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RULE_OCTETS_MAX 96
#define NAMES           (1u << 16)
#define ROUNDS          64
#define TODAY           20000

static const struct nexthop_env env = {
	.label_to_ascii = idn_label_to_ascii,
	.service_port = services_port,
};

static double
now_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int
write_rule(char *at, unsigned i)
{
	switch (i % 10) {
	case 7:
		return snprintf(
		    at, RULE_OCTETS_MAX, ".z%u.example at-least encrypt\n", i);
	case 8:
		return snprintf(at, RULE_OCTETS_MAX,
		    "[mx%u.example]:587 secure match=relay.example\n", i);
	case 9:
		return snprintf(at, RULE_OCTETS_MAX,
		    "e%u.example may until=2027-01-31 # an exemption\n", i);
	default:
		return snprintf(at, RULE_OCTETS_MAX,
		    "d%u.customers.example dane-only # customer %u\n", i, i);
	}
}

static struct rules *
read_rules(unsigned n)
{
	char error[RULES_ERROR_MAX] = "too many rules";
	char *octets = malloc((size_t)n * RULE_OCTETS_MAX + 1);
	struct rules_text text = { "rules", octets, 0 };
	struct rules *rules = NULL;

	for (unsigned i = 0; octets != NULL && i < n; i++)
		text.len += (size_t)write_rule(octets + text.len, i);
	double begun_s = now_s();
	size_t size = rules_memory(&text);
	void *memory = malloc(size);
	if (memory == NULL ||
	    rules_build(&text, &env, memory, &rules, error) != 0) {
		fprintf(stderr, "bench_rules: %s\n", error);
		exit(1);
	}
	printf("rules=%zu text_octets=%zu read_ms=%.0f octets=%zu\n",
	    rules_count(rules), text.len, (now_s() - begun_s) * 1e3,
	    rules_size(rules));
	free(octets);
	return rules;
}

static void
measure(const struct rules *rules, const char *what, const char *head,
    unsigned step, const char *tail)
{
	static struct nexthop nexthops[NAMES];
	struct rules_rule rule;
	char name[64];
	unsigned n_found = 0;

	for (unsigned i = 0; i < NAMES; i++) {
		int len = snprintf(
		    name, sizeof(name), "%s%u%s", head, i * step, tail);
		nexthop_parse(name, (size_t)len, &env, &nexthops[i]);
	}
	double begun_s = now_s();
	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned i = 0; i < NAMES; i++)
			n_found +=
			    rules_find(rules, &nexthops[i], TODAY, &rule);
	printf("find=%s found=%.2f ns=%.1f\n", what,
	    n_found / (double)(ROUNDS * NAMES),
	    (now_s() - begun_s) * 1e9 / (ROUNDS * NAMES));
}

int
main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: bench_rules RULES\n");
		return 64;
	}
	struct rules *rules = read_rules((unsigned)strtoul(argv[1], NULL, 10));
	measure(rules, "without-rule", "n", 1, ".of-some-domain.org");
	measure(rules, "one-without-rule", "n", 0, ".of-some-domain.org");
	measure(rules, "below-many-parents", "mail.n", 1, ".zone.example");
	measure(rules, "with-rule", "d", 10, ".customers.example");
	measure(rules, "one-with-rule", "d", 0, ".customers.example");
	measure(rules, "with-parent", "a.b.z", 10, "7.example");
	free(rules);
	return 0;
}
