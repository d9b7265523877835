// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Packets between workers and resolvers: what one side writes the other reads,
// and nothing else is taken.
#include "config.h"

#include "table.h"

#include <errno.h>
#include <string.h>

#include "wire/ask.h"

struct trip_row {
	const char *sentence;
	enum ask_kind kind;
	size_t len;
};

static const struct trip_row trip_rows[] = {
	{ "the shortest question arrives", ASK_QUESTION, 4 },
	{ "the longest question arrives", ASK_QUESTION, NEXTHOP_ID_MAX },
	{ "a hint arrives", ASK_HINT, 14 },
	{ "the shortest answer arrives", ASK_ANSWER, 1 },
	{ "the longest answer arrives", ASK_ANSWER, ENTRY_ENCODED_MAX },
	{ "the longest refusal arrives", ASK_REFUSED, ASK_TEXT_MAX },
};

static void
check_trip(void **state)
{
	static uint8_t data[ENTRY_ENCODED_MAX], packet[ASK_MAX];
	const struct trip_row *row = *state;
	struct ask ask = { row->kind, 0xa1b2c3d4, 0x1122334455667788, row->len,
		data };
	struct ask got;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	size_t len = ask_encode(&ask, packet, sizeof(packet));
	assert_int_equal(len, ASK_HEAD + row->len);
	assert_int_equal(ask_decode(packet, len, &got), 0);
	assert_int_equal(got.kind, row->kind);
	assert_int_equal(got.id, ask.id);
	if (row->kind == ASK_QUESTION)
		assert_true(got.deadline_ms == ask.deadline_ms);
	else
		assert_true(got.deadline_ms == 0);
	assert_int_equal(got.len, row->len);
	assert_memory_equal(got.data, data, row->len);
}

struct refused_row {
	const char *sentence;
	uint8_t kind;
	size_t len; // of the packet
	size_t at;  // an octet set in the head
	uint8_t octet;
};

static const struct refused_row refused_rows[] = {
	{ "an empty packet is refused", ASK_QUESTION, 0, 0, ASK_QUESTION },
	{ "half a head is refused", ASK_QUESTION, 15, 0, ASK_QUESTION },
	{ "a question without a name is refused", ASK_QUESTION, 16, 0,
	    ASK_QUESTION },
	{ "a question with only kind and port is refused", ASK_QUESTION, 19, 0,
	    ASK_QUESTION },
	{ "a question that is too long is refused", ASK_QUESTION,
	    ASK_HEAD + NEXTHOP_ID_MAX + 1, 0, ASK_QUESTION },
	{ "a hint that is too long is refused", ASK_HINT,
	    ASK_HEAD + NEXTHOP_ID_MAX + 1, 0, ASK_HINT },
	{ "an empty answer is refused", ASK_ANSWER, 16, 0, ASK_ANSWER },
	{ "an answer that is too long is refused", ASK_ANSWER, ASK_MAX + 1, 0,
	    ASK_ANSWER },
	{ "an empty refusal is refused", ASK_REFUSED, 16, 0, ASK_REFUSED },
	{ "a refusal that is too long is refused", ASK_REFUSED,
	    ASK_HEAD + ASK_TEXT_MAX + 1, 0, ASK_REFUSED },
	{ "no kind at all is refused", ASK_NOTHING, 24, 0, ASK_NOTHING },
	{ "an unknown kind is refused", ASK_REFUSED + 1, 24, 0,
	    ASK_REFUSED + 1 },
	{ "an odd octet in the head is refused", ASK_QUESTION, 24, 2, 1 },
	{ "an answer with a deadline is refused", ASK_ANSWER, 24, 15, 1 },
};

static void
check_refused(void **state)
{
	const struct refused_row *row = *state;
	uint8_t *packet = calloc(1, row->len == 0 ? 1 : row->len);
	struct ask got = { .id = 42 };

	assert_non_null(packet);
	if (row->len > row->at) {
		packet[0] = row->kind;
		packet[row->at] = row->octet;
	}
	assert_int_equal(ask_decode(packet, row->len, &got), -EINVAL);
	assert_int_equal(got.id, 42);
	free(packet);
}

int
main(void)
{
	TABLE_ADD(trip_rows, check_trip);
	TABLE_ADD(refused_rows, check_refused);
	return table_run("ask");
}
