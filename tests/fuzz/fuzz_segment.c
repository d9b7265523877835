// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A whole cache file with any octets changed, opened as a daemon opens it. It
// is kept if and only if its header says what was asked for and adds up; what
// is found in it then stands in the file under that very key with a right
// checksum; what is in pages that nobody touched is found; the cache serves and
// keeps what is put into it, whatever it held; and a file that can never have
// been a cache is not lost.
//
// The octets: what else is done, then patches: three of an offset, one of a
// length, the new octets.
//
// Under test: src/cache/segment.c src/cache/cache.c src/cache/page.c
#include "config.h"

#include "input.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache/cache.h"
#include "cache/segment.h"

#define SIZE    CACHE_SIZE_MIN
#define N_PAGES (SIZE / PAGE_OCTETS)
#define N_KEYS  8
#define KEY_LEN 4

enum {
	ADD_UP = 1,        // the header's sum is made right
	CUT = 2,           // the file has another size
	OPEN_TO_ALL = 4,   // its mode
	OTHER_CONTEXT = 8, // is asked for
	TWICE = 16,        // opened once more at the end
};

static char path[64], lock_path[80], saved_path[80];
static uint8_t sound[SIZE];
static bool is_used[N_PAGES];
static uint8_t keys[N_KEYS + 1][KEY_LEN]; // the last is put by each run
static size_t places[N_KEYS];             // of their entries in the file

// What is in the file while a run lasts.
static struct {
	uint8_t *octets;
	bool touched[N_PAGES];
} file;

static const uint8_t *
value_of(size_t i, size_t *ret_len)
{
	static uint8_t value[256];

	*ret_len = 16 * i;
	memset(value, (int)('a' + i), sizeof(value));
	return value;
}

// --- the sound file ---

static struct cache *
open_cache(uint8_t how, enum cache_opened *ret_opened)
{
	char why[CACHE_ERROR_MAX] = "", error[CACHE_ERROR_MAX] = "";
	struct cache_settings settings = { .path = path,
		.size = SIZE,
		.owner = geteuid(),
		.group = getegid() };
	struct cache *cache;

	settings.context[0] = (how & OTHER_CONTEXT) != 0;
	REQUIRE(cache_open(&settings, &cache, ret_opened, why, error) == 0);
	REQUIRE((why[0] != '\0') == (*ret_opened == CACHE_REPLACED));
	return cache;
}

static uint64_t
header_sum(const struct segment_header *header)
{
	static const uint8_t zeros[SIPHASH_KEY_LEN];

	return siphash(zeros, header, offsetof(struct segment_header, sum));
}

// Secrets that are the same in each run.
static void
settle_secrets(void)
{
	struct segment_header header;
	int fd = open(path, O_RDWR);

	REQUIRE(fd >= 0);
	REQUIRE(pread(fd, &header, sizeof(header), 0) == sizeof(header));
	memset(&header.secrets, 's', sizeof(header.secrets));
	header.sum = header_sum(&header);
	REQUIRE(pwrite(fd, &header, sizeof(header), 0) == sizeof(header));
	close(fd);
}

static void
put(struct cache *cache, size_t i, const uint8_t *data, size_t len)
{
	const struct cache_value value = { .ends_ms = 100,
		.worthless_ms = 1000,
		.strict = i % 2 == 1,
		.data = data,
		.len = len };

	cache_own(cache, cache_part(cache, keys[i], KEY_LEN));
	REQUIRE(cache_put(cache, keys[i], KEY_LEN, &value, 0) == 0);
}

// All keys are of a few parts, so that a few pages are in use.
static void
find_keys(struct cache *cache)
{
	size_t n = 0;

	for (uint32_t i = 1; n < N_KEYS + 1; i++) {
		memcpy(keys[n], &i, KEY_LEN);
		n += cache_part(cache, keys[n], KEY_LEN) < 4;
	}
}

static void
read_sound(void)
{
	static const uint8_t zeros[PAGE_OCTETS];
	int fd = open(path, O_RDONLY);

	REQUIRE(fd >= 0 && pread(fd, sound, SIZE, 0) == (ssize_t)SIZE);
	close(fd);
	for (size_t i = 0; i < N_PAGES; i++)
		is_used[i] =
		    memcmp(sound + i * PAGE_OCTETS, zeros, PAGE_OCTETS) != 0;
	for (size_t i = 0; i < N_KEYS; i++)
		for (size_t at = PAGE_OCTETS; at + 32 <= SIZE; at += 8)
			if (memcmp(sound + at + 24, keys[i], KEY_LEN) == 0 &&
			    sound[at + 8] == KEY_LEN)
				places[i] = at;
}

static void
remove_files(void)
{
	unlink(path);
	unlink(lock_path);
	unlink(saved_path);
}

static void
make_sound(void)
{
	enum cache_opened opened;
	size_t len;

	if (path[0] != '\0')
		return;
	// A file is made and allocated in each run: better without a disk.
	snprintf(path, sizeof(path), "%s/fuzz_segment.%ld",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp",
	    (long)getpid());
	snprintf(lock_path, sizeof(lock_path), "%s.lock", path);
	snprintf(saved_path, sizeof(saved_path), "%s.saved.1", path);
	atexit(remove_files);
	cache_close(open_cache(0, &opened));
	REQUIRE(opened == CACHE_MADE);
	settle_secrets();
	struct cache *cache = open_cache(0, &opened);
	REQUIRE(opened == CACHE_KEPT);
	find_keys(cache);
	for (size_t i = 0; i < N_KEYS; i++) {
		const uint8_t *value = value_of(i, &len);
		put(cache, i, value, len);
	}
	cache_close(cache);
	read_sound();
}

// --- the file of a run ---

static void
patch(int fd, struct input *input)
{
	while (input_left(input) > 0) {
		size_t at = input_number(input, 3) % SIZE, len;
		size_t want = input_octet(input);
		const uint8_t *octets = input_take(input, want, &len);

		len = len < SIZE - at ? len : SIZE - at;
		REQUIRE(pwrite(fd, octets, len, (off_t)at) == (ssize_t)len);
		for (size_t i = at; i < at + len; i++)
			file.touched[i / PAGE_OCTETS] = true;
	}
}

static void
add_up(int fd)
{
	struct segment_header header;

	REQUIRE(pread(fd, &header, sizeof(header), 0) == sizeof(header));
	header.sum = header_sum(&header);
	REQUIRE(pwrite(fd, &header, sizeof(header), 0) == sizeof(header));
}

static void
write_file(struct input *input, uint8_t how)
{
	off_t size = how & CUT ? (off_t)input_number(input, 3) : (off_t)SIZE;

	memset(&file, 0, sizeof(file));
	unlink(path);
	unlink(saved_path);
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
	REQUIRE(fd >= 0);
	REQUIRE(ftruncate(fd, SIZE) == 0);
	for (size_t i = 0; i < N_PAGES; i++)
		if (is_used[i])
			REQUIRE(pwrite(fd, sound + i * PAGE_OCTETS, PAGE_OCTETS,
				    (off_t)(i * PAGE_OCTETS)) == PAGE_OCTETS);
	patch(fd, input);
	if (how & ADD_UP)
		add_up(fd);
	REQUIRE(ftruncate(fd, size) == 0);
	REQUIRE(fchmod(fd, how & OPEN_TO_ALL ? 0640 : 0600) == 0);
	close(fd);
}

// Neither as long as asked for, and for us alone, nor with our mark or its
// beginning.
static bool
is_strange(uint8_t how)
{
	char mark[sizeof(SEGMENT_MAGIC)];
	struct stat st;
	int fd = open(path, O_RDONLY);

	REQUIRE(fd >= 0 && fstat(fd, &st) == 0);
	ssize_t n = pread(fd, mark, sizeof(mark), 0);
	close(fd);
	REQUIRE(n >= 0);
	return n > 0 && memcmp(mark, SEGMENT_MAGIC, (size_t)n) != 0 &&
	       (st.st_size != SIZE || (how & OPEN_TO_ALL) != 0);
}

// As src/cache/FORMAT draws it.
static bool
may_be_kept(uint8_t how)
{
	struct segment_header is = { .size = 0 }, want;
	struct stat st;
	int fd = open(path, O_RDONLY);

	REQUIRE(fd >= 0 && fstat(fd, &st) == 0);
	bool whole = pread(fd, &is, sizeof(is), 0) == sizeof(is);
	close(fd);
	memcpy(&want, sound, sizeof(want));
	want.secrets = is.secrets;
	want.sum = header_sum(&want);
	return whole && memcmp(&is, &want, sizeof(is)) == 0 &&
	       st.st_size == SIZE && (how & (OPEN_TO_ALL | OTHER_CONTEXT)) == 0;
}

// --- what is found in it ---

static uint64_t
number_at(const uint8_t *at)
{
	uint64_t number;

	memcpy(&number, at, sizeof(number));
	return number;
}

static bool
is_entry(const uint8_t *at, size_t left, const uint8_t *key,
    const uint8_t *value, size_t len)
{
	struct segment_header header;
	size_t whole = 24 + KEY_LEN + len;

	if (left < whole || (number_at(at + 8) & 0xffff) != KEY_LEN ||
	    (number_at(at + 16) & 0x7fff) != len)
		return false;
	memcpy(&header, file.octets, sizeof(header));
	return memcmp(at + 24, key, KEY_LEN) == 0 &&
	       memcmp(at + 24 + KEY_LEN, value, len) == 0 &&
	       siphash(header.secrets.sum, at + 8, whole - 8) == number_at(at);
}

static bool
stands_in_page(
    size_t page, const uint8_t *key, const uint8_t *value, size_t len)
{
	const uint8_t *start = file.octets + page * PAGE_OCTETS;

	for (size_t at = 16; at + 24 <= PAGE_OCTETS; at += 8)
		if (is_entry(start + at, PAGE_OCTETS - at, key, value, len))
			return true;
	return false;
}

static bool
stands_in_file(const uint8_t *key, const uint8_t *value, size_t len)
{
	for (size_t i = 1; i < N_PAGES; i++)
		if ((is_used[i] || file.touched[i]) &&
		    stands_in_page(i, key, value, len))
			return true;
	return false;
}

static void
check_key(const struct cache *cache, size_t i, bool must_be_there)
{
	static uint8_t found[CACHE_VALUE_MAX];
	size_t len, value_len;
	const uint8_t *value = value_of(i, &value_len);
	bool is_there = cache_get(cache, keys[i], KEY_LEN, found, &len);

	if (must_be_there)
		REQUIRE(is_there && len == value_len &&
			memcmp(found, value, len) == 0);
	else if (is_there)
		REQUIRE(stands_in_file(keys[i], found, len));
}

static void
check_keys(const struct cache *cache, bool is_kept)
{
	for (size_t i = 0; i < N_KEYS; i++)
		check_key(cache, i,
		    is_kept && !file.touched[0] &&
			!file.touched[places[i] / PAGE_OCTETS]);
}

static void
check_put(struct cache *cache)
{
	static uint8_t found[CACHE_VALUE_MAX];
	const uint8_t *key = keys[N_KEYS];
	uint8_t value[300];
	size_t len;

	memset(value, 'p', sizeof(value));
	put(cache, N_KEYS, value, sizeof(value));
	REQUIRE(cache_get(cache, key, KEY_LEN, found, &len));
	REQUIRE(len == sizeof(value) && memcmp(found, value, len) == 0);
}

static void
map_file(void)
{
	int fd = open(path, O_RDONLY);

	REQUIRE(fd >= 0);
	file.octets = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	REQUIRE(file.octets != MAP_FAILED);
	close(fd);
}

static void
check_again(uint8_t how)
{
	static uint8_t found[CACHE_VALUE_MAX];
	enum cache_opened opened;
	struct cache *cache = open_cache(how, &opened);
	size_t len;

	REQUIRE(opened == CACHE_KEPT);
	REQUIRE(cache_get(cache, keys[N_KEYS], KEY_LEN, found, &len));
	cache_close(cache);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, data + size };
	uint8_t how = input_octet(&input);
	struct cache_usage usage;
	enum cache_opened opened;

	make_sound();
	write_file(&input, how);
	bool is_kept = may_be_kept(how), must_be_saved = is_strange(how);
	struct cache *cache = open_cache(how, &opened);
	REQUIRE(opened == (is_kept ? CACHE_KEPT : CACHE_REPLACED));
	REQUIRE(must_be_saved == (access(saved_path, F_OK) == 0));
	map_file();
	check_keys(cache, is_kept);
	cache_usage(cache, &usage);
	REQUIRE(usage.size == SIZE && usage.n_octets <= SIZE);
	check_put(cache);
	cache_close(cache);
	if (how & TWICE)
		check_again(how);
	munmap(file.octets, SIZE);
	return 0;
}
