// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The file: found and judged, or made, allocated in full and renamed into
// place; then mapped. Knows its header and that pages follow; what is in them
// is the business of page.h.
#pragma once

#include "cache/cache.h"
#include "cache/page.h"

#define SEGMENT_VERSION 1
#define SEGMENT_MAGIC "danemap" // and its NUL
#define SEGMENT_BOOT_ID_LEN 40	// 36 of text, zeros

// Where in the file cache.c marks the page that each part last wrote.
#define SEGMENT_MARKS 4096

// The file's first octets, in the machine's own byte order: the file never
// leaves it. The first page holds this, the marks, and zeros. A new
// layout is a new version.
struct segment_header {
	char magic[8];
	uint32_t version;
	uint32_t byte_order; // 0x01020304
	uint64_t size;	     // of the file
	uint32_t page_octets;
	uint32_t n_parts;
	char boot_id[SEGMENT_BOOT_ID_LEN];
	uint8_t context[CACHE_CONTEXT_LEN];
	struct page_secrets secrets;
	uint64_t sum; // siphash of all before, with a key of zeros
};

struct segment {
	uint8_t *base;
	uint64_t size;
	int fd;	   // -1 once attached
	int lock;  // lock.h; -1 once attached
	int guard; // guard.h
	bool writable;
	struct page_secrets secrets; // a copy: the file is not asked again
};

// These are cache_open, cache_attach and cache_close, see cache.h.
int segment_open(const struct cache_settings *settings, struct segment *ret,
    enum cache_opened *ret_opened, char ret_why[CACHE_ERROR_MAX],
    char ret_error[CACHE_ERROR_MAX]);
int segment_attach(struct segment *segment, bool writable);
void segment_close(struct segment *segment);
