// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Feeds a fuzzer with each of its seeds, and with each of their beginnings and
// with one octet changed: what was found once is not forgotten. The seeds of
// the program fuzz_NAME are in tests/fuzz/seeds/NAME.
#include "config.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED_MAX   65536
#define PREFIX_MAX 512 // of how long a beginning all are tried

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// A copy for each, without an octet to spare, so that a sanitizer sees what is
// read past it.
static void
feed(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	if (copy == NULL)
		abort();
	memcpy(copy, data, len);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static void
feed_around(uint8_t *data, size_t len)
{
	feed(data, len);
	for (size_t i = 0; i < len && i < PREFIX_MAX; i++) {
		feed(data, i);
		data[i] ^= 0x80;
		feed(data, len);
		data[i] ^= 0x80 ^ 0x11;
		feed(data, len);
		data[i] ^= 0x11;
	}
}

static int
replay(const char *folder, const char *name)
{
	static uint8_t data[SEED_MAX];
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "r");
	if (file == NULL)
		return -1;
	size_t len = fread(data, 1, sizeof(data), file);
	fclose(file);
	feed_around(data, len);
	return 0;
}

static const char *
name_of(const char *program)
{
	static const char prefix[] = "fuzz_";
	const char *slash = strrchr(program, '/');
	const char *base = slash == NULL ? program : slash + 1;
	size_t len = sizeof(prefix) - 1;

	return strncmp(base, prefix, len) == 0 ? base + len : base;
}

int
main(int argc, char **argv)
{
	const char *srcdir = getenv("srcdir");
	const struct dirent *entry;
	char folder[2048];
	unsigned n = 0;

	if (argc < 1)
		return 1;
	snprintf(folder, sizeof(folder), "%s/tests/fuzz/seeds/%s",
	    srcdir == NULL ? "." : srcdir, name_of(argv[0]));
	DIR *seeds = opendir(folder);
	if (seeds == NULL) {
		printf("Bail out! %s cannot be read\n", folder);
		return 1;
	}
	while ((entry = readdir(seeds)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		bool fed = replay(folder, entry->d_name) == 0;
		printf("%s %u - the seed %s\n", fed ? "ok" : "not ok", ++n,
		    entry->d_name);
		fflush(stdout);
	}
	closedir(seeds);
	printf("1..%u\n", n);
	return n > 0 ? 0 : 1;
}
