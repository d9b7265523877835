// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// SipHash-1-3 against another implementation: CPython 3.11 hashes bytes with it
// (sys.hash_info.algorithm is "siphash13"), with a key of zeros when
// PYTHONHASHSEED is 0 and one from a simple generator when it is another
// number. The messages are the octets 0, 1, 2, ...
#include "config.h"

#include "cache/siphash.h"

#include "table.h"

static const uint8_t zeros[SIPHASH_KEY_LEN];
static const uint8_t seed_1[SIPHASH_KEY_LEN] = { 0x29, 0x23, 0xbe, 0x84, 0xe1,
	0x6c, 0xd6, 0xae, 0x52, 0x90, 0x49, 0xf1, 0xf1, 0xbb, 0xe9, 0xeb };

static const struct {
	const char *sentence;
	const uint8_t *key;
	size_t len;
	uint64_t hash;
} rows[] = {
	{ "one octet under a key of zeros", zeros, 1, 0x68a914128e01e473 },
	{ "two octets under a key of zeros", zeros, 2, 0x010bac45c41e3669 },
	{ "three octets under a key of zeros", zeros, 3, 0x4d4c9a4a8ef6e0ad },
	{ "one octet less than a word under a key of zeros", zeros, 7,
	    0x2f098ab0c751325a },
	{ "one word under a key of zeros", zeros, 8, 0xead411e67ebe2eea },
	{ "a word and an octet under a key of zeros", zeros, 9,
	    0x75927f9d95124362 },
	{ "an octet less than two words under a key of zeros", zeros, 15,
	    0xf30eb725bb91c9ea },
	{ "two words under a key of zeros", zeros, 16, 0x8972188433a5c5b7 },
	{ "two words and an octet under a key of zeros", zeros, 17,
	    0x4883c49a2c009c1d },
	{ "an octet less than four words under a key of zeros", zeros, 31,
	    0x169739443111d49b },
	{ "four words under a key of zeros", zeros, 32, 0x31ef8061c910629b },
	{ "four words and an octet under a key of zeros", zeros, 33,
	    0x7fb71d24dfa4c9f6 },
	{ "an octet less than eight words under a key of zeros", zeros, 63,
	    0x385d3e39e5f37359 },
	{ "eight words under a key of zeros", zeros, 64, 0x75e05fd5bbc870c6 },
	{ "one octet under a random key", seed_1, 1, 0xecd3e5afcecda4b9 },
	{ "two octets under a random key", seed_1, 2, 0xbf360f1ea1745965 },
	{ "three octets under a random key", seed_1, 3, 0x8d5b20ab227ba858 },
	{ "one octet less than a word under a random key", seed_1, 7,
	    0xfd15e78052a69ddf },
	{ "one word under a random key", seed_1, 8, 0xc0b5739e7e28dd01 },
	{ "a word and an octet under a random key", seed_1, 9,
	    0x208a1a5a0cbbf778 },
	{ "an octet less than two words under a random key", seed_1, 15,
	    0xfa87985f39e97a53 },
	{ "two words under a random key", seed_1, 16, 0x12e9d283f9f37002 },
	{ "two words and an octet under a random key", seed_1, 17,
	    0x9f5bb4237f61907f },
	{ "an octet less than four words under a random key", seed_1, 31,
	    0xb8c17103f21d8810 },
	{ "four words under a random key", seed_1, 32, 0xf78bafba3c64318e },
	{ "four words and an octet under a random key", seed_1, 33,
	    0x936512292dbf5292 },
	{ "an octet less than eight words under a random key", seed_1, 63,
	    0x542052345bc68274 },
	{ "eight words under a random key", seed_1, 64, 0x7e644b6edc375dc8 },
};

static void
hashes_as_cpython(void **state)
{
	const uintptr_t index =
	    ((uintptr_t)*state - (uintptr_t)rows) / sizeof(rows[0]);
	uint8_t message[64];

	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (uint8_t)i;
	assert_int_equal(siphash(rows[index].key, message, rows[index].len),
	    rows[index].hash);
}

int
main(void)
{
	TABLE_ADD(rows, hashes_as_cpython);
	return table_run("siphash");
}
