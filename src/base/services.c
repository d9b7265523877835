// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The services file as a sorted table of lower-case names. As with
// getservbyname, the first entry of a name counts; the built-in names fill in
// for a file that is missing or sparse.
#include "config.h"

#include "base/services.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <string.h>

// RFC 6335 section 5.1 allows 15 octets; longer names stem from older files.
#define NAME_MAX_LEN 31

struct service {
	char name[NAME_MAX_LEN + 1];
	uint16_t port;
};

static struct service services[SERVICES_MAX];
static size_t n_services;

static const struct service built_in[] = {
	{ "smtp", 25 },
	{ "submission", 587 },
	{ "submissions", 465 },
	{ "smtps", 465 },
	{ "lmtp", 24 },
};

static bool
fold(const char *name, size_t len, char ret[NAME_MAX_LEN + 1])
{
	if (len == 0 || len > NAME_MAX_LEN)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (name[i] == '\0')
			return false;
		ret[i] = (char)tolower((unsigned char)name[i]);
	}
	ret[len] = '\0';
	return true;
}

// Where name is, or where it belongs.
static size_t
find(const char *name)
{
	size_t low = 0, high = n_services;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(services[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
is_at(size_t i, const char *name)
{
	return i < n_services && strcmp(services[i].name, name) == 0;
}

static void
add(const char *name, uint16_t port)
{
	struct service service = { .port = port };
	size_t i;

	if (n_services == SERVICES_MAX ||
	    !fold(name, strlen(name), service.name))
		return;
	i = find(service.name);
	if (is_at(i, service.name))
		return;
	memmove(&services[i + 1], &services[i],
	    (n_services - i) * sizeof(services[0]));
	services[i] = service;
	n_services++;
}

void
services_read(void)
{
	const struct servent *entry;

	n_services = 0;
	setservent(1);
	while (n_services < SERVICES_MAX && (entry = getservent()) != NULL) {
		uint16_t port = ntohs((uint16_t)entry->s_port);

		if (strcmp(entry->s_proto, "tcp") != 0 || port == 0)
			continue;
		add(entry->s_name, port);
		for (char **alias = entry->s_aliases; *alias; alias++)
			add(*alias, port);
	}
	endservent();
}

int
services_port(const char *name, size_t len, uint16_t *ret_port)
{
	char folded[NAME_MAX_LEN + 1];
	size_t i;

	if (!fold(name, len, folded))
		return -ENOENT;
	i = find(folded);
	if (is_at(i, folded)) {
		*ret_port = services[i].port;
		return 0;
	}
	for (i = 0; i < sizeof(built_in) / sizeof(built_in[0]); i++) {
		if (strcmp(built_in[i].name, folded) != 0)
			continue;
		*ret_port = built_in[i].port;
		return 0;
	}
	return -ENOENT;
}
