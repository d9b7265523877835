// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Domain names in presentation form (RFC 1035 section 5.1), where an octet may
// take up to four characters ("\ddd"). Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>

// Characters of the longest name, without the trailing dot.
#define DNAME_TEXT_MAX 1024

// The folded octet: names are compared without regard to ASCII case.
char dname_fold(char c);

// Octets of a name in presentation form, 0 if it is none (the root does not
// count); ret_len are its characters. Neither counts a trailing dot.
size_t dname_measure(const char *text, size_t *ret_len);

// The name that is one label shorter, within text; NULL: the root, or text that
// is no name before its first dot.
const char *dname_parent(const char *text);

// As memcmp, folded; the shorter of two that begin alike is less.
int dname_compare(const char *a, size_t a_len, const char *b, size_t b_len);

// Four decimal numbers with dots between, as Postfix takes them for an address
// where a name should be.
bool dname_is_ipv4(const char *text);
