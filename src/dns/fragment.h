// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The administrator's fragment of unbound.conf (resolver_config): what in it
// is refused, because it would switch validation off, let records outlive
// themselves, or do what this daemon's library cannot do.
#pragma once

#include <stdbool.h>

#define FRAGMENT_ERROR_MAX 512

// Why this value of an option is refused; NULL: it is not.
const char *fragment_refusal(const char *option, const char *value);

// The options that a finished context is to be asked for, whatever the file
// seemed to say; NULL past the last.
const char *fragment_option(unsigned index);

// Reads text as unbound's own lexer does, as far as the options above are
// concerned; what that lexer would refuse anyway may pass. 0, or an error with
// FILE:LINE: -EPERM, or -EINVAL for a "#" behind a colon, where it is a comment
// or not by what the word before it is, and for an include within a value.
// ret_wants_tls: servers are to be asked over TLS.
int fragment_check(const char *file, const char *text, bool *ret_wants_tls,
    char ret_error[FRAGMENT_ERROR_MAX]);

// The absolute paths that are values in text, in fresh copies that the caller
// frees; at most max, the rest are passed over. The number of them.
unsigned fragment_paths(const char *text, char *ret[], unsigned max);
