// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Two ways to tell a story: a tree for people, an object a line for programs.
#pragma once

#include "tool/story.h"

#include <stdio.h>

void render_tree(const struct story *story, bool colour, FILE *out);

// 0, or -ENOMEM.
int render_object(const struct story *story, FILE *out);

// Whether out is a terminal and nobody objects (https://no-color.org).
bool render_wants_colour(FILE *out);
