// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The stage of the cache's tests, see cache_stage.h.
#include "config.h"

#include "cache_stage.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

char folder[64], path[80], error[CACHE_ERROR_MAX], why[CACHE_ERROR_MAX];
enum cache_opened opened;
struct cache_settings settings;

// In TMPDIR, unless it has too long a name.
void
new_folder(void)
{
	static const char name[] = "/test_cache.XXXXXX";
	const char *parent = getenv("TMPDIR");

	if (parent == NULL || strlen(parent) + sizeof(name) > sizeof(folder))
		parent = "/tmp";
	snprintf(folder, sizeof(folder), "%s%s", parent, name);
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/cache", folder);
	settings = (struct cache_settings){ .path = path,
		.size = CACHE_SIZE_MIN,
		.context = "some anchors",
		.owner = getuid(),
		.group = getgid() };
}

void
remove_folder(void)
{
	static const char *const names[] = { "cache", "cache.lock", "cache.new",
		"other" };
	char name[96];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(name, sizeof(name), "%s/%s", folder, names[i]);
		remove(name);
	}
	for (int i = 1; i <= 10; i++) {
		snprintf(name, sizeof(name), "%s.saved.%d", path, i);
		remove(name);
	}
	assert_int_equal(rmdir(folder), 0);
}

void
run_in_folder(void **state)
{
	const struct stage_row *row = *state;

	new_folder();
	row->check();
	remove_folder();
}

void
write_text(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

bool
says(const char *name, const char *text)
{
	char found[128] = { 0 };
	FILE *file = fopen(name, "r");

	if (file == NULL)
		return false;
	size_t len = fread(found, 1, sizeof(found) - 1, file);
	fclose(file);
	return len == strlen(text) && memcmp(found, text, len) == 0;
}

struct cache *
open_cache(enum cache_opened want)
{
	struct cache *cache;

	int r = cache_open(&settings, &cache, &opened, why, error);
	if (r != 0)
		fail_msg("%s", error);
	assert_int_equal(opened, want);
	assert_int_equal(why[0] != '\0', want == CACHE_REPLACED);
	return cache;
}

int
fails(void)
{
	struct cache *cache = NULL;

	error[0] = '\0';
	int r = cache_open(&settings, &cache, &opened, why, error);
	assert_true(r < 0);
	assert_null(cache);
	assert_true(error[0] != '\0');
	return r;
}

void
own_all(struct cache *cache)
{
	for (unsigned part = 0; part < CACHE_PARTS; part++)
		cache_own(cache, part);
}

struct cache *
open_to_write(void)
{
	struct cache *cache = open_cache(CACHE_MADE);

	own_all(cache);
	return cache;
}

int
put(struct cache *cache, const char *key, const void *data, size_t len)
{
	const struct cache_value value = {
		.ends_ms = 1000, .worthless_ms = 2000, .data = data, .len = len
	};

	return cache_put(cache, (const uint8_t *)key, strlen(key), &value, 0);
}

bool
holds(const struct cache *cache, const char *key, const void *data, size_t len)
{
	static uint8_t octets[CACHE_VALUE_MAX];
	size_t found;

	return cache_get(
		   cache, (const uint8_t *)key, strlen(key), octets, &found) &&
	       found == len && memcmp(octets, data, len) == 0;
}

bool
misses(const struct cache *cache, const char *key)
{
	static uint8_t octets[CACHE_VALUE_MAX];
	size_t len;

	return !cache_get(
	    cache, (const uint8_t *)key, strlen(key), octets, &len);
}

int
in_child(int (*work)(void))
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(work());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
}

int
lock_is_held(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char name[96];

	snprintf(name, sizeof(name), "%s.lock", path);
	int fd = open(name, O_RDWR);
	return fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}
