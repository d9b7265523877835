// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Addresses of forwarders and root servers, as an administrator wrote them.
// Reads and refuses; never resolves a name, never opens a socket.
#include "config.h"

#include "dns/upstream.h"

#include "base/parameter.h"
#include "dns/file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEPARATORS " \t\r\n\v\f"

_Static_assert(UPSTREAM_FORWARDERS_MAX >= PARAMETER_ADDRESSES_MAX,
    "what the grammar of forward permits is taken here");

// True for an address in text; ret_loopback says whether it is this machine.
static bool
is_address(const char *text, bool *ret_loopback)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET, text, &v4) == 1) {
		*ret_loopback = ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
		return true;
	}
	if (inet_pton(AF_INET6, text, &v6) != 1)
		return false;
	*ret_loopback = IN6_IS_ADDR_LOOPBACK(&v6);
	return true;
}

static bool
is_port(const char *text)
{
	size_t len = strspn(text, "0123456789");

	return len > 0 && len <= 5 && text[len] == '\0' && atoi(text) >= 1 &&
	       atoi(text) <= UINT16_MAX;
}

// Adds one ADDRESS[@PORT]; NULL, or what is wrong with it.
static const char *
add(struct upstream *upstream, const char *text, size_t len)
{
	char address[UPSTREAM_ADDRESS_MAX];
	char *port;
	bool loopback;

	if (upstream->n == UPSTREAM_FORWARDERS_MAX)
		return "too many forwarders";
	if (len >= sizeof(address))
		return "not an address";
	memcpy(address, text, len);
	address[len] = '\0';
	port = strchr(address, '@');
	if (port != NULL && !is_port(port + 1))
		return "not a port from 1 to 65535 after the @";
	if (port != NULL)
		*port = '\0';
	if (!is_address(address, &loopback))
		return "not an IPv4 or IPv6 address (names and brackets "
		       "cannot be used; the port follows an @)";
	memcpy(upstream->addresses[upstream->n], text, len);
	upstream->addresses[upstream->n++][len] = '\0';
	upstream->loopback |= loopback;
	return NULL;
}

static int
read_forward(const char *text, struct upstream *ret, char *error)
{
	const char *why;
	size_t len;

	for (text += strspn(text, SEPARATORS); *text != '\0';
	     text += len, text += strspn(text, SEPARATORS)) {
		len = strcspn(text, SEPARATORS);
		why = add(ret, text, len);
		if (why == NULL)
			continue;
		(void)snprintf(error, UPSTREAM_ERROR_MAX, "forward: %.*s: %s",
		    (int)(len < 100 ? len : 100), text, why);
		return -EINVAL;
	}
	return 0;
}

// Each word, up to a comment, that is an address; true if there was one. Cuts
// the text into pieces.
static bool
scan_hints(char *text, bool *ret_loopback)
{
	char *next_line, *next_word, *line, *word;
	bool found = false, loopback;

	for (line = strtok_r(text, "\n", &next_line); line != NULL;
	     line = strtok_r(NULL, "\n", &next_line)) {
		line[strcspn(line, ";")] = '\0';
		for (word = strtok_r(line, SEPARATORS, &next_word);
		     word != NULL;
		     word = strtok_r(NULL, SEPARATORS, &next_word))
			if (is_address(word, &loopback)) {
				found = true;
				*ret_loopback |= loopback;
			}
	}
	return found;
}

static int
read_hints(const char *file, struct upstream *ret, char *error)
{
	size_t len;
	char *scanned;
	bool found;
	int r = file_read(file, &ret->hints, &len);

	if (r < 0) {
		(void)snprintf(error, UPSTREAM_ERROR_MAX,
		    "root_hints_file: %s: %s", file, strerror(-r));
		return r;
	}
	scanned = strdup(ret->hints);
	if (scanned == NULL) {
		(void)snprintf(error, UPSTREAM_ERROR_MAX, "out of memory");
		return -ENOMEM;
	}
	found = scan_hints(scanned, &ret->loopback);
	free(scanned);
	if (found)
		return 0;
	(void)snprintf(error, UPSTREAM_ERROR_MAX,
	    "root_hints_file: %s: holds no address of a root server", file);
	return -EINVAL;
}

int
upstream_read(const char *forward, const char *hints_file, struct upstream *ret,
    char ret_error[UPSTREAM_ERROR_MAX])
{
	struct upstream upstream = { .n = 0 };
	int r = 0;

	if (forward != NULL)
		r = read_forward(forward, &upstream, ret_error);
	if (r == 0 && hints_file != NULL && *hints_file != '\0')
		r = read_hints(hints_file, &upstream, ret_error);
	if (r == 0)
		*ret = upstream;
	else
		upstream_free(&upstream);
	return r;
}

void
upstream_free(struct upstream *upstream)
{
	free(upstream->hints);
	upstream->hints = NULL;
}
