// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Octets with a count of holders. Knows neither who holds them nor what they
// say.
#include "config.h"

#include "resolver/letter.h"

#include <stdlib.h>
#include <string.h>

struct letter *
letter_new(enum ask_kind kind, const void *data, size_t len)
{
	struct letter *letter = malloc(sizeof(*letter) + len);

	if (!letter)
		return NULL;
	letter->n_holders = 1;
	letter->kind = kind;
	letter->len = len;
	memcpy(letter->data, data, len);
	return letter;
}

struct letter *
letter_hold(struct letter *letter)
{
	letter->n_holders++;
	return letter;
}

void
letter_drop(struct letter *letter)
{
	if (letter && --letter->n_holders == 0)
		free(letter);
}
