// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What numbers of the DNS are called, for people and for programs alike.
#pragma once

#include "policy/facts.h"
#include "policy/tlsa.h"
#include "tool/story.h"

const char *words_type(enum walk_type type); // "A", "TLSA"
const char *words_security(const struct story_answer *answer);
const char *words_content(enum walk_content content);
const char *words_host(enum facts_state state); // "dane", "no-dane"
const char *words_kind(enum nexthop_kind kind);

// The acronyms of RFC 7218; NULL for values that have none.
const char *words_usage(uint8_t usage);
const char *words_selector(uint8_t selector);
const char *words_matching(uint8_t matching);

// An A or AAAA record's address; empty if its length is wrong.
#define WORDS_ADDRESS_MAX 46
const char *words_address(
    const struct story_record *record, char ret[WORDS_ADDRESS_MAX]);

uint16_t words_preference(const struct story_record *mx);

// A TLSA record as the daemon sees it. False if it is too short to be one.
bool words_tlsa(const struct story_record *record, struct tlsa *ret,
    enum tlsa_use *ret_use);

// Lower case, two digits an octet; size of ret is 2 * len + 1.
void words_hex(const uint8_t *octets, size_t len, char *ret);
