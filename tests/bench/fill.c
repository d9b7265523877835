// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Fills a cache file with so many domains, as a resolver would have, and says
// what they take. The daemon that is then started on the same configuration
// finds a warm cache.
//
//	bench_fill CONFIG-FILE DOMAINS
//
// Domain I has the name that bench_fill_name gives: between 41 and 64 octets.
#include "config.h"

#include "base/clock.h"
#include "base/conf.h"
#include "cache/cache.h"
#include "parent/check.h"
#include "policy/entry.h"
#include "policy/nexthop.h"
#include "resolver/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
die(const char *what)
{
	fprintf(stderr, "bench_fill: %s\n", what);
	exit(1);
}

static void
name_domain(unsigned i, struct nexthop *ret)
{
	static const char tail[] = "-and-some-letters-more";
	memset(ret, 0, sizeof(*ret));
	ret->kind = NEXTHOP_DOMAIN;
	ret->bare = true;
	ret->port = NEXTHOP_DEFAULT_PORT;
	int n = snprintf(ret->name, sizeof(ret->name),
	    "domain-%08u-of-a-usual-length%.*s.example", i,
	    (int)(i % sizeof(tail)), tail);
	ret->name_len = (uint8_t)n;
}

// Two hosts that share one key, as is common.
static size_t
make_entry(unsigned i, uint64_t now_ms, uint8_t *ret, size_t size)
{
	uint8_t digest[32] = { 0 };
	struct entry entry = {
		.has_answer = true,
		.made_ms = now_ms,
		.ends_ms = now_ms + 86400000,
		.facts = {
			.mx = FACTS_MX_SECURE,
			.n_hosts = 2,
			.n_sha256 = 1,
			.sha256 = digest,
		},
	};
	memcpy(digest, &i, sizeof(i));
	for (unsigned h = 0; h < 2; h++)
		entry.facts.hosts[h] = (struct facts_host){
			.preference = (uint16_t)(10 * (h + 1)),
			.state = FACTS_DANE,
			.flags = FACTS_HAS_ADDRESS | FACTS_SHA256,
		};
	return entry_encode(&entry, ret, size);
}

static void
put(struct cache *cache, unsigned i, uint64_t now_ms)
{
	uint8_t id[NEXTHOP_ID_MAX], bytes[CACHE_VALUE_MAX];
	struct nexthop nexthop;
	name_domain(i, &nexthop);
	size_t id_len = nexthop_id(&nexthop, id);
	struct cache_value value = {
		.ends_ms = now_ms + 86400000,
		.worthless_ms = now_ms + 2 * 86400000,
		.strict = true,
		.data = bytes,
		.len = make_entry(i, now_ms, bytes, sizeof(bytes)),
	};
	if (value.len == 0 || cache_put(cache, id, id_len, &value, now_ms) != 0)
		die("an entry cannot be kept");
}

// As danemapd makes it, which would else find the cache of another.
static void
make_context(const struct conf *conf, uint8_t ret[CACHE_CONTEXT_LEN])
{
	char error[DNS_ERROR_MAX];
	struct dns_settings settings = check_dns_settings(conf);
	struct dns_source *source;
	if (dns_source_read(&settings, &source, error) != 0)
		die(error);
	if (trust_digest(source, ret) != 0)
		die("out of memory");
	dns_source_free(source);
}

static struct cache *
open_cache(const char *config_file)
{
	char error[CONF_ERROR_MAX], why[CACHE_ERROR_MAX];
	struct conf *conf;
	struct cache *cache;
	enum cache_opened opened;
	if (conf_read(config_file, NULL, 0, &conf, error) != 0)
		die(error);
	struct cache_settings settings = {
		.path = conf->cache_file,
		.size = conf->cache_size,
		.owner = getuid(),
		.group = getgid(),
	};
	make_context(conf, settings.context);
	if (cache_open(&settings, &cache, &opened, why, error) != 0)
		die(error);
	for (unsigned part = 0; part < CACHE_PARTS; part++)
		cache_own(cache, part);
	conf_free(conf);
	return cache;
}

int
main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: bench_fill CONFIG-FILE DOMAINS\n");
		return 64;
	}
	unsigned n = (unsigned)strtoul(argv[2], NULL, 10);
	struct cache *cache = open_cache(argv[1]);
	struct cache_usage usage;
	uint64_t now_ms = clock_boot_ms();
	for (unsigned i = 0; i < n; i++)
		put(cache, i, now_ms);
	cache_usage(cache, &usage);
	printf("domains=%u kept=%llu octets_used=%llu octets_an_entry=%.0f "
	       "size=%llu\n",
	    n, (unsigned long long)usage.n_entries,
	    (unsigned long long)usage.n_octets,
	    (double)usage.n_octets / (double)usage.n_entries,
	    (unsigned long long)usage.size);
	struct nexthop first;
	name_domain(0, &first);
	printf("first=%s\n", first.name);
	cache_close(cache);
	return 0;
}
