// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Status pages: anonymous shared memory, made by the parent before it forks.
// Each child writes its own page only; anyone may read all of them.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define STATUS_CHILDREN_MAX 130

struct status_page {
	_Atomic uint64_t heartbeat_ms; // CLOCK_BOOTTIME; 0: not begun
	_Atomic uint32_t n_connections;
	_Atomic uint32_t n_in_flight, n_in_line;
	_Atomic uint64_t n_requests, n_cached, n_asked, n_deferred;
	_Atomic uint64_t n_decisions, n_lookups, n_refused;
	_Atomic uint32_t anchored;      // resolver: the root has validated
	_Atomic uint32_t busy_permille; // of a processor, before its last beat
	_Atomic uint64_t cpu_ms;        // processor time used, at its last beat
} __attribute__((aligned(128)));

// STATUS_CHILDREN_MAX pages, zeroed; NULL if memory ran out.
struct status_page *status_new(void);
// By the process itself, once a second.
void status_beat(struct status_page *page, uint64_t now_ms);

// All STATUS_CHILDREN_MAX pages in one line, for an administrator: counts since
// each process was started. fine: all processes are there and alive.
#define STATUS_TEXT_MAX 192
void status_describe(
    const struct status_page *pages, bool fine, char ret[STATUS_TEXT_MAX]);
