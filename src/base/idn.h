// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// U-labels to A-labels: the only file that includes libidn2.
#pragma once

#include <stddef.h>

// One label of UTF-8 to its A-label by IDNA2008, non-transitional. 0 or
// -EINVAL. For struct nexthop_env.
int idn_label_to_ascii(const char *label, size_t len, char ret[64]);
