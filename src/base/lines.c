// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Joins in place: a logical line is never longer than the physical lines that
// it is made of, so no memory is needed and no length is limited here.
#include "config.h"

#include "base/lines.h"

#include <string.h>

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

struct span {
	char *text;
	size_t len;
	bool indented;
};

// The physical line at `at`, trimmed; ret_next is the start of the one after.
static struct span
peek(const struct lines *lines, char **ret_next)
{
	struct span line = { .text = lines->at };
	char *newline = memchr(lines->at, '\n', lines->end - lines->at);
	char *end = newline ? newline : lines->end;

	*ret_next = newline ? newline + 1 : end;
	while (line.text < end && is_blank(*line.text))
		line.text++;
	line.indented = line.text > lines->at;
	while (end > line.text && is_blank(end[-1]))
		end--;
	line.len = end - line.text;
	return line;
}

static bool
says_nothing(const struct span *line)
{
	return line->len == 0 || line->text[0] == '#';
}

static void
append(struct lines_line *to, const struct span *part)
{
	to->text[to->len++] = ' '; // where the line's end was, at the latest
	memmove(to->text + to->len, part->text, part->len);
	to->len += part->len;
}

void
lines_begin(struct lines *lines, char *text, size_t len)
{
	*lines = (struct lines){ .at = text, .end = text + len, .number = 1 };
}

bool
lines_next(struct lines *lines, struct lines_line *ret)
{
	struct lines_line line = { 0 };
	char *next;

	for (; lines->at < lines->end; lines->at = next, lines->number++) {
		struct span part = peek(lines, &next);

		if (says_nothing(&part))
			continue;
		if (line.text && !part.indented)
			break;
		if (line.text) {
			append(&line, &part);
			continue;
		}
		line = (struct lines_line){ .text = part.text,
			.len = part.len,
			.number = lines->number,
			.orphan = part.indented };
	}
	if (!line.text)
		return false;
	line.text[line.len] = '\0'; // over its line end, or the spare octet
	*ret = line;
	return true;
}
