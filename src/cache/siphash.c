// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// SipHash with one round a word and three at the end, after the paper
// "SipHash: a fast short-input PRF" (Aumasson, Bernstein, 2012), sections 2.1
// to 2.4. Knows nothing of what it hashes.
#include "config.h"

#include "cache/siphash.h"

#include <endian.h>
#include <string.h>

struct state {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t
rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

static inline void
round_once(struct state *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 = rotate(s->v2, 32);
}

static inline void
absorb(struct state *s, uint64_t word)
{
	s->v3 ^= word;
	round_once(s);
	s->v0 ^= word;
}

static inline uint64_t
read_word(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return le64toh(word);
}

// The last word holds what is left of the data, and the length's low octet on
// top, so that trailing zeros count.
static inline uint64_t
last_word(const uint8_t *bytes, size_t len)
{
	uint64_t word = (uint64_t)(len & 0xff) << 56;

	for (size_t i = 0; i < len % 8; i++)
		word |= (uint64_t)bytes[i] << (8 * i);
	return word;
}

static inline struct state
begin(const uint8_t key[SIPHASH_KEY_LEN])
{
	uint64_t k0 = read_word(key), k1 = read_word(key + 8);

	// "somepseudorandomlygeneratedbytes", big-endian
	return (struct state){
		.v0 = k0 ^ 0x736f6d6570736575,
		.v1 = k1 ^ 0x646f72616e646f6d,
		.v2 = k0 ^ 0x6c7967656e657261,
		.v3 = k1 ^ 0x7465646279746573,
	};
}

uint64_t
siphash(const uint8_t key[SIPHASH_KEY_LEN], const void *data, size_t len)
{
	struct state s = begin(key);
	const uint8_t *bytes = data;
	const uint8_t *end = bytes + len - len % 8;

	for (; bytes < end; bytes += 8)
		absorb(&s, read_word(bytes));
	absorb(&s, last_word(bytes, len));
	s.v2 ^= 0xff;
	for (int i = 0; i < 3; i++)
		round_once(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
