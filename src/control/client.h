// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Clients of control_socket: lines in, lines out, one request of each at a
// time. Knows the protocol of control.h, and nothing of orders.
#pragma once

#include "base/loop.h"
#include "base/status.h"

#include <stdbool.h>

struct clients;

struct clients_settings {
	struct loop *loop;
	const struct status_page *pages;
	unsigned n_pages;
	// Somebody wants a reload; the outcome is for clients_outcome to say.
	// Returns the number that this wish has, from 1 and rising, or 0 if it
	// could not be passed on.
	uint32_t (*reload)(void *arg);
	// Another danemapd wants the sockets: fd, which stays the caller's, is
	// its connection. False if it could not be passed on.
	bool (*replace)(int fd, void *arg);
	void *arg;
};

// 0 or -ENOMEM. settings are copied.
int clients_new(const struct clients_settings *settings, struct clients **ret);

// Takes the connection over. Past CONTROL_CLIENTS_MAX it is told so and closed.
void clients_add(struct clients *clients, int fd);

// How the reload went that heeds all wishes up to that number.
void clients_outcome(struct clients *clients, uint32_t wish, bool in_force);

// Those who wait for an outcome are told to ask again, and so is whoever asks
// for one from now on: a request may be on its way while its client is taken
// for idle.
void clients_finish(struct clients *clients);

// No request is read any more. Each goes once its last reply has left.
void clients_dismiss(struct clients *clients);

unsigned clients_count(const struct clients *clients);
void clients_free(struct clients *clients);
