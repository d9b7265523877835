// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What Postfix may send as a label outside ASCII: any octets. What is taken
// must be one label that DNS can be asked for; what begins with xn-- must be
// Punycode (RFC 3492) of something; and a label that was converted, or a name
// made of such, stays as it is when it is converted again.
//
// Under test: src/base/idn.c
#include "config.h"

#include "input.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/idn.h"
#include "policy/nexthop.h"

// RFC 3492 section 5
enum { BASE = 36, T_MIN = 1, T_MAX = 26, SKEW = 38, DAMP = 700 };

enum { INITIAL_BIAS = 72, INITIAL_N = 128 };

static uint32_t
adapt(uint32_t delta, uint32_t n_points, bool is_first)
{
	uint32_t k = 0;

	delta = is_first ? delta / DAMP : delta / 2;
	delta += delta / n_points;
	for (; delta > ((BASE - T_MIN) * T_MAX) / 2; k += BASE)
		delta /= BASE - T_MIN;
	return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

static int
digit_of(char c)
{
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	return c >= '0' && c <= '9' ? c - '0' + 26 : -1;
}

// One variable-length integer; NULL if the text ends within it or it is none.
static const char *
read_delta(const char *at, uint32_t bias, uint64_t *ret)
{
	uint64_t weight = 1, delta = 0;

	for (uint32_t k = BASE;; k += BASE) {
		int digit = digit_of(*at);
		uint32_t t = k <= bias           ? T_MIN
			     : k >= bias + T_MAX ? T_MAX
						 : k - bias;
		if (digit < 0)
			return NULL;
		at++;
		delta += (uint64_t)digit * weight;
		if (delta > UINT32_MAX)
			return NULL;
		*ret = delta;
		if ((uint32_t)digit < t)
			return at;
		weight *= BASE - t;
	}
}

// Whether text, what follows "xn--", stands for at least one code point beyond
// ASCII, and for none that there is not.
static bool
is_punycode(const char *text)
{
	const char *dash = strrchr(text, '-');
	const char *at = dash == NULL ? text : dash + 1;
	uint32_t n_points = dash == NULL ? 0 : (uint32_t)(dash - text);
	uint64_t n = INITIAL_N, i = 0, delta = 0;
	uint32_t bias = INITIAL_BIAS;
	bool is_first = true;

	while (*at != '\0') {
		at = read_delta(at, bias, &delta);
		if (at == NULL)
			return false;
		n_points++;
		bias = adapt((uint32_t)delta, n_points, is_first);
		i += delta;
		n += i / n_points;
		i = i % n_points + 1;
		if (n > 0x10ffff || (n >= 0xd800 && n <= 0xdfff))
			return false;
		is_first = false;
	}
	return !is_first;
}

static void
check_label(const char label[64])
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t len = strnlen(label, 64);

	REQUIRE(len >= 1 && len <= 63);
	REQUIRE(strspn(label, allowed) == len);
	if (strncmp(label, "xn--", 4) == 0)
		REQUIRE(is_punycode(label + 4));
}

static void
check_again(const char label[64])
{
	char again[64];

	REQUIRE(idn_label_to_ascii(label, strlen(label), again) == 0);
	REQUIRE(strcmp(label, again) == 0);
}

static int
no_service(const char *name, size_t len, uint16_t *ret_port)
{
	(void)name, (void)len, (void)ret_port;
	return -ENOENT;
}

static void
check_name(const char *text, size_t len)
{
	static const struct nexthop_env env = { idn_label_to_ascii,
		no_service };
	struct nexthop nexthop, again;

	nexthop_parse(text, len, &env, &nexthop);
	if (nexthop.kind != NEXTHOP_DOMAIN || nexthop.port != 25)
		return;
	REQUIRE(strlen(nexthop.name) == nexthop.name_len);
	nexthop_parse(nexthop.name, nexthop.name_len, &env, &again);
	REQUIRE(again.kind == NEXTHOP_DOMAIN);
	REQUIRE(strcmp(nexthop.name, again.name) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	char label[64];

	memset(label, '~', sizeof(label));
	int r = idn_label_to_ascii(text, size, label);
	if (r == 0) {
		check_label(label);
		check_again(label);
	} else {
		REQUIRE(r == -EINVAL);
		REQUIRE(label[0] == '~' && label[63] == '~');
	}
	check_name(text, size);
	return 0;
}
