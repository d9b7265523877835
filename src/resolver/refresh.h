// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Entries in use are resolved anew at their end. A worker that serves one in
// the last tenth of its life gives a hint; the promise is noted in the entry,
// so that no worker hints again, and kept when the entry ends.
#pragma once

#include "base/conf.h"
#include "base/loop.h"
#include "cache/cache.h"
#include "resolver/flights.h"

struct refresh;

struct refresh_settings {
	const struct conf *conf;
	struct cache *cache;
	struct loop *loop;
	struct flights *flights;
	unsigned promises_max; // past that, hints are forgotten
};

// 0 or a negative errno.
int refresh_new(const struct refresh_settings *settings, struct refresh **ret);

// An entry whose answer has ended already, strict and still served, is tried
// again at once, but not while the deferral beside it stands.
void refresh_hint(struct refresh *refresh, struct ident id);

unsigned refresh_promised(const struct refresh *refresh);
void refresh_free(struct refresh *refresh);
