// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// How long an answer may be used, as a table of moments; and the octets of
// entries, good and hostile.

#include "config.h"

#include "policy/entry.h"

#include "table.h"

#include "hosts.h"

#include <errno.h>
#include <string.h>

// Each answer of the table lives from MADE to ENDS, for 100 seconds.
#define MADE      1000000
#define TENTH     1090000
#define ENDS      1100000
#define GRACE_END (ENDS + ENTRY_GRACE_MS)
#define STALE_END (ENDS + 86400000)
#define RETRY     20000
// A deferral made when the answer had ended stands for five seconds.
#define FAILED_AT (ENDS + 300)
#define RETRY_AT  (FAILED_AT + 5000)
#define RETRY_END (RETRY_AT + RETRY)

static const struct entry_limits limits = {
	.stale_ms = STALE_END - ENDS,
	.retry_ms = RETRY,
	.insecure_may = false,
};

enum answer_kind {
	NO_ANSWER,
	WEAK,          // NONE
	STRICT,        // dane-only
	UNSIGNED,      // dane, for an unsigned MX: NONE if insecure_mx is may
	REFRESHED = 8, // a refresh was promised
};

struct judge_row {
	const char *sentence;
	unsigned answer;
	uint64_t deferred_ms, until_ms; // 0, 0: no deferral
	uint64_t now_ms;
	enum entry_use use;
	bool hint;
};

static const struct judge_row judge_rows[] = {
	// before its end
	{ "a new answer is fresh", STRICT, 0, 0, MADE, ENTRY_FRESH, false },
	{ "an answer written after this round began is fresh", STRICT, 0, 0,
	    MADE - 5, ENTRY_FRESH, false },
	{ "a weak answer is fresh too", WEAK, 0, 0, MADE, ENTRY_FRESH, false },
	{ "before the last tenth no hint is given", STRICT, 0, 0, TENTH - 1,
	    ENTRY_FRESH, false },
	{ "when the last tenth begins a hint is given", STRICT, 0, 0, TENTH,
	    ENTRY_FRESH, true },
	{ "a weak answer in use is refreshed too", WEAK, 0, 0, TENTH,
	    ENTRY_FRESH, true },
	{ "an answer is fresh to the last millisecond", STRICT, 0, 0, ENDS - 1,
	    ENTRY_FRESH, true },
	{ "a deferral beside an answer before its end changes nothing", WEAK,
	    MADE + 10, MADE + 5010, MADE + 20, ENTRY_FRESH, false },

	// at its end, without promise
	{ "an answer at its end is a miss", STRICT, 0, 0, ENDS, ENTRY_MISS,
	    false },
	{ "a weak answer at its end is a miss", WEAK, 0, 0, ENDS, ENTRY_MISS,
	    false },

	// grace
	{ "a promised refresh gives grace at the end", STRICT | REFRESHED, 0, 0,
	    ENDS, ENTRY_GRACE, true },
	{ "a promised refresh gives grace to a weak answer", WEAK | REFRESHED,
	    0, 0, ENDS, ENTRY_GRACE, true },
	{ "grace lasts two seconds", STRICT | REFRESHED, 0, 0, GRACE_END - 1,
	    ENTRY_GRACE, true },
	{ "after two seconds grace is over", STRICT | REFRESHED, 0, 0,
	    GRACE_END, ENTRY_MISS, false },
	{ "a refresh that failed ends the grace of a weak answer",
	    WEAK | REFRESHED, FAILED_AT, RETRY_AT, FAILED_AT, ENTRY_DEFER,
	    false },
	{ "a refresh that failed ends the grace of a strict answer, which goes "
	  "stale",
	    STRICT | REFRESHED, FAILED_AT, RETRY_AT, FAILED_AT, ENTRY_STALE,
	    false },
	{ "a lookup that failed before the end does not end the grace",
	    STRICT | REFRESHED, ENDS - 10, ENDS + 4990, ENDS + 10, ENTRY_GRACE,
	    true },

	// stale
	{ "a strict answer goes on when the new lookup failed", STRICT,
	    FAILED_AT, RETRY_AT, FAILED_AT, ENTRY_STALE, false },
	{ "a strict answer goes on when the lookup failed at its end", STRICT,
	    ENDS, ENDS + 5000, ENDS, ENTRY_STALE, false },
	{ "dane for an unsigned MX is strict and goes on", UNSIGNED, FAILED_AT,
	    RETRY_AT, FAILED_AT, ENTRY_STALE, false },
	{ "a weak answer does not go on when the new lookup failed", WEAK,
	    FAILED_AT, RETRY_AT, FAILED_AT, ENTRY_DEFER, false },
	{ "a stale answer gives no hint while its deferral stands", STRICT,
	    FAILED_AT, RETRY_AT, RETRY_AT - 1, ENTRY_STALE, false },
	{ "a stale answer is due for another try when its deferral ends",
	    STRICT, FAILED_AT, RETRY_AT, RETRY_AT, ENTRY_STALE, true },
	{ "a stale answer is given while the retry may be under way", STRICT,
	    FAILED_AT, RETRY_AT, RETRY_END - 1, ENTRY_STALE, true },
	{ "a stale answer that nobody retried is a miss", STRICT, FAILED_AT,
	    RETRY_AT, RETRY_END, ENTRY_MISS, false },
	{ "a stale answer is given to the last millisecond of its time", STRICT,
	    STALE_END - 100, STALE_END + 4900, STALE_END - 1, ENTRY_STALE,
	    false },
	{ "past the stale time a standing deferral defers", STRICT,
	    STALE_END - 100, STALE_END + 4900, STALE_END, ENTRY_DEFER, false },
	{ "past the stale time no retry prolongs it", STRICT, STALE_END - 9000,
	    STALE_END - 4000, STALE_END, ENTRY_MISS, false },
	{ "a deferral made before the end makes nothing stale", STRICT,
	    ENDS - 10, ENDS + 4990, ENDS + 10, ENTRY_DEFER, false },
	{ "a deferral made before the end and over is a miss", STRICT,
	    ENDS - 6000, ENDS - 1000, ENDS, ENTRY_MISS, false },

	// deferrals alone
	{ "a deferral alone defers while it stands", NO_ANSWER, MADE,
	    MADE + 5000, MADE, ENTRY_DEFER, false },
	{ "a deferral alone defers to its last millisecond", NO_ANSWER, MADE,
	    MADE + 5000, MADE + 4999, ENTRY_DEFER, false },
	{ "a deferral alone is a miss when it ends", NO_ANSWER, MADE,
	    MADE + 5000, MADE + 5000, ENTRY_MISS, false },
	{ "a weak answer is a miss when the deferral beside it ends", WEAK,
	    FAILED_AT, RETRY_AT, RETRY_AT, ENTRY_MISS, false },

	// the ends of time
	{ "at the end of time a stale answer is over", STRICT, FAILED_AT,
	    RETRY_AT, UINT64_MAX, ENTRY_MISS, false },
	{ "a deferral that never ends prolongs no answer", STRICT, FAILED_AT,
	    UINT64_MAX, STALE_END, ENTRY_DEFER, false },
};

static void
make_entry(unsigned answer, struct entry *ret)
{
	*ret = (struct entry){
		.has_answer = (answer & ~REFRESHED) != NO_ANSWER,
		.refreshing = answer & REFRESHED,
		.made_ms = MADE,
		.ends_ms = ENDS,
	};
	bool is_unsigned = (answer & ~REFRESHED) == UNSIGNED;
	ret->facts.mx = is_unsigned ? FACTS_MX_INSECURE : FACTS_MX_SECURE;
	hosts_read((answer & ~REFRESHED) == WEAK ? "10N" : "10D", &ret->facts);
}

static void
judge(void **state)
{
	const struct judge_row *row = *state;
	struct entry entry;
	make_entry(row->answer, &entry);
	entry.has_defer = row->until_ms != 0;
	entry.deferred_ms = row->deferred_ms;
	entry.deferred_until_ms = row->until_ms;
	bool hint = !row->hint;
	assert_int_equal(
	    entry_judge(&entry, row->now_ms, &limits, &hint), row->use);
	assert_int_equal(hint, row->hint);
}

static void
without_a_stale_time_nothing_goes_on(void **state)
{
	(void)state;
	const struct entry_limits none = { .retry_ms = RETRY };
	struct entry entry;
	bool hint;

	make_entry(STRICT, &entry);
	entry.has_defer = true;
	entry.deferred_ms = ENDS;
	entry.deferred_until_ms = ENDS + 5000;
	assert_int_equal(entry_judge(&entry, ENDS, &none, &hint), ENTRY_DEFER);
}

static void
insecure_may_makes_an_unsigned_answer_weak(void **state)
{
	(void)state;
	struct entry entry;
	make_entry(UNSIGNED, &entry);
	entry.has_defer = true;
	entry.deferred_ms = FAILED_AT;
	entry.deferred_until_ms = RETRY_AT;
	struct entry_limits lax = limits;
	lax.insecure_may = true;
	bool hint;
	assert_int_equal(
	    entry_judge(&entry, FAILED_AT, &lax, &hint), ENTRY_DEFER);
}

static void
an_answer_at_the_end_of_time_wraps_nothing(void **state)
{
	(void)state;
	struct entry entry;
	make_entry(STRICT | REFRESHED, &entry);
	entry.ends_ms = UINT64_MAX - 10;
	entry.made_ms = entry.ends_ms - 1000;
	bool hint;
	assert_int_equal(
	    entry_judge(&entry, UINT64_MAX - 5, &limits, &hint), ENTRY_GRACE);
	assert_int_equal(entry_judge(&entry, 5, &limits, &hint), ENTRY_FRESH);
	assert_false(hint);
}

#define TWENTY "twenty octets of it "
#define EIGHTY TWENTY TWENTY TWENTY TWENTY

static const char DIGEST[] = "abcdefghijklmnopqrstuvwxyz012345";

struct round_row {
	const char *sentence;
	unsigned answer;
	const char *defer_reason; // NULL: no deferral
	uint8_t n_matches;
	size_t len;
};

static const struct round_row round_rows[] = {
	{ "a domain without DANE takes 27 octets", WEAK, NULL, 0, 27 },
	{ "a domain with DANE and one match takes 59 octets", STRICT, NULL, 1,
	    59 },
	{ "a promise to refresh comes back", STRICT | REFRESHED, NULL, 1, 59 },
	{ "a deferral alone comes back", NO_ANSWER, "MX: SERVFAIL", 0, 30 },
	{ "a deferral without a reason comes back", NO_ANSWER, "", 0, 18 },
	{ "a deferral with a reason of one octet comes back", NO_ANSWER, "x", 0,
	    19 },
	{ "a deferral with the longest reason comes back", NO_ANSWER,
	    EIGHTY EIGHTY, 0, 18 + FACTS_REASON_MAX },
	{ "a deferral beside an answer comes back", STRICT, "MX: SERVFAIL", 1,
	    88 },
};

static void
make_round(const struct round_row *row, struct entry *ret)
{
	make_entry(row->answer, ret);
	ret->facts.n_sha256 = row->n_matches;
	ret->facts.sha256 = (const uint8_t *)DIGEST;
	ret->has_defer = row->defer_reason != NULL;
	if (!ret->has_defer)
		return;
	ret->deferred_ms = FAILED_AT;
	ret->deferred_until_ms = RETRY_AT;
	ret->defer_len = (uint8_t)strlen(row->defer_reason);
	ret->defer_reason = row->defer_reason;
}

static void
there_and_back(void **state)
{
	const struct round_row *row = *state;
	struct entry entry, back;
	uint8_t octets[256];
	make_round(row, &entry);
	size_t len = entry_encode(&entry, octets, sizeof(octets));
	assert_int_equal(len, row->len);
	memset(&back, 0xa5, sizeof(back));
	assert_int_equal(entry_decode(octets, len, &back), 0);

	assert_int_equal(back.has_answer, entry.has_answer);
	assert_int_equal(back.refreshing, entry.refreshing);
	if (entry.has_answer) {
		assert_int_equal(back.made_ms, MADE);
		assert_int_equal(back.ends_ms, ENDS);
		assert_int_equal(back.facts.mx, entry.facts.mx);
		assert_int_equal(back.facts.n_hosts, 1);
		assert_int_equal(back.facts.n_sha256, row->n_matches);
	}
	assert_int_equal(back.has_defer, entry.has_defer);
	if (entry.has_defer) {
		assert_int_equal(back.deferred_ms, FAILED_AT);
		assert_int_equal(back.deferred_until_ms, RETRY_AT);
		assert_int_equal(back.defer_len, entry.defer_len);
		assert_memory_equal(
		    back.defer_reason, row->defer_reason, entry.defer_len);
	}
	// What is not there is empty.
	if (!entry.has_answer)
		assert_true(back.made_ms == 0 && back.ends_ms == 0);
	if (!entry.has_defer)
		assert_true(back.deferred_ms == 0 &&
			    back.deferred_until_ms == 0 && back.defer_len == 0);
	assert_int_equal(entry_encode(&entry, octets, len), len);
	for (size_t cut = 0; cut < len; cut++) {
		assert_int_equal(entry_decode(octets, cut, &back), -EINVAL);
		assert_int_equal(entry_encode(&entry, octets, cut), 0);
	}
}

static void
times_keep_all_their_octets(void **state)
{
	(void)state;
	struct entry entry, back;
	uint8_t octets[64];
	make_entry(WEAK, &entry);
	entry.made_ms = 0x0123456789abcdef;
	entry.ends_ms = 0xfedcba9876543210;
	size_t len = entry_encode(&entry, octets, sizeof(octets));
	assert_int_equal(entry_decode(octets, len, &back), 0);
	assert_true(back.made_ms == entry.made_ms);
	assert_true(back.ends_ms == entry.ends_ms);
}

static void
what_ends_when_it_begins_is_written(void **state)
{
	(void)state;
	struct entry entry, back;
	uint8_t octets[64];

	make_entry(WEAK, &entry);
	entry.ends_ms = entry.made_ms;
	entry.has_defer = true;
	entry.deferred_ms = entry.deferred_until_ms = MADE;
	size_t len = entry_encode(&entry, octets, sizeof(octets));
	assert_int_not_equal(len, 0);
	assert_int_equal(entry_decode(octets, len, &back), 0);
	assert_int_equal(back.ends_ms, MADE);
	assert_int_equal(back.deferred_until_ms, MADE);
}

static void
senseless_entries_are_not_written(void **state)
{
	(void)state;
	static const struct round_row both = { .answer = STRICT,
		.defer_reason = "why" };
	struct entry entry;
	uint8_t octets[256];
	make_round(&both, &entry);
	entry.has_answer = entry.has_defer = false;
	assert_int_equal(entry_encode(&entry, octets, sizeof(octets)), 0);
	make_round(&both, &entry);
	entry.ends_ms = entry.made_ms - 1;
	assert_int_equal(entry_encode(&entry, octets, sizeof(octets)), 0);
	make_round(&both, &entry);
	entry.deferred_until_ms = entry.deferred_ms - 1;
	assert_int_equal(entry_encode(&entry, octets, sizeof(octets)), 0);
	make_round(&both, &entry);
	entry.defer_len = FACTS_REASON_MAX + 1;
	assert_int_equal(entry_encode(&entry, octets, sizeof(octets)), 0);
	make_round(&both, &entry);
	entry.facts.n_hosts = FACTS_HOSTS_MAX + 1;
	assert_int_equal(entry_encode(&entry, octets, sizeof(octets)), 0);
}

#define OCTETS(text) (const uint8_t *)text, sizeof(text) - 1
#define TIME_1       "\1\0\0\0\0\0\0\0"
#define TIME_2       "\2\0\0\0\0\0\0\0"
#define NOBODY       "\1\0\0\0\0\0\0"

struct octet_row {
	const char *sentence;
	const uint8_t *octets;
	size_t len;
	bool good;
};

static const struct octet_row octet_rows[] = {
	{ "an answer is read", OCTETS("\1" TIME_1 TIME_2 NOBODY), true },
	{ "a deferral is read", OCTETS("\4" TIME_1 TIME_2 "\3why"), true },
	{ "both are read",
	    OCTETS("\5" TIME_1 TIME_2 TIME_1 TIME_2 "\3why" NOBODY), true },
	{ "no octets are refused", OCTETS(""), false },
	{ "neither answer nor deferral is refused", OCTETS("\0"), false },
	{ "a refresh of no answer is refused",
	    OCTETS("\6" TIME_1 TIME_2 "\3why"), false },
	{ "an unknown bit is refused", OCTETS("\11" TIME_1 TIME_2 NOBODY),
	    false },
	{ "an answer that ends before it was made is refused",
	    OCTETS("\1" TIME_2 TIME_1 NOBODY), false },
	{ "a deferral that ends before it was made is refused",
	    OCTETS("\4" TIME_2 TIME_1 "\3why"), false },
	{ "a reason that is cut is refused", OCTETS("\4" TIME_1 TIME_2 "\4why"),
	    false },
	{ "a reason that is cut before facts is refused",
	    OCTETS("\5" TIME_1 TIME_2 TIME_1 TIME_2 "\4why"), false },
	{ "a reason past its limit is refused",
	    OCTETS("\4" TIME_1 TIME_2 "\241" EIGHTY EIGHTY "x"), false },
	{ "octets behind a deferral are refused",
	    OCTETS("\4" TIME_1 TIME_2 "\3whyx"), false },
	{ "octets behind an answer are refused",
	    OCTETS("\1" TIME_1 TIME_2 NOBODY "x"), false },
	{ "an answer without facts is refused", OCTETS("\1" TIME_1 TIME_2),
	    false },
};

static void
hostile_octets(void **state)
{
	const struct octet_row *row = *state;
	// A copy of just that size, for the sanitizer's sake.
	uint8_t *copy = malloc(row->len > 0 ? row->len : 1);
	assert_non_null(copy);
	memcpy(copy, row->octets, row->len);
	static struct entry entry, before;
	memset(&entry, 0xa5, sizeof(entry));
	memcpy(&before, &entry, sizeof(entry));
	int result = entry_decode(copy, row->len, &entry);
	assert_int_equal(result, row->good ? 0 : -EINVAL);
	if (result != 0)
		assert_memory_equal(&entry, &before, sizeof(entry));
	free(copy);
}

static const struct limits_row {
	const char *sentence;
	uint32_t stale_s, timeout_s, stale_ms, retry_ms;
} limits_rows[] = {
	{ "a day of cache_stale_ttl is a day", 86400, 10, 86400000, 20000 },
	{ "half a year of cache_stale_ttl does not wrap to a moment",
	    182 * 86400, 10, UINT32_MAX, 20000 },
	{ "a query_timeout of two months does not wrap to a moment", 60,
	    60 * 86400, 60000, UINT32_MAX },
	{ "the longest times there are do not wrap to a moment", UINT32_MAX,
	    UINT32_MAX, UINT32_MAX, UINT32_MAX },
};

static void
limits_of(void **state)
{
	const struct limits_row *row = *state;
	struct entry_limits got =
	    entry_limits_of(row->stale_s, row->timeout_s, true);

	assert_int_equal(got.stale_ms, row->stale_ms);
	assert_int_equal(got.retry_ms, row->retry_ms);
	assert_true(got.insecure_may);
	assert_false(entry_limits_of(1, 1, false).insecure_may);
}

int
main(void)
{
	TABLE_ADD(judge_rows, judge);
	TABLE_ADD(round_rows, there_and_back);
	TABLE_ADD(octet_rows, hostile_octets);
	TABLE_ADD(limits_rows, limits_of);
	table_add("without a stale time nothing goes on",
	    without_a_stale_time_nothing_goes_on, NULL);
	table_add("insecure_mx = may makes the answer for an unsigned MX weak",
	    insecure_may_makes_an_unsigned_answer_weak, NULL);
	table_add("an answer at the end of time wraps nothing",
	    an_answer_at_the_end_of_time_wraps_nothing, NULL);
	table_add(
	    "times keep all their octets", times_keep_all_their_octets, NULL);
	table_add("what ends when it begins is written",
	    what_ends_when_it_begins_is_written, NULL);
	table_add("senseless entries are not written",
	    senseless_entries_are_not_written, NULL);
	return table_run("entry");
}
