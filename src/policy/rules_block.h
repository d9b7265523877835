// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The block that rules live in, for rules.c and rules_read.c alone. All
// references are offsets, so that it may be mapped anywhere:
//
//	+--------+-------+--------+---------+-------------------+
//	| header | slots | filter | records | texts, to the end |
//	+--------+-------+--------+---------+-------------------+
#pragma once

#include "policy/rules.h"

// A next-hop as text: brackets, name, colon, port, NUL.
#define RULES_KEY_MAX (NEXTHOP_NAME_MAX + 2 + 6 + 1)

struct rules_record {
	uint32_t key, answer, why; // offsets from the texts' beginning
	uint32_t line;
	int32_t until_day;
	uint16_t key_len;
	uint8_t kind : 4, floor : 4;
	bool has_until;
};

struct rules_slot {
	uint32_t tag;
	uint32_t record; // its number, from 1; 0: free
};

struct rules {
	size_t slots_at, filter_at, records_at, texts_at; // octets from here
	size_t texts_len;
	uint32_t n_records;
	uint32_t slot_mask, word_mask; // powers of two, less one
	uint32_t last_resort;          // the record of `*`, from 1; 0: none
	uint64_t depths; // bit N: there is a parent key of N labels
};

// A header and empty tables for up to so many rules. Returns what the block
// takes without its texts.
size_t rules_lay_out(uint32_t n_rules, struct rules *ret);
// Fills what rules_lay_out has only planned.
void rules_clear(struct rules *rules);

// The next-hop as it is compared: "example.org", "example.org:587",
// "[mx.example.org]:587", ".example.org", "[192.0.2.1]". Borrows from nexthop
// or writes to buffer.
const char *rules_key(
    const struct nexthop *nexthop, char buffer[RULES_KEY_MAX], size_t *ret_len);

struct rules_record *rules_record_at(const struct rules *rules, uint32_t i);
const char *rules_text_at(const struct rules *rules, uint32_t offset);

// Makes the record that was written last known by its key, which is in the
// texts. False: that key is known already, and ret_line is where it stands.
bool rules_enter(struct rules *rules, uint32_t i, unsigned *ret_line);
