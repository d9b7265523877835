// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Words, and what stands between them: white space, ends of lines, comments.
// Promises to hand out nothing with a control character in it.

#include "config.h"

#include "policy/rules_words.h"

#include <stdio.h>
#include <string.h>

void
rules_words_begin(struct rules_words *words, const char *text, size_t len)
{
	words->at = text;
	words->end = text + len;
	words->behind = text;
	words->why_len = 0;
}

bool
rules_is_blank(char octet)
{
	return octet == ' ' || (octet >= '\t' && octet <= '\r');
}

static bool
is_control(char octet)
{
	return (unsigned char)octet < ' ' || octet == '\177';
}

bool
rules_word_is(struct rules_word word, const char *text)
{
	return strlen(text) == word.len &&
	       strncasecmp(text, word.at, word.len) == 0;
}

struct rules_word
rules_word_trim(struct rules_word word)
{
	while (word.len > 0 && rules_is_blank(*word.at)) {
		word.at++;
		word.len--;
	}
	while (word.len > 0 && rules_is_blank(word.at[word.len - 1]))
		word.len--;
	return word;
}

bool
rules_wrong(struct rules_fault *fault, const char *at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(fault->what, sizeof(fault->what), format, args);
	va_end(args);
	fault->at = at;
	return false;
}

static const char *
line_end(const struct rules_words *words, const char *at)
{
	const char *newline = memchr(at, '\n', (size_t)(words->end - at));
	return newline == NULL ? words->end : newline;
}

// A comment is kept for people: what they could not read is a blank.
static void
keep_comment(struct rules_words *words)
{
	const char *end = line_end(words, words->at);
	struct rules_word text = rules_word_trim((struct rules_word){
	    words->at + 1, (size_t)(end - words->at) - 1 });

	if (words->why_len > 0 && text.len > 0)
		words->why[words->why_len++] = ' ';
	for (size_t i = 0; i < text.len; i++)
		words->why[words->why_len++] =
		    is_control(text.at[i]) ? ' ' : text.at[i];
	words->at = end;
}

// A line that is a comment as a whole explains no single rule.
static bool
begins_line(const char *at, const char *begin)
{
	while (at > begin && at[-1] != '\n')
		if (!rules_is_blank(*--at))
			return false;
	return at > begin;
}

static void
skip_to_word(struct rules_words *words, bool commas)
{
	const char *begin = words->at;

	while (words->at < words->end) {
		if (rules_is_blank(*words->at) || (commas && *words->at == ','))
			words->at++;
		else if (*words->at != '#')
			return;
		else if (begins_line(words->at, begin))
			words->at = line_end(words, words->at);
		else
			keep_comment(words);
	}
}

// The end of what began with `{`, on the same line; NULL: there is none.
static const char *
closing_brace(const struct rules_words *words)
{
	const char *end = line_end(words, words->at);
	unsigned depth = 0;

	for (const char *at = words->at; at < end; at++) {
		if (*at == '{')
			depth++;
		else if (*at == '}' && --depth == 0)
			return at;
	}
	return NULL;
}

static bool
ends_word(char octet, bool commas)
{
	return rules_is_blank(octet) || (commas && octet == ',');
}

static enum rules_got
take(struct rules_words *words, const char *end, struct rules_word *ret,
    struct rules_fault *fault)
{
	struct rules_word word = { words->at, (size_t)(end - words->at) };

	for (size_t i = 0; i < word.len; i++) {
		if (!is_control(word.at[i]) || word.at[i] == '\t')
			continue;
		rules_wrong(
		    fault, word.at + i, "a control character: not a text file");
		return RULES_GOT_FAULT;
	}
	words->at = words->behind = end;
	*ret = word;
	return RULES_GOT_WORD;
}

static enum rules_got
take_braced(struct rules_words *words, bool commas, struct rules_word *ret,
    struct rules_fault *fault)
{
	const char *brace = closing_brace(words);

	if (brace == NULL) {
		rules_wrong(fault, words->at,
		    "nothing closes this \"{\": expected \"}\" on the same "
		    "line");
		return RULES_GOT_FAULT;
	}
	if (brace + 1 < words->end && !ends_word(brace[1], commas)) {
		rules_wrong(fault, brace + 1,
		    "text right behind \"}\": expected white space or a comma");
		return RULES_GOT_FAULT;
	}
	return take(words, brace + 1, ret, fault);
}

enum rules_got
rules_words_next(struct rules_words *words, bool commas, struct rules_word *ret,
    struct rules_fault *fault)
{
	skip_to_word(words, commas);
	if (words->at == words->end)
		return RULES_GOT_END;
	if (commas && *words->at == '{')
		return take_braced(words, commas, ret, fault);
	const char *end = words->at;
	while (end < words->end && !ends_word(*end, commas))
		end++;
	return take(words, end, ret, fault);
}
