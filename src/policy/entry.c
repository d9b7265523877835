// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// One cached next-hop: its octets, and whether they may still be used. Promises
// that hostile octets are refused and that a lookup that failed never lets a
// weak answer go on; knows no clock but the time it is given.
//
//	+------+-----------+-----------+
//	| what | made (8)  | ends (8)  |                        answer
//	+------+-----------+-----------+--------------------+
//	       | since (8) | until (8) | len (1), reason    |   deferral
//	       +-----------+-----------+--------------------+
//	       | facts, to the last octet                   |   answer
//	       +--------------------------------------------+
//
// Each part is there if its bit of `what` is set. Times are CLOCK_BOOTTIME in
// milliseconds, little-endian.

#include "config.h"

#include "policy/entry.h"

#include "policy/decide.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#define ANSWER     0x01
#define REFRESHING 0x02
#define DEFERRAL   0x04
#define WHAT_KNOWN (ANSWER | REFRESHING | DEFERRAL)

#define SPAN_LEN 16
#define HEAD_MAX (1 + SPAN_LEN + SPAN_LEN + 1)

_Static_assert(
    ENTRY_ENCODED_MAX >= HEAD_MAX + FACTS_ENCODED_MAX + FACTS_REASON_MAX,
    "ENTRY_ENCODED_MAX holds all that there can be");

// Two times, the earlier first.
struct span {
	uint64_t from_ms, to_ms;
};

static void
put_64(uint8_t *at, uint64_t value)
{
	uint64_t little = htole64(value);
	memcpy(at, &little, sizeof(little));
}

static uint64_t
get_64(const uint8_t *at)
{
	uint64_t little;
	memcpy(&little, at, sizeof(little));
	return le64toh(little);
}

static uint8_t *
append_span(uint8_t *at, struct span span)
{
	put_64(at, span.from_ms);
	put_64(at + 8, span.to_ms);
	return at + SPAN_LEN;
}

// What is left of the octets to be decoded. Whoever takes checks first.
struct rest {
	const uint8_t *at;
	size_t len;
};

static const uint8_t *
take(struct rest *rest, size_t len)
{
	const uint8_t *taken = rest->at;
	rest->at += len;
	rest->len -= len;
	return taken;
}

static bool
take_span(struct rest *rest, struct span *ret)
{
	if (rest->len < SPAN_LEN)
		return false;
	const uint8_t *at = take(rest, SPAN_LEN);
	*ret = (struct span){ get_64(at), get_64(at + 8) };
	return ret->from_ms <= ret->to_ms;
}

static bool
take_reason(struct rest *rest, struct rest *ret)
{
	if (rest->len < 1)
		return false;
	size_t len = *take(rest, 1);
	if (len > FACTS_REASON_MAX || len > rest->len)
		return false;
	*ret = (struct rest){ take(rest, len), len };
	return true;
}

static bool
entry_is_sound(const struct entry *entry)
{
	if (!entry->has_answer && !entry->has_defer)
		return false;
	if (entry->has_answer && entry->ends_ms < entry->made_ms)
		return false;
	if (entry->has_defer && entry->deferred_until_ms < entry->deferred_ms)
		return false;
	return !entry->has_defer || entry->defer_len <= FACTS_REASON_MAX;
}

static size_t
head_len(const struct entry *entry)
{
	return 1 + (entry->has_answer ? (size_t)SPAN_LEN : 0) +
	       (entry->has_defer ? SPAN_LEN + 1 + (size_t)entry->defer_len : 0);
}

static void
encode_head(const struct entry *entry, uint8_t *at)
{
	*at++ = (uint8_t)((entry->has_answer ? ANSWER : 0) |
			  (entry->has_answer && entry->refreshing ? REFRESHING
								  : 0) |
			  (entry->has_defer ? DEFERRAL : 0));
	if (entry->has_answer)
		at = append_span(
		    at, (struct span){ entry->made_ms, entry->ends_ms });
	if (!entry->has_defer)
		return;
	at = append_span(
	    at, (struct span){ entry->deferred_ms, entry->deferred_until_ms });
	*at++ = entry->defer_len;
	if (entry->defer_len > 0)
		memcpy(at, entry->defer_reason, entry->defer_len);
}

size_t
entry_encode(const struct entry *entry, uint8_t *ret, size_t size)
{
	if (!entry_is_sound(entry) || head_len(entry) > size)
		return 0;
	size_t len = head_len(entry);
	if (entry->has_answer) {
		size_t n = facts_encode(&entry->facts, ret + len, size - len);
		if (n == 0)
			return 0;
		len += n;
	}
	encode_head(entry, ret);
	return len;
}

static bool
what_fits(uint8_t what)
{
	return (what & ~WHAT_KNOWN) == 0 && (what & (ANSWER | DEFERRAL)) != 0 &&
	       ((what & ANSWER) != 0 || (what & REFRESHING) == 0);
}

int
entry_decode(const uint8_t *bytes, size_t len, struct entry *ret)
{
	if (len < 1 || !what_fits(bytes[0]))
		return -EINVAL;
	uint8_t what = bytes[0];
	struct rest rest = { bytes + 1, len - 1 }, reason = { bytes, 0 };
	struct span answer = { 0, 0 }, deferral = { 0, 0 };
	if ((what & ANSWER) && !take_span(&rest, &answer))
		return -EINVAL;
	if ((what & DEFERRAL) &&
	    (!take_span(&rest, &deferral) || !take_reason(&rest, &reason)))
		return -EINVAL;
	// Last, because it writes what the others must not have refused.
	if (what & ANSWER) {
		if (facts_decode(rest.at, rest.len, &ret->facts) != 0)
			return -EINVAL;
	} else if (rest.len > 0) {
		return -EINVAL;
	}

	ret->has_answer = what & ANSWER;
	ret->refreshing = what & REFRESHING;
	ret->made_ms = answer.from_ms;
	ret->ends_ms = answer.to_ms;
	ret->has_defer = what & DEFERRAL;
	ret->deferred_ms = deferral.from_ms;
	ret->deferred_until_ms = deferral.to_ms;
	ret->defer_len = (uint8_t)reason.len;
	ret->defer_reason = (const char *)reason.at;
	return 0;
}

#define MS_PER_S UINT64_C(1000)

// Seven weeks fit; whoever wants more gets those.
static uint32_t
to_ms(uint64_t time_s)
{
	return time_s * MS_PER_S < UINT32_MAX ? (uint32_t)(time_s * MS_PER_S)
					      : UINT32_MAX;
}

// Whoever asks first after a deferral makes the retry begin, and as late as
// that: as long as questions come within query_timeout of each other, none
// waits for it.
struct entry_limits
entry_limits_of(
    uint32_t cache_stale_ttl_s, uint32_t query_timeout_s, bool insecure_may)
{
	return (struct entry_limits){
		.stale_ms = to_ms(cache_stale_ttl_s),
		.retry_ms = to_ms(UINT64_C(2) * query_timeout_s),
		.insecure_may = insecure_may,
	};
}

void
entry_fail(
    struct entry *entry, uint64_t now_ms, uint64_t until_ms, const char *reason)
{
	entry->refreshing = false;
	entry->has_defer = true;
	entry->deferred_ms = now_ms;
	entry->deferred_until_ms = until_ms;
	entry->defer_reason = reason;
	entry->defer_len = (uint8_t)strlen(reason);
}

// Times are taken apart by subtraction: a sum of what was read could wrap.
static bool
within(uint64_t now_ms, uint64_t end_ms, uint64_t more_ms)
{
	return now_ms < end_ms || now_ms - end_ms < more_ms;
}

static bool
last_tenth_has_begun(const struct entry *entry, uint64_t now_ms)
{
	return now_ms >= entry->ends_ms ||
	       entry->ends_ms - now_ms <=
		   (entry->ends_ms - entry->made_ms) / 10;
}

// A lookup made past the end of the answer has failed.
static bool
failed_since(const struct entry *entry)
{
	return entry->has_defer && entry->deferred_ms >= entry->ends_ms;
}

static bool
is_in_grace(const struct entry *entry, uint64_t now_ms)
{
	return entry->refreshing && !failed_since(entry) &&
	       within(now_ms, entry->ends_ms, ENTRY_GRACE_MS);
}

static bool
may_go_stale(const struct entry *entry, uint64_t now_ms,
    const struct entry_limits *limits)
{
	return failed_since(entry) &&
	       within(now_ms, entry->ends_ms, limits->stale_ms) &&
	       within(now_ms, entry->deferred_until_ms, limits->retry_ms) &&
	       decide_is_strict(decide(&entry->facts, limits->insecure_may));
}

enum entry_use
entry_judge(const struct entry *entry, uint64_t now_ms,
    const struct entry_limits *limits, bool *ret_hint)
{
	*ret_hint = false;
	if (entry->has_answer) {
		if (now_ms < entry->ends_ms || is_in_grace(entry, now_ms)) {
			*ret_hint = last_tenth_has_begun(entry, now_ms);
			return now_ms < entry->ends_ms ? ENTRY_FRESH
						       : ENTRY_GRACE;
		}
		if (may_go_stale(entry, now_ms, limits)) {
			*ret_hint = now_ms >= entry->deferred_until_ms;
			return ENTRY_STALE;
		}
	}
	if (entry->has_defer && now_ms < entry->deferred_until_ms)
		return ENTRY_DEFER;
	return ENTRY_MISS;
}
