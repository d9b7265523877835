// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A next-hop taken apart. Promises that a name in the result is one DNS can be
// asked for, in one spelling only; knows neither IDNA nor service names, which
// the caller answers, and never asks for anything else.

#include "config.h"

#include "policy/nexthop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#define LABEL_MAX 63
#define ID_HEAD   3

static const char IPV6_PREFIX[] = "IPv6:";
#define IPV6_PREFIX_LEN (sizeof(IPV6_PREFIX) - 1)
static const char UNIX_PREFIX[] = "unix:"; // of LMTP's next-hops
#define UNIX_PREFIX_LEN (sizeof(UNIX_PREFIX) - 1)

struct text {
	const char *at;
	size_t len;
};

enum spelling { MALFORMED = 0, UNCONVERTIBLE, WELL_FORMED };

// Octets as names are kept: NUL for what no name may hold, as all that are not
// ASCII. A table, because every request of Postfix goes through here, octet by
// octet.
static const char folded[UINT8_MAX + 1] = "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
					  "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
					  "\0\0\0\0\0\0\0\0\0\0\0\0\0-\0\0"
					  "0123456789\0\0\0\0\0\0"
					  "\0abcdefghijklmno"
					  "pqrstuvwxyz\0\0\0\0_"
					  "\0abcdefghijklmno"
					  "pqrstuvwxyz\0\0\0\0\0";

static bool
is_digit(char octet)
{
	return octet >= '0' && octet <= '9';
}

static bool
is_high(char octet)
{
	return (unsigned char)octet > 127;
}

static char
fold(char octet)
{
	return folded[(unsigned char)octet];
}

// Whether IDNA might convert a label: an octet that is out of place stays so
// beside one that is high.
static bool
is_u_label(struct text label)
{
	bool any_high = false;
	for (size_t i = 0; i < label.len; i++) {
		if (is_high(label.at[i]))
			any_high = true;
		else if (fold(label.at[i]) == '\0')
			return false;
	}
	return any_high;
}

static enum spelling
add_plain_label(struct text label, struct nexthop *ret)
{
	if (label.len == 0 || label.len > LABEL_MAX ||
	    label.len > NEXTHOP_NAME_MAX - (size_t)ret->name_len)
		return MALFORMED;
	char *at = ret->name + ret->name_len;
	for (size_t i = 0; i < label.len; i++) {
		at[i] = fold(label.at[i]);
		if (at[i] == '\0')
			return MALFORMED;
	}
	ret->name_len = (uint8_t)(ret->name_len + label.len);
	return WELL_FORMED;
}

static bool
is_plain_label(struct text label)
{
	for (size_t i = 0; i < label.len; i++)
		if (fold(label.at[i]) == '\0')
			return false;
	return label.len > 0 && label.len <= LABEL_MAX;
}

static enum spelling
add_u_label(
    struct text label, const struct nexthop_env *env, struct nexthop *ret)
{
	char ascii[LABEL_MAX + 1];
	if (env->label_to_ascii(label.at, label.len, ascii) != 0)
		return UNCONVERTIBLE;
	struct text a_label = { ascii, strnlen(ascii, sizeof(ascii)) };
	// A library that maps U+3002 to a dot must not make two labels of one.
	if (!is_plain_label(a_label))
		return UNCONVERTIBLE;
	return add_plain_label(a_label, ret);
}

static enum spelling
add_label(struct text label, const struct nexthop_env *env, struct nexthop *ret)
{
	enum spelling spelling = add_plain_label(label, ret);
	if (spelling == WELL_FORMED || !is_u_label(label))
		return spelling;
	return add_u_label(label, env, ret);
}

static bool
add_dot(struct nexthop *ret)
{
	if (ret->name_len == NEXTHOP_NAME_MAX)
		return false;
	ret->name[ret->name_len++] = '.';
	return true;
}

// Appends all labels. A label that cannot be converted counts only if the rest
// is well-formed, so every label is looked at.
static enum spelling
add_name(struct text name, const struct nexthop_env *env, struct nexthop *ret)
{
	enum spelling worst = WELL_FORMED;
	while (true) {
		const char *dot = memchr(name.at, '.', name.len);
		size_t len = dot == NULL ? name.len : (size_t)(dot - name.at);
		enum spelling one =
		    add_label((struct text){ name.at, len }, env, ret);
		if (one == MALFORMED)
			return MALFORMED;
		if (one < worst)
			worst = one;
		if (dot == NULL)
			return worst;
		if (!add_dot(ret))
			return MALFORMED;
		name = (struct text){ dot + 1, name.len - len - 1 };
	}
}

static struct text
without_trailing_dot(struct text name)
{
	if (name.len > 0 && name.at[name.len - 1] == '.')
		name.len--;
	return name;
}

// Cheap enough for every key; only then is inet_pton worth a call.
static bool
may_be_address(struct text host)
{
	return host.len > 0 && host.len < IPV6_PREFIX_LEN + INET6_ADDRSTRLEN &&
	       (is_digit(host.at[host.len - 1]) ||
		   memchr(host.at, ':', host.len) != NULL);
}

// An address goes into ret->name as inet_ntop spells it, so that one address
// has one name.
static bool
add_address(struct text host, struct nexthop *ret)
{
	if (!may_be_address(host))
		return false;
	bool prefixed = host.len > IPV6_PREFIX_LEN &&
			strncasecmp(host.at, IPV6_PREFIX, IPV6_PREFIX_LEN) == 0;
	if (prefixed)
		host = (struct text){ host.at + IPV6_PREFIX_LEN,
			host.len - IPV6_PREFIX_LEN };

	char text[INET6_ADDRSTRLEN];
	if (host.len >= sizeof(text) || memchr(host.at, '\0', host.len) != NULL)
		return false;
	memcpy(text, host.at, host.len);
	text[host.len] = '\0';

	struct in6_addr address; // holds an IPv4 address as well
	int family = AF_INET6;
	if (inet_pton(AF_INET6, text, &address) != 1) {
		if (prefixed || inet_pton(AF_INET, text, &address) != 1)
			return false;
		family = AF_INET;
	}
	if (inet_ntop(family, &address, ret->name, sizeof(ret->name)) == NULL)
		return false;
	ret->name_len = (uint8_t)strlen(ret->name);
	return true;
}

// A name or an address; named is the kind that a name makes.
static enum nexthop_kind
parse_host(struct text host, enum nexthop_kind named,
    const struct nexthop_env *env, struct nexthop *ret)
{
	host = without_trailing_dot(host);
	if (add_address(host, ret))
		return NEXTHOP_ADDRESS;
	switch (add_name(host, env, ret)) {
	case WELL_FORMED:
		// IDNA makes digits of what were none.
		if (add_address((struct text){ ret->name, ret->name_len }, ret))
			return NEXTHOP_ADDRESS;
		return named;
	case UNCONVERTIBLE:
		return NEXTHOP_UNCONVERTIBLE;
	case MALFORMED:
		break;
	}
	return NEXTHOP_UNPARSABLE;
}

static bool
parse_port(struct text port, const struct nexthop_env *env, uint16_t *ret)
{
	if (port.len == 0)
		return false;
	unsigned value = 0;
	for (size_t i = 0; i < port.len; i++) {
		if (!is_digit(port.at[i]))
			return env->service_port(port.at, port.len, ret) == 0 &&
			       *ret != 0;
		value = value * 10 + (unsigned)(port.at[i] - '0');
		if (value > UINT16_MAX)
			return false;
	}
	*ret = (uint16_t)value;
	return value != 0;
}

// ".example.org": the name is kept with its leading dot.
static enum nexthop_kind
parse_parent(
    struct text key, const struct nexthop_env *env, struct nexthop *ret)
{
	struct text name = { key.at + 1, key.len - 1 };
	add_dot(ret);
	switch (add_name(without_trailing_dot(name), env, ret)) {
	case WELL_FORMED:
		return NEXTHOP_PARENT;
	case UNCONVERTIBLE:
		return NEXTHOP_UNCONVERTIBLE;
	case MALFORMED:
		break;
	}
	return NEXTHOP_UNPARSABLE;
}

// "[host]" or "[host]:port".
static enum nexthop_kind
parse_bracketed(
    struct text key, const struct nexthop_env *env, struct nexthop *ret)
{
	ret->bare = false;
	const char *end = memchr(key.at, ']', key.len);
	if (end == NULL)
		return NEXTHOP_UNPARSABLE;
	struct text host = { key.at + 1, (size_t)(end - key.at) - 1 };
	struct text rest = { end + 1, key.len - host.len - 2 };
	if (rest.len > 0) {
		struct text port = { rest.at + 1, rest.len - 1 };
		if (*rest.at != ':' || !parse_port(port, env, &ret->port))
			return NEXTHOP_UNPARSABLE;
	}
	return parse_host(host, NEXTHOP_HOST, env, ret);
}

// "host" or "host:port". An address goes first: its colons are its own.
static enum nexthop_kind
parse_plain(struct text key, const struct nexthop_env *env, struct nexthop *ret)
{
	const char *colon = memrchr(key.at, ':', key.len);
	if (colon == NULL)
		return parse_host(key, NEXTHOP_DOMAIN, env, ret);
	if (add_address(key, ret))
		return NEXTHOP_ADDRESS;

	ret->bare = false;
	if (key.len >= UNIX_PREFIX_LEN &&
	    strncasecmp(key.at, UNIX_PREFIX, UNIX_PREFIX_LEN) == 0)
		return NEXTHOP_UNPARSABLE;
	struct text host = { key.at, (size_t)(colon - key.at) };
	struct text port = { colon + 1, key.len - host.len - 1 };
	if (!parse_port(port, env, &ret->port))
		return NEXTHOP_UNPARSABLE;
	return parse_host(host, NEXTHOP_DOMAIN, env, ret);
}

static enum nexthop_kind
parse_key(struct text key, const struct nexthop_env *env, struct nexthop *ret)
{
	if (key.len == 0)
		return NEXTHOP_UNPARSABLE;
	if (*key.at == '.')
		return parse_parent(key, env, ret);
	if (*key.at == '[')
		return parse_bracketed(key, env, ret);
	return parse_plain(key, env, ret);
}

void
nexthop_parse(const char *key, size_t len, const struct nexthop_env *env,
    struct nexthop *ret)
{
	ret->bare = true;
	ret->port = NEXTHOP_DEFAULT_PORT;
	ret->name_len = 0;
	ret->kind = parse_key((struct text){ key, len }, env, ret);
	if (ret->kind == NEXTHOP_UNPARSABLE ||
	    ret->kind == NEXTHOP_UNCONVERTIBLE)
		ret->name_len = 0;
	ret->name[ret->name_len] = '\0';
}

size_t
nexthop_id(const struct nexthop *nexthop, uint8_t ret[NEXTHOP_ID_MAX])
{
	ret[0] = (uint8_t)nexthop->kind;
	ret[1] = (uint8_t)(nexthop->port & 0xff);
	ret[2] = (uint8_t)(nexthop->port >> 8);
	memcpy(ret + ID_HEAD, nexthop->name, nexthop->name_len);
	return ID_HEAD + (size_t)nexthop->name_len;
}

static int
refuse_label(const char *label, size_t len, char ret[64])
{
	(void)label, (void)len, (void)ret;
	return -EINVAL;
}

int
nexthop_from_id(const uint8_t *id, size_t len, struct nexthop *ret)
{
	static const struct nexthop_env plain = {
		.label_to_ascii = refuse_label,
	};
	if (len <= ID_HEAD || len > NEXTHOP_ID_MAX)
		return -EINVAL;
	enum nexthop_kind kind = id[0];
	if (kind != NEXTHOP_DOMAIN && kind != NEXTHOP_HOST)
		return -EINVAL;

	struct nexthop found = {
		.kind = kind,
		.port = (uint16_t)(id[1] | id[2] << 8),
	};
	struct text name = { (const char *)id + ID_HEAD, len - ID_HEAD };
	if (found.port == 0 || parse_host(name, kind, &plain, &found) != kind)
		return -EINVAL;
	// Folded already, or it is no identity.
	if (found.name_len != name.len ||
	    memcmp(found.name, name.at, name.len) != 0)
		return -EINVAL;
	*ret = found;
	return 0;
}

static bool
is_hostname_label(struct text label)
{
	return is_plain_label(label) && label.at[0] != '-' &&
	       label.at[label.len - 1] != '-';
}

bool
nexthop_valid_hostname(const char *name)
{
	struct text rest = { name, strnlen(name, NEXTHOP_NAME_MAX + 1) };
	if (rest.len > NEXTHOP_NAME_MAX ||
	    strspn(name, "0123456789.") == rest.len)
		return false;
	while (true) {
		const char *dot = memchr(rest.at, '.', rest.len);
		size_t len = dot == NULL ? rest.len : (size_t)(dot - rest.at);
		if (!is_hostname_label((struct text){ rest.at, len }))
			return false;
		if (dot == NULL)
			return true;
		rest = (struct text){ dot + 1, rest.len - len - 1 };
	}
}
