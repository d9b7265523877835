// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A small text file, whole. Knows nothing of what is in it.
#pragma once

#include <stddef.h>

#define FILE_SIZE_MAX (1u << 20)

// Into a fresh, NUL-terminated buffer that the caller frees. 0 or a negative
// errno; -EFBIG past FILE_SIZE_MAX, -EINVAL for what is no regular file or
// holds a NUL.
int file_read(const char *path, char **ret, size_t *ret_len);
