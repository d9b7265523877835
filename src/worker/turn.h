// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Which worker is to take the next client, of all those that see him come.
// Clients gather at the first worker that has time to spare: where two wake for
// what one can do, each finds fewer questions at a waking, and the wakings cost
// more than the answers. When nobody has time, all get their share. Reads
// status pages and nothing else.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

// Of a processor, in the last second: more is not called time to spare.
#define TURN_BUSY_PERMILLE 250
// Questions with resolvers: each of more than these wakes its worker, on the
// resolver's processor, and cached answers wait for it to come back.
#define TURN_IN_FLIGHT_MAX 64
// Who has not beaten for longer takes nobody.
#define TURN_SILENT_MS     3000
// Where nobody has time: who has so many clients more than another (and a
// sixteenth of its own) lets that one go first.
#define TURN_AHEAD         16

// Whether worker `me` of n is to let another go first. now_ms: CLOCK_BOOTTIME.
bool turn_is_anothers(const struct status_page *workers, unsigned n,
    unsigned me, uint64_t now_ms);
