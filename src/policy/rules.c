// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Finding a rule. Promises that a next-hop without one costs a look or two at
// a small table, however many rules there are; knows nothing of how rules are
// written.
//
// Whoever asks may choose the keys, but not the rules: he can find the longest
// chain of the table and not make it longer, so a plain hash will do.

#include "config.h"

#include "policy/rules_block.h"

#include <stdio.h>
#include <string.h>

#define HASH_FACTOR UINT64_C(0xd6e8feb86659fd93)
#define DEPTH_MAX   63 // deeper ones share its bit

static struct rules_slot *
slots(const struct rules *rules)
{
	return (struct rules_slot *)(void *)((char *)(uintptr_t)rules +
					     rules->slots_at);
}

static uint64_t *
filter(const struct rules *rules)
{
	return (
	    uint64_t *)(void *)((char *)(uintptr_t)rules + rules->filter_at);
}

struct rules_record *
rules_record_at(const struct rules *rules, uint32_t i)
{
	return (struct rules_record *)(void *)((char *)(uintptr_t)rules +
					       rules->records_at) +
	       i;
}

const char *
rules_text_at(const struct rules *rules, uint32_t offset)
{
	return (const char *)rules + rules->texts_at + offset;
}

// --- hashing ---

static uint64_t
mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * HASH_FACTOR;
	return hash ^ hash >> 32;
}

// Eight octets at a time; the last ones overlap those before. Mixed once more
// in the end: a single multiplication carries nothing down to the bits that the
// filter looks at, and keys often differ in their last octets alone.
static uint64_t
hash_text(const char *text, size_t len)
{
	uint64_t word = 0, hash = len;
	size_t at = 0;

	for (; at + sizeof(word) < len; at += sizeof(word)) {
		memcpy(&word, text + at, sizeof(word));
		hash = mix(hash, word);
	}
	if (len >= sizeof(word)) {
		memcpy(&word, text + len - sizeof(word), sizeof(word));
	} else {
		for (; at < len; at++)
			word = word << 8 | (unsigned char)text[at];
	}
	return mix(mix(hash, word), 0);
}

// Three bits of one word, so that a look costs one line of the processor's
// cache at most.
static uint64_t
filter_bits(uint64_t hash)
{
	return UINT64_C(1) << (hash & 63) | UINT64_C(1) << (hash >> 6 & 63) |
	       UINT64_C(1) << (hash >> 12 & 63);
}

static uint64_t *
filter_word(const struct rules *rules, uint64_t hash)
{
	return &filter(rules)[hash >> 36 & rules->word_mask];
}

static uint32_t
tag_of(uint64_t hash)
{
	return (uint32_t)(hash >> 32);
}

// The slot of a key, or the free one where it would be.
static struct rules_slot *
find_slot(const struct rules *rules, uint64_t hash, const char *key, size_t len)
{
	uint32_t i = (uint32_t)(hash >> 18) & rules->slot_mask;

	for (;; i = (i + 1) & rules->slot_mask) {
		struct rules_slot *slot = &slots(rules)[i];
		if (slot->record == 0)
			return slot;
		if (slot->tag != tag_of(hash))
			continue;
		const struct rules_record *record =
		    rules_record_at(rules, slot->record - 1);
		if (record->key_len == len &&
		    memcmp(rules_text_at(rules, record->key), key, len) == 0)
			return slot;
	}
}

// --- the block ---

static uint32_t
power_of_two(uint32_t at_least)
{
	uint32_t power = 1;
	while (power < at_least)
		power *= 2;
	return power;
}

// Half of the slots stay free at least; sixteen bits of the filter for each
// rule let one look in a hundred pass for nothing.
size_t
rules_lay_out(uint32_t n_rules, struct rules *ret)
{
	uint32_t n_slots = power_of_two(2 * n_rules + 1);
	uint32_t n_words = power_of_two(n_rules / 4 + 1);

	*ret = (struct rules){
		.slots_at = sizeof(*ret),
		.slot_mask = n_slots - 1,
		.word_mask = n_words - 1,
	};
	ret->filter_at = ret->slots_at + n_slots * sizeof(struct rules_slot);
	ret->records_at = ret->filter_at + n_words * sizeof(uint64_t);
	ret->texts_at = ret->records_at + n_rules * sizeof(struct rules_record);
	return ret->texts_at;
}

void
rules_clear(struct rules *rules)
{
	memset(slots(rules), 0, rules->records_at - rules->slots_at);
}

const char *
rules_key(
    const struct nexthop *nexthop, char buffer[RULES_KEY_MAX], size_t *ret_len)
{
	bool bracketed =
	    nexthop->kind == NEXTHOP_HOST || nexthop->kind == NEXTHOP_ADDRESS;
	bool has_port = nexthop->port != NEXTHOP_DEFAULT_PORT;
	char port[8] = "";

	*ret_len = nexthop->name_len;
	if (!bracketed && !has_port)
		return nexthop->name;
	if (has_port)
		snprintf(port, sizeof(port), ":%u", nexthop->port);
	*ret_len = (size_t)snprintf(buffer, RULES_KEY_MAX, "%s%s%s%s",
	    bracketed ? "[" : "", nexthop->name, bracketed ? "]" : "", port);
	return buffer;
}

// Of a parent key, each behind a dot.
static unsigned
count_labels(const char *key, size_t len)
{
	unsigned n = 0;
	for (size_t i = 0; i < len; i++)
		n += key[i] == '.';
	return n;
}

static uint64_t
depth_bit(unsigned n_labels)
{
	return UINT64_C(1) << (n_labels < DEPTH_MAX ? n_labels : DEPTH_MAX);
}

bool
rules_enter(struct rules *rules, uint32_t i, unsigned *ret_line)
{
	const struct rules_record *record = rules_record_at(rules, i);
	const char *key = rules_text_at(rules, record->key);
	size_t len = record->key_len;
	uint64_t hash = hash_text(key, len);

	struct rules_slot *slot = find_slot(rules, hash, key, len);
	if (slot->record != 0) {
		*ret_line = rules_record_at(rules, slot->record - 1)->line;
		return false;
	}
	*slot = (struct rules_slot){ tag_of(hash), i + 1 };
	*filter_word(rules, hash) |= filter_bits(hash);
	if (key[0] == '.')
		rules->depths |= depth_bit(count_labels(key, len));
	if (key[0] == '*')
		rules->last_resort = i + 1;
	return true;
}

size_t
rules_size(const struct rules *rules)
{
	return rules->texts_at + rules->texts_len;
}

// --- finding ---

static const struct rules_record *
find_text(const struct rules *rules, const char *key, size_t len)
{
	uint64_t hash = hash_text(key, len), bits = filter_bits(hash);

	if ((*filter_word(rules, hash) & bits) != bits)
		return NULL;
	uint32_t number = find_slot(rules, hash, key, len)->record;
	return number == 0 ? NULL : rules_record_at(rules, number - 1);
}

static bool
holds(const struct rules_record *record, int32_t today)
{
	return record != NULL &&
	       (!record->has_until || today <= record->until_day);
}

// From the nearest up, but only where there are rules of that depth.
static const struct rules_record *
find_parent(
    const struct rules *rules, const struct nexthop *nexthop, int32_t today)
{
	uint8_t dots[NEXTHOP_NAME_MAX + 1];
	unsigned n_dots = 0;

	for (unsigned i = 0; i < nexthop->name_len; i++) {
		dots[n_dots] = (uint8_t)i; // overwritten if it is none
		n_dots += nexthop->name[i] == '.';
	}
	for (unsigned i = 0; i < n_dots; i++) {
		if (!(rules->depths & depth_bit(n_dots - i)))
			continue;
		const struct rules_record *record =
		    find_text(rules, nexthop->name + dots[i],
			(size_t)nexthop->name_len - dots[i]);
		if (holds(record, today))
			return record;
	}
	return NULL;
}

static const struct rules_record *
find(const struct rules *rules, const struct nexthop *nexthop, int32_t today)
{
	char buffer[RULES_KEY_MAX];
	size_t len;
	const char *key = rules_key(nexthop, buffer, &len);
	const struct rules_record *record = find_text(rules, key, len);

	if (holds(record, today))
		return record;
	if (nexthop->kind != NEXTHOP_DOMAIN || !nexthop->bare)
		return NULL;
	if (rules->depths != 0) {
		record = find_parent(rules, nexthop, today);
		if (record != NULL)
			return record;
	}
	if (rules->last_resort == 0)
		return NULL;
	record = rules_record_at(rules, rules->last_resort - 1);
	return holds(record, today) ? record : NULL;
}

static void
show(const struct rules *rules, const struct rules_record *record,
    struct rules_rule *ret)
{
	*ret = (struct rules_rule){
		.kind = (enum rules_kind)record->kind,
		.floor = (enum rules_floor)record->floor,
		.key = rules_text_at(rules, record->key),
		.answer = rules_text_at(rules, record->answer),
		.why = rules_text_at(rules, record->why),
		.line = record->line,
		.has_until = record->has_until,
		.until_day = record->until_day,
	};
}

bool
rules_find(const struct rules *rules, const struct nexthop *nexthop,
    int32_t today, struct rules_rule *ret)
{
	if (nexthop->kind == NEXTHOP_UNPARSABLE ||
	    nexthop->kind == NEXTHOP_UNCONVERTIBLE)
		return false;
	const struct rules_record *record = find(rules, nexthop, today);
	if (record == NULL)
		return false;
	show(rules, record, ret);
	return true;
}

bool
rules_at(const struct rules *rules, size_t index, struct rules_rule *ret)
{
	if (index >= rules->n_records)
		return false;
	show(rules, rules_record_at(rules, (uint32_t)index), ret);
	return true;
}

size_t
rules_count(const struct rules *rules)
{
	return rules->n_records;
}

bool
rules_is_expired(const struct rules_rule *rule, int32_t today)
{
	return rule->has_until && today > rule->until_day;
}
