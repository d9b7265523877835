// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Gathers trust anchors, servers and the administrator's fragment, each read
// by the file that knows it, so that a context is made of things that have
// been looked at.
#include "config.h"

#include "dns/source.h"

#include "dns/file.h"
#include "dns/fragment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

// Sockets: one for each query under way to a server. A domain has a handful at
// a time, and one context this many at most.
#define RANGE_PER_DOMAIN 4
#define RANGE_MIN        64u
#define RANGE_MAX        4096u
#define OTHER_FDS        256 // that the process needs besides, TCP included

bool
source_is_set(const char *text)
{
	return text != NULL && *text != '\0';
}

void
dns_source_free(struct dns_source *source)
{
	if (source == NULL)
		return;
	anchors_free(&source->anchors);
	upstream_free(&source->upstream);
	for (char **file = source->files; *file != NULL; file++)
		free(*file);
	free(source->fragment);
	free(source);
}

// With the places where OpenSSL keeps certificates, which tls-system-cert means
// without a name.
static void
list_files(struct dns_source *source)
{
	static const char *const certificates[] = { "/etc/ssl", "/etc/pki",
		"/usr/share/ca-certificates",
		"/usr/local/share/ca-certificates" };
	unsigned n = fragment_paths(source->fragment, source->files,
	    SOURCE_FILES_MAX - sizeof(certificates) / sizeof(certificates[0]));

	if (strstr(source->fragment, "tls-system-cert") == NULL)
		return;
	for (size_t i = 0; i < sizeof(certificates) / sizeof(certificates[0]);
	     i++)
		if ((source->files[n] = strdup(certificates[i])) != NULL)
			n++;
}

static int
read_fragment(struct dns_source *source, char error[DNS_ERROR_MAX])
{
	const char *file = source->settings->resolver_config;
	size_t len;
	int r;

	if (!source_is_set(file))
		return 0;
	r = file_read(file, &source->fragment, &len);
	if (r == 0) {
		list_files(source);
		return fragment_check(
		    file, source->fragment, &source->wants_tls, error);
	}
	(void)snprintf(error, DNS_ERROR_MAX, "resolver_config: %s: %s", file,
	    strerror(-r));
	return r;
}

_Static_assert(DNS_ERROR_MAX == ANCHORS_ERROR_MAX &&
		   DNS_ERROR_MAX == FRAGMENT_ERROR_MAX &&
		   DNS_ERROR_MAX == UPSTREAM_ERROR_MAX,
    "one error buffer for all");

static int
read_all(struct dns_source *source, char error[DNS_ERROR_MAX])
{
	const struct dns_settings *settings = source->settings;
	int r =
	    anchors_read(settings->trust_anchor_file, &source->anchors, error);

	if (r == 0)
		r = upstream_read(settings->forward, settings->root_hints_file,
		    &source->upstream, error);
	if (r == 0)
		r = read_fragment(source, error);
	return r;
}

int
dns_source_read(const struct dns_settings *settings, struct dns_source **ret,
    char ret_error[DNS_ERROR_MAX])
{
	struct dns_source *source = calloc(1, sizeof(*source));

	if (source == NULL) {
		(void)snprintf(ret_error, DNS_ERROR_MAX, "out of memory");
		return -ENOMEM;
	}
	source->settings = settings;
	int r = read_all(source, ret_error);
	if (r < 0)
		dns_source_free(source);
	else
		*ret = source;
	return r;
}

const char *const *
dns_source_files(const struct dns_source *source)
{
	return (const char *const *)source->files;
}

int
dns_source_octets(
    const struct dns_source *source, uint8_t **ret, size_t *ret_len)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (out != NULL) {
		for (unsigned i = 0; i < source->anchors.n; i++)
			(void)fprintf(out, "%s\n", source->anchors.lines[i]);
		if (source->fragment != NULL)
			(void)fprintf(out, "\n%s", source->fragment);
	}
	if (out == NULL || fclose(out) != 0) {
		free(text);
		return -ENOMEM;
	}
	*ret = (uint8_t *)text;
	*ret_len = len;
	return 0;
}

unsigned
source_outgoing_range(unsigned concurrency)
{
	unsigned range = RANGE_MAX;
	struct rlimit limit;

	if (concurrency < RANGE_MAX / RANGE_PER_DOMAIN)
		range = concurrency * RANGE_PER_DOMAIN;
	if (range < RANGE_MIN)
		range = RANGE_MIN;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	    limit.rlim_cur != RLIM_INFINITY &&
	    limit.rlim_cur < range + OTHER_FDS)
		range = limit.rlim_cur > OTHER_FDS + RANGE_MIN
			    ? (unsigned)limit.rlim_cur - OTHER_FDS
			    : RANGE_MIN;
	return range;
}
