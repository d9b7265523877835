// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// One page of the cache, see page.h and FORMAT. Readers race with the writer,
// and the writer with whoever else scribbles in the file: so both only ever
// look at words that they have copied out, and no length or offset is used
// before it was held against the page's own size. Everything else about an
// entry is settled by its checksum.
#include "config.h"

#include "cache/page.h"

#include <assert.h>
#include <string.h>

// A writer is done with a page in about two microseconds; one that takes longer
// has lost its processor, and then a miss is better than waiting.
#define PAGE_TRIES 128

#define ENDS_MAX       (((uint64_t)1 << 48) - 1)
#define STRICT_BIT     ((uint64_t)1 << 15)
#define VALUE_LEN_MASK (STRICT_BIT - 1)

// For entries and slots, the latter being counted in pairs.
#define ROOM (PAGE_OCTETS - 8 * PAGE_HEAD_WORDS - 4)
static_assert(4 + 8 * PAGE_ENTRY_WORDS_MAX <= ROOM,
    "the largest entry has room in an empty page");

enum { WORD_SEQUENCE, WORD_COUNT }; // of a page

enum { WORD_SUM, WORD_KEY, WORD_VALUE }; // of an entry

enum found { FOUND_NOTHING = 0, FOUND_CHANGE, FOUND_VALUE };

struct entry_copy {
	uint64_t words[PAGE_ENTRY_WORDS_MAX];
};

static inline void
pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#else
	atomic_signal_fence(memory_order_seq_cst);
#endif
}

static inline uint64_t
peek(const struct page *page, size_t word)
{
	return atomic_load_explicit(&page->words[word], memory_order_relaxed);
}

// Count and octets share a word. Both are clamped by whoever uses them.
static inline size_t
count_of(uint64_t word)
{
	return word & 0xffff;
}

static inline size_t
octets_of(uint64_t word)
{
	return word >> 16 & 0xffff;
}

static inline size_t
key_len_of(const uint64_t *entry)
{
	return entry[WORD_KEY] & 0xffff;
}

static inline uint64_t
ends_of(const uint64_t *entry)
{
	return entry[WORD_KEY] >> 16;
}

static inline size_t
value_len_of(const uint64_t *entry)
{
	return entry[WORD_VALUE] & VALUE_LEN_MASK;
}

static inline bool
strict_of(const uint64_t *entry)
{
	return (entry[WORD_VALUE] & STRICT_BIT) != 0;
}

static inline uint64_t
worthless_of(const uint64_t *entry)
{
	return entry[WORD_VALUE] >> 16;
}

static inline const uint8_t *
key_octets_of(const uint64_t *entry)
{
	return (const uint8_t *)&entry[PAGE_ENTRY_HEAD_WORDS];
}

static inline size_t
entry_words(size_t key_len, size_t value_len)
{
	return PAGE_ENTRY_HEAD_WORDS + (key_len + value_len + 7) / 8;
}

// A slot is a tag and, below it, the offset of an entry in octets.
static inline uint32_t
make_slot(uint64_t hash, size_t word)
{
	return (uint32_t)(hash & 0xffff) << 16 | (uint32_t)(8 * word);
}

static inline size_t
slot_word(uint32_t slot)
{
	return (slot & 0xffff) / 8;
}

static inline uint32_t
slot_of(uint64_t word, size_t index)
{
	return (uint32_t)(word >> (32 * (index % 2)));
}

static inline size_t
slots_end(size_t count)
{
	return PAGE_HEAD_WORDS + (count + 1) / 2;
}

struct page_key
page_key(const struct page_secrets *secrets, const uint8_t *octets, size_t len)
{
	return (struct page_key){
		.octets = octets,
		.len = len,
		.hash = siphash(secrets->index, octets, len),
	};
}

size_t
page_entry_octets(size_t key_len, size_t value_len)
{
	return 4 + 8 * entry_words(key_len, value_len);
}

// The number of words of an entry of which the head has been copied out, or 0
// if it cannot be one at that place.
static inline size_t
entry_fits(const uint64_t head[PAGE_ENTRY_HEAD_WORDS], size_t at)
{
	size_t key_len = key_len_of(head), value_len = value_len_of(head);

	if (key_len > CACHE_KEY_MAX || value_len > CACHE_VALUE_MAX)
		return 0;
	size_t words = entry_words(key_len, value_len);
	return words <= PAGE_WORDS - at ? words : 0;
}

static inline bool
place_fits(size_t at)
{
	return at >= PAGE_HEAD_WORDS &&
	       at <= PAGE_WORDS - PAGE_ENTRY_HEAD_WORDS;
}

static inline uint64_t
sum_entry(const struct page_secrets *secrets, const uint64_t *entry)
{
	size_t len = 8 * (PAGE_ENTRY_HEAD_WORDS - 1) + key_len_of(entry) +
		     value_len_of(entry);

	return siphash(secrets->sum, &entry[WORD_KEY], len);
}

static inline bool
entry_is_of(const uint64_t *entry, const struct page_key *key)
{
	return key_len_of(entry) == key->len &&
	       memcmp(key_octets_of(entry), key->octets, key->len) == 0;
}

// Copies one entry out of a page that may change meanwhile.
static inline bool
copy_entry(const struct page *page, size_t at, struct entry_copy *ret)
{
	if (!place_fits(at))
		return false;
	for (size_t i = 0; i < PAGE_ENTRY_HEAD_WORDS; i++)
		ret->words[i] = peek(page, at + i);
	size_t words = entry_fits(ret->words, at);
	for (size_t i = PAGE_ENTRY_HEAD_WORDS; i < words; i++)
		ret->words[i] = peek(page, at + i);
	return words > 0;
}

// The next slot from *index on that bears the tag; *index is moved past it.
// Two slots a load, for this loop is a good part of a lookup.
static inline bool
next_slot(const struct page *page, size_t count, uint64_t hash, size_t *index,
    uint32_t *ret_slot)
{
	const uint64_t tags = (hash & 0xffff) << 48 | (hash & 0xffff) << 16;

	for (size_t i = *index; i < count; i = (i | 1) + 1) {
		uint64_t word = peek(page, PAGE_HEAD_WORDS + i / 2);
		uint64_t differs = word ^ tags;
		bool low = (differs & 0xffff0000) == 0 && i % 2 == 0;
		bool high = differs >> 48 == 0 && (i | 1) < count;
		if (!low && !high)
			continue;
		*index = low ? i + 1 : (i | 1) + 1;
		*ret_slot = slot_of(word, low ? 0 : 1);
		return true;
	}
	return false;
}

static inline bool
has_changed(const struct page *page, uint64_t sequence)
{
	atomic_thread_fence(memory_order_acquire);
	return peek(page, WORD_SEQUENCE) != sequence;
}

static enum found
try_get(const struct page *page, const struct page_secrets *secrets,
    const struct page_key *key, uint64_t sequence, struct entry_copy *copy)
{
	size_t count = count_of(peek(page, WORD_COUNT)), index = 0;
	uint32_t slot;

	if (count > PAGE_SLOTS_MAX)
		return has_changed(page, sequence) ? FOUND_CHANGE
						   : FOUND_NOTHING;
	while (next_slot(page, count, key->hash, &index, &slot)) {
		bool whole = copy_entry(page, slot_word(slot), copy);
		if (has_changed(page, sequence))
			return FOUND_CHANGE;
		if (whole && entry_is_of(copy->words, key) &&
		    copy->words[WORD_SUM] == sum_entry(secrets, copy->words))
			return FOUND_VALUE;
	}
	return has_changed(page, sequence) ? FOUND_CHANGE : FOUND_NOTHING;
}

bool
page_get(const struct page *page, const struct page_secrets *secrets,
    const struct page_key *key, uint8_t ret[CACHE_VALUE_MAX], size_t *ret_len)
{
	struct entry_copy copy;
	enum found found = FOUND_CHANGE;

	for (int i = 0; i < PAGE_TRIES && found == FOUND_CHANGE; i++) {
		uint64_t sequence = atomic_load_explicit(
		    &page->words[WORD_SEQUENCE], memory_order_acquire);
		if (sequence % 2 == 1)
			pause_briefly();
		else
			found = try_get(page, secrets, key, sequence, &copy);
	}
	if (found != FOUND_VALUE)
		return false;
	*ret_len = value_len_of(copy.words);
	memcpy(ret, key_octets_of(copy.words) + key->len, *ret_len);
	return true;
}

void
page_usage(const struct page *page, size_t *ret_octets, size_t *ret_entries)
{
	uint64_t word = peek(page, WORD_COUNT);
	size_t count = count_of(word), octets = octets_of(word) + 4 * count;
	bool sound = octets <= PAGE_OCTETS - 8 * PAGE_HEAD_WORDS;

	*ret_octets = sound ? octets : 0;
	*ret_entries = sound ? count : 0;
}

size_t
page_holds(const struct page *page, const struct page_key *key)
{
	size_t count = count_of(peek(page, WORD_COUNT)), index = 0;
	struct entry_copy copy;
	uint32_t slot;

	if (count > PAGE_SLOTS_MAX)
		return 0;
	while (next_slot(page, count, key->hash, &index, &slot))
		if (copy_entry(page, slot_word(slot), &copy) &&
		    entry_is_of(copy.words, key))
			return page_entry_octets(
			    key->len, value_len_of(copy.words));
	return 0;
}

// The draft: a private copy of a page, of which slots are struck out (made 0)
// and the rest is packed anew.

static size_t
draft_count(const struct page_draft *draft)
{
	return count_of(draft->words[WORD_COUNT]);
}

static uint32_t
draft_slot(const struct page_draft *draft, size_t index)
{
	return slot_of(draft->words[PAGE_HEAD_WORDS + index / 2], index);
}

static void
draft_set_slot(struct page_draft *draft, size_t index, uint32_t slot)
{
	uint64_t *word = &draft->words[PAGE_HEAD_WORDS + index / 2];
	unsigned shift = 32 * (index % 2);

	*word = (*word & ~((uint64_t)UINT32_MAX << shift)) | (uint64_t)slot
								 << shift;
}

// The entry of a slot, or NULL for one that is struck out or points nowhere.
// What lies among the slots is none: it would change as they are struck out, and
// the room that was counted would not be there.
static const uint64_t *
draft_entry(const struct page_draft *draft, size_t index, size_t *ret_words)
{
	size_t at = slot_word(draft_slot(draft, index));

	if (!place_fits(at) || at < slots_end(draft_count(draft)))
		return NULL;
	*ret_words = entry_fits(&draft->words[at], at);
	return *ret_words > 0 ? &draft->words[at] : NULL;
}

static void
draft_read(const struct page *page, struct page_draft *ret)
{
	for (size_t i = 0; i < PAGE_WORDS; i++)
		ret->words[i] = peek(page, i);
	if (draft_count(ret) > PAGE_SLOTS_MAX)
		ret->words[WORD_COUNT] = 0;
}

static void
draft_strike_key(struct page_draft *draft, const struct page_key *key)
{
	size_t words;

	for (size_t i = 0; i < draft_count(draft); i++) {
		const uint64_t *entry = draft_entry(draft, i, &words);
		if (entry != NULL && entry_is_of(entry, key))
			draft_set_slot(draft, i, 0);
	}
}

uint64_t
page_worth(
    uint64_t ends_ms, uint64_t worthless_ms, bool strict, uint64_t now_ms)
{
	if (now_ms >= worthless_ms)
		return 0;
	uint64_t ends = ends_ms < ENDS_MAX ? ends_ms : ENDS_MAX;
	return ends | (uint64_t)1 << (strict ? 63 : 62);
}

// Octets of all entries and slots. Entries of a page that was tampered with may
// overlap, so that the sum can exceed the page; then more of them go.
static size_t
draft_sweep(struct page_draft *draft, uint64_t now_ms, size_t *ret_least,
    uint64_t *ret_worth)
{
	size_t octets = 0, words;

	*ret_worth = UINT64_MAX;
	for (size_t i = 0; i < draft_count(draft); i++) {
		const uint64_t *entry = draft_entry(draft, i, &words);
		if (entry == NULL)
			continue;
		uint64_t worth = page_worth(ends_of(entry), worthless_of(entry),
		    strict_of(entry), now_ms);
		if (worth == 0) {
			draft_set_slot(draft, i, 0);
			continue;
		}
		octets += 4 + 8 * words;
		if (worth < *ret_worth) {
			*ret_worth = worth;
			*ret_least = i;
		}
	}
	return octets;
}

// Strikes out what is worth least until so many octets have room. Returns the
// worth of the last one that went, or 0.
static uint64_t
draft_make_room(struct page_draft *draft, size_t octets, uint64_t now_ms)
{
	uint64_t worth, price = 0;
	size_t least = 0;

	while (draft_sweep(draft, now_ms, &least, &worth) + octets > ROOM) {
		draft_set_slot(draft, least, 0);
		price = worth;
	}
	return price;
}

static void
draft_append(struct page_draft *draft, uint64_t hash, const uint64_t *entry,
    size_t words)
{
	uint64_t head = draft->words[WORD_COUNT];
	size_t count = count_of(head), octets = octets_of(head) + 8 * words;

	if (8 * slots_end(count + 1) + octets > PAGE_OCTETS)
		return; // only where entries overlapped
	size_t at = PAGE_WORDS - octets / 8;
	memcpy(&draft->words[at], entry, 8 * words);
	draft_set_slot(draft, count, make_slot(hash, at));
	draft->words[WORD_COUNT] = (uint64_t)octets << 16 | (count + 1);
}

// All free space becomes zeros: what was struck out must not come back when a
// writer dies in the middle of the page.
static void
draft_pack(const struct page_draft *draft, struct page_draft *ret)
{
	size_t words;

	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < draft_count(draft); i++) {
		const uint64_t *entry = draft_entry(draft, i, &words);
		if (entry != NULL)
			draft_append(
			    ret, draft_slot(draft, i) >> 16, entry, words);
	}
}

bool
page_is_torn(const struct page *page)
{
	return peek(page, WORD_SEQUENCE) % 2 == 1;
}

// Odd, then the words that differ, then even: a reader that began before sees
// another number at its end.
static void
page_write(struct page *page, const struct page_draft *draft)
{
	uint64_t odd = peek(page, WORD_SEQUENCE) | 1;

	atomic_store_explicit(
	    &page->words[WORD_SEQUENCE], odd, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	for (size_t i = WORD_COUNT; i < PAGE_WORDS; i++)
		if (peek(page, i) != draft->words[i])
			atomic_store_explicit(&page->words[i], draft->words[i],
			    memory_order_relaxed);
	atomic_store_explicit(
	    &page->words[WORD_SEQUENCE], odd + 1, memory_order_release);
}

static size_t
make_entry(const struct page_secrets *secrets, const struct page_key *key,
    const struct cache_value *value, struct entry_copy *ret)
{
	uint64_t ends = value->ends_ms, worthless = value->worthless_ms;
	size_t words = entry_words(key->len, value->len);
	uint8_t *octets = (uint8_t *)&ret->words[PAGE_ENTRY_HEAD_WORDS];

	ret->words[words - 1] = 0; // the padding
	ret->words[WORD_KEY] =
	    (ends < ENDS_MAX ? ends : ENDS_MAX) << 16 | key->len;
	ret->words[WORD_VALUE] = (worthless < ENDS_MAX ? worthless : ENDS_MAX)
				     << 16 |
				 (value->strict ? STRICT_BIT : 0) | value->len;
	memcpy(octets, key->octets, key->len);
	if (value->len > 0)
		memcpy(octets + key->len, value->data, value->len);
	ret->words[WORD_SUM] = sum_entry(secrets, ret->words);
	return words;
}

uint64_t
page_price(const struct page *page, size_t octets, uint64_t now_ms)
{
	struct page_draft draft;

	draft_read(page, &draft);
	return draft_make_room(&draft, octets, now_ms);
}

void
page_put(struct page *page, const struct page_secrets *secrets,
    const struct page_key *key, const struct cache_value *value,
    uint64_t now_ms)
{
	struct page_draft old, packed;
	struct entry_copy entry;
	size_t words = make_entry(secrets, key, value, &entry);

	draft_read(page, &old);
	draft_strike_key(&old, key);
	draft_make_room(&old, page_entry_octets(key->len, value->len), now_ms);
	draft_pack(&old, &packed);
	draft_append(&packed, key->hash, entry.words, words);
	page_write(page, &packed);
}

void
page_drop(struct page *page, const struct page_key *key)
{
	struct page_draft old, packed;

	draft_read(page, &old);
	draft_strike_key(&old, key);
	draft_pack(&old, &packed);
	page_write(page, &packed);
}

// The same key twice: both are whole, the first one stays.
static bool
draft_has_before(
    const struct page_draft *draft, size_t index, const struct page_key *key)
{
	size_t words;

	for (size_t i = 0; i < index; i++) {
		const uint64_t *entry = draft_entry(draft, i, &words);
		if (entry != NULL && entry_is_of(entry, key))
			return true;
	}
	return false;
}

static bool
draft_is_sound(const struct page_draft *draft, size_t index,
    const struct page_secrets *secrets)
{
	size_t words;
	const uint64_t *entry = draft_entry(draft, index, &words);

	if (entry == NULL || entry[WORD_SUM] != sum_entry(secrets, entry))
		return false;
	struct page_key key =
	    page_key(secrets, key_octets_of(entry), key_len_of(entry));
	return (key.hash & 0xffff) == draft_slot(draft, index) >> 16 &&
	       !draft_has_before(draft, index, &key);
}

void
page_repair(struct page *page, const struct page_secrets *secrets)
{
	struct page_draft torn, packed;

	draft_read(page, &torn);
	for (size_t i = 0; i < draft_count(&torn); i++)
		if (!draft_is_sound(&torn, i, secrets))
			draft_set_slot(&torn, i, 0);
	draft_pack(&torn, &packed);
	page_write(page, &packed);
}
