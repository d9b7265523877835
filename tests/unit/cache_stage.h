// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What the tests of the cache share: a folder for each test, and a cache in it
// that is opened as it ought to be or fails the test.
#pragma once

#include "cache/cache.h"

#include "table.h"

extern char folder[64], path[80]; // path: of the cache in the folder
extern char error[CACHE_ERROR_MAX], why[CACHE_ERROR_MAX];
extern enum cache_opened opened;
extern struct cache_settings settings; // new_folder sets them

void new_folder(void);
void remove_folder(void);

// A test of which each run has a folder to itself.
struct stage_row {
	const char *sentence;
	void (*check)(void);
};

void run_in_folder(void **state); // of a row

void write_text(const char *name, const char *text); // over what is there
bool says(const char *name, const char *text);       // all of it

struct cache *open_cache(enum cache_opened want);
int fails(void); // the error that opening it ends in
void own_all(struct cache *cache);
struct cache *open_to_write(void); // a new one, of which all is owned

// Of entries that are not strict and end at 1000.
int put(struct cache *cache, const char *key, const void *data, size_t len);
bool holds(
    const struct cache *cache, const char *key, const void *data, size_t len);
bool misses(const struct cache *cache, const char *key);

// The exit status of `work` in a process of its own; 1000 if it was killed.
int in_child(int (*work)(void));

// 0 if the lock is free, 1 if another process holds it.
int lock_is_held(void);
