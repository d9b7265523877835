// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Facts to octets and back. Promises that what it decodes is something it
// could have encoded, to the last octet, whoever wrote it; knows nothing of
// what facts mean.
//
//	octet 0    1        2         4         6
//	+----+---------+----------+----------+------------+
//	| mx | n_hosts | n_sha256 | n_sha512 | reason_len |  7 octets
//	+----+---------+----------+----------+------------+
//	| preference (2), traits (1)                      |  n_hosts times
//	| sha256 matches (32 each), ascending             |
//	| sha512 matches (64 each), ascending             |
//	| reason                                          |
//	+-------------------------------------------------+
//
// Numbers are little-endian. mx: enum facts_mx, with MORE_HOSTS and PARTIAL.
// traits: enum facts_state in the low four bits, the host's flags above.

#include "config.h"

#include "policy/facts.h"

#include <errno.h>
#include <string.h>

#define HEAD_LEN   7
#define HOST_LEN   3
#define SHA256_LEN 32
#define SHA512_LEN 64

#define MX_MASK    0x03
#define MORE_HOSTS 0x04
#define PARTIAL    0x08
#define HEAD_KNOWN (MX_MASK | MORE_HOSTS | PARTIAL)

#define STATE_MASK  0x0f
#define FLAGS_SHIFT 4
#define FLAGS_KNOWN \
	(FACTS_HAS_ADDRESS | FACTS_KILLS_SMTP | FACTS_SHA256 | FACTS_SHA512)

_Static_assert(FACTS_MX_SECURE <= MX_MASK, "mx has two bits");
_Static_assert(FLAGS_KNOWN << FLAGS_SHIFT <= UINT8_MAX, "traits are an octet");
_Static_assert(FACTS_ENCODED_MAX >= HEAD_LEN + HOST_LEN * FACTS_HOSTS_MAX +
					SHA256_LEN * FACTS_SHA256_MAX +
					SHA512_LEN * FACTS_SHA512_MAX +
					FACTS_REASON_MAX,
    "FACTS_ENCODED_MAX holds all that there can be");

// The part that says how long the rest is.
struct head {
	uint8_t mx, n_hosts, reason_len;
	uint16_t n_sha256, n_sha512;
};

static void
put_16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value & 0xff);
	at[1] = (uint8_t)(value >> 8);
}

static uint16_t
get_16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

static bool
head_fits(const struct head *head)
{
	if ((head->mx & ~HEAD_KNOWN) != 0)
		return false;
	if ((head->mx & PARTIAL) && (head->n_sha256 > 0 || head->n_sha512 > 0))
		return false;
	return head->n_hosts <= FACTS_HOSTS_MAX &&
	       head->reason_len <= FACTS_REASON_MAX &&
	       head->n_sha256 <= FACTS_SHA256_MAX &&
	       head->n_sha512 <= FACTS_SHA512_MAX;
}

static size_t
total_len(const struct head *head)
{
	return HEAD_LEN + HOST_LEN * (size_t)head->n_hosts +
	       SHA256_LEN * (size_t)head->n_sha256 +
	       SHA512_LEN * (size_t)head->n_sha512 + head->reason_len;
}

// memcpy that moves on, and may be given nothing from nowhere.
static uint8_t *
append(uint8_t *at, const void *data, size_t len)
{
	if (len > 0)
		memcpy(at, data, len);
	return at + len;
}

static uint8_t *
append_host(uint8_t *at, const struct facts_host *host)
{
	put_16(at, host->preference);
	at[2] = (uint8_t)(host->state | host->flags << FLAGS_SHIFT);
	return at + HOST_LEN;
}

static bool
hosts_fit(const struct facts *facts)
{
	uint16_t best = 0;
	for (unsigned i = 0; i < facts->n_hosts; i++) {
		const struct facts_host *host = &facts->hosts[i];
		if (host->preference < best || host->state > FACTS_NODANE ||
		    (host->flags & ~FLAGS_KNOWN) != 0)
			return false;
		best = host->preference;
	}
	return true;
}

// Ascending, so that each is there once.
static bool
matches_fit(const uint8_t *at, unsigned n, size_t len)
{
	for (unsigned i = 1; i < n; i++, at += len)
		if (memcmp(at, at + len, len) >= 0)
			return false;
	return true;
}

size_t
facts_encode(const struct facts *facts, uint8_t *ret, size_t size)
{
	struct head head = {
		.mx =
		    (uint8_t)(facts->mx | (facts->more_hosts ? MORE_HOSTS : 0) |
			      (facts->partial ? PARTIAL : 0)),
		.n_hosts = facts->n_hosts,
		.n_sha256 = facts->partial ? 0 : facts->n_sha256,
		.n_sha512 = facts->partial ? 0 : facts->n_sha512,
		.reason_len = facts->reason_len,
	};
	if (facts->mx > FACTS_MX_SECURE || !head_fits(&head) ||
	    total_len(&head) > size || !hosts_fit(facts) ||
	    !matches_fit(facts->sha256, head.n_sha256, SHA256_LEN) ||
	    !matches_fit(facts->sha512, head.n_sha512, SHA512_LEN))
		return 0;

	ret[0] = head.mx;
	ret[1] = head.n_hosts;
	put_16(ret + 2, head.n_sha256);
	put_16(ret + 4, head.n_sha512);
	ret[6] = head.reason_len;
	uint8_t *at = ret + HEAD_LEN;
	for (unsigned i = 0; i < head.n_hosts; i++)
		at = append_host(at, &facts->hosts[i]);
	at = append(at, facts->sha256, SHA256_LEN * (size_t)head.n_sha256);
	at = append(at, facts->sha512, SHA512_LEN * (size_t)head.n_sha512);
	at = append(at, facts->reason, head.reason_len);
	return (size_t)(at - ret);
}

// hosts_fit, for hosts that are still octets.
static bool
encoded_hosts_fit(const uint8_t *at, unsigned n)
{
	uint16_t best = 0;
	for (unsigned i = 0; i < n; i++, at += HOST_LEN) {
		uint16_t preference = get_16(at);
		if (preference < best || (at[2] & STATE_MASK) > FACTS_NODANE)
			return false;
		best = preference;
	}
	return true;
}

static void
read_hosts(const uint8_t *at, unsigned n, struct facts_host *ret)
{
	for (unsigned i = 0; i < n; i++, at += HOST_LEN)
		ret[i] = (struct facts_host){
			.preference = get_16(at),
			.state = at[2] & STATE_MASK,
			.flags = at[2] >> FLAGS_SHIFT,
		};
}

// Host by host into ret: an initializer would clear all 64 of them, on the way
// of every cached answer.
int
facts_decode(const uint8_t *bytes, size_t len, struct facts *ret)
{
	if (len < HEAD_LEN)
		return -EINVAL;
	struct head head = {
		.mx = bytes[0],
		.n_hosts = bytes[1],
		.n_sha256 = get_16(bytes + 2),
		.n_sha512 = get_16(bytes + 4),
		.reason_len = bytes[6],
	};
	if (!head_fits(&head) || total_len(&head) != len)
		return -EINVAL;

	const uint8_t *hosts = bytes + HEAD_LEN;
	const uint8_t *sha256 = hosts + HOST_LEN * (size_t)head.n_hosts;
	const uint8_t *sha512 = sha256 + SHA256_LEN * (size_t)head.n_sha256;
	if (!encoded_hosts_fit(hosts, head.n_hosts) ||
	    !matches_fit(sha256, head.n_sha256, SHA256_LEN) ||
	    !matches_fit(sha512, head.n_sha512, SHA512_LEN))
		return -EINVAL;

	ret->mx = head.mx & MX_MASK;
	ret->more_hosts = head.mx & MORE_HOSTS;
	ret->partial = head.mx & PARTIAL;
	ret->n_hosts = head.n_hosts;
	read_hosts(hosts, head.n_hosts, ret->hosts);
	ret->n_sha256 = head.n_sha256;
	ret->n_sha512 = head.n_sha512;
	ret->sha256 = sha256;
	ret->sha512 = sha512;
	ret->reason_len = head.reason_len;
	ret->reason = (const char *)sha512 + SHA512_LEN * (size_t)head.n_sha512;
	return 0;
}
