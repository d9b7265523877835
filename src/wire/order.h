// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What the parent tells its children, and they the parent, over the
// SOCK_SEQPACKET pair that each child is born with. A message may carry one
// descriptor.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum order_kind {
	ORDER_NOTHING = 0,
	// parent to child
	ORDER_RESOLVER, // worker: descriptor to resolver `index` of `count`
	ORDER_WORKER,   // resolver: descriptor to worker `index`
	ORDER_OWN,      // resolver: its parts of the cache are its alone now
	ORDER_HEIR,     // worker: hand all connections over this descriptor
	ORDER_BEQUEST,  // worker: connections will arrive over this descriptor
	ORDER_FINISH,   // any: finish what is in flight, then exit 0
	ORDER_RELOADED, // control: the reload that heeds its wishes up to
			// `index` is in force (count 1) or failed (0)
	// child to parent
	ORDER_READY,    // serves
	ORDER_LEFT,     // worker: after HEIR; it takes no new question
	ORDER_ANCHORED, // resolver: the root has validated
	ORDER_REMAP,    // any: the cache segment is dead and wants to be new
	ORDER_RELOAD,   // control: its wish number `index` for a reload
	ORDER_REPLACE,  // control: descriptor to another danemapd that wants
			// to take the sockets over
};

struct order {
	enum order_kind kind;
	uint32_t index, count;
	int fd; // -1: none. Received ones belong to the receiver.
};

// None of these blocks, whatever the descriptor's own mode.

// 0, or a negative errno (-EAGAIN: the other end is slow; -EINVAL: a descriptor
// is missing or too many). fd is not closed.
int order_send(int channel, const struct order *order);

// 1: one order; 0: the other end is gone; negative errno (-EAGAIN, -EINVAL for
// what no peer of ours would say; its descriptor is then closed). Close-on-exec
// is set on what arrives.
int order_receive(int channel, struct order *ret);

// Hands the orders that have arrived to obey, ORDER_ROUND_MAX at most; one that
// cannot be understood as ORDER_NOTHING. False: the other end is gone.
#define ORDER_ROUND_MAX 64
bool order_take(
    int channel, void (*obey)(void *arg, const struct order *order), void *arg);

// One connection with the octets read from it and not yet answered: how an old
// worker leaves its clients to the new one at a reload.
#define ORDER_LEFTOVER_MAX 10016
int order_bequeath(int channel, int client, const char *leftover, uint32_t len);
// As order_receive; ret_len octets in leftover.
int order_inherit(int channel, int *ret_client,
    char leftover[ORDER_LEFTOVER_MAX], uint32_t *ret_len);
