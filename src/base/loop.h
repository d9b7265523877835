// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A libevent loop that reads the clock once a round: answers from the cache
// have no time for a clock call each.
#pragma once

#include <event2/event.h>

#include <stdbool.h>
#include <stdint.h>

struct loop;

// 0 or -ENOMEM. Made after fork: a loop belongs to one process.
int loop_new(struct loop **ret);
struct event_base *loop_base(struct loop *loop);
// The time of this round.
uint64_t loop_now_ms(struct loop *loop);
// Until loop_stop, or until no event is left to wait for. after (may be NULL)
// runs at the end of each round.
void loop_run(struct loop *loop, void (*after)(void *arg), void *arg);
// Ends loop_run after this round; called before loop_run, that returns at once.
void loop_stop(struct loop *loop);
void loop_free(struct loop *loop);
