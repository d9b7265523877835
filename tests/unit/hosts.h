// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Hosts of a domain in one line of a table: a preference and a letter each,
// "10D 20N". What the letters mean stands below and nowhere else.
#pragma once

#include "policy/facts.h"

#include <assert.h>
#include <stdlib.h>

// D  DANE, writable under both digests    N  no DANE, or insecure
// d  DANE, writable under neither         E  in error, no address known
// s  DANE, writable as sha256 only        e  in error, an address known
// l  DANE, writable as sha512 only        A  absent
// U  all records unusable                 !  behind one: its record kills smtp
static inline struct facts_host
hosts_letter(char letter)
{
	const uint8_t reachable = FACTS_HAS_ADDRESS;
	switch (letter) {
	case 'D':
		return (struct facts_host){ .state = FACTS_DANE,
			.flags = reachable | FACTS_SHA256 | FACTS_SHA512 };
	case 'd':
		return (struct facts_host){ .state = FACTS_DANE,
			.flags = reachable };
	case 's':
		return (struct facts_host){ .state = FACTS_DANE,
			.flags = reachable | FACTS_SHA256 };
	case 'l':
		return (struct facts_host){ .state = FACTS_DANE,
			.flags = reachable | FACTS_SHA512 };
	case 'U':
		return (struct facts_host){ .state = FACTS_UNUSABLE,
			.flags = reachable };
	case 'N':
		return (struct facts_host){ .state = FACTS_NODANE,
			.flags = reachable };
	case 'e':
		return (struct facts_host){ .state = FACTS_ERROR,
			.flags = reachable };
	case 'A':
		return (struct facts_host){ .state = FACTS_ABSENT };
	default:
		assert(letter == 'E');
		return (struct facts_host){ .state = FACTS_ERROR };
	}
}

static inline void
hosts_read(const char *text, struct facts *ret)
{
	ret->n_hosts = 0;
	while (*text != '\0') {
		char *letter;
		unsigned long preference = strtoul(text, &letter, 10);
		assert(ret->n_hosts < FACTS_HOSTS_MAX && letter != text);
		struct facts_host *host = &ret->hosts[ret->n_hosts++];
		*host = hosts_letter(*letter);
		host->preference = (uint16_t)preference;
		text = letter + 1;
		if (*text == '!') {
			host->flags |= FACTS_KILLS_SMTP;
			text++;
		}
		if (*text == ' ')
			text++;
	}
}
