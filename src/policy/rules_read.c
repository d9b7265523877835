// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A policy file into a block of rules, all of it or none. Promises to say of
// the first thing that is wrong where it stands and what was expected there.

#include "config.h"

#include "policy/rules.h"

#include "policy/rules_block.h"
#include "policy/rules_grammar.h"
#include "policy/rules_words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

// What a text may grow by: for each rule brackets, a port in digits instead of
// a name, an address in full and three NULs; for each line with U-labels their
// A-labels as well.
#define GROWTH_RULE   32
#define GROWTH_U_LINE (NEXTHOP_NAME_MAX + 1)

#define FILE_SHOWN_MAX 150 // octets of a file's name in an error

struct reader {
	const struct rules_text *from;
	const struct nexthop_env *env;
	struct rules *rules;
	const char *at; // what is still to be read
	unsigned line;  // of `at`, from 1
	struct rules_fault fault;
	struct rules_words words;
	struct rules_draft draft;
	struct nexthop nexthop;
};

// One rule: its line and those that continue it.
struct paragraph {
	const char *text;
	size_t len;
	unsigned line;
};

static const char *
text_end(const struct rules_text *from)
{
	return from->text + from->len;
}

// The first octet of the line after.
static const char *
next_line(const char *at, const char *end)
{
	const char *newline = memchr(at, '\n', (size_t)(end - at));
	return newline == NULL ? end : newline + 1;
}

enum line_kind { LINE_EMPTY = 0, LINE_RULE, LINE_MORE };

static enum line_kind
line_kind(const char *at, const char *end)
{
	const char *first = at;

	while (first < end && *first != '\n' && rules_is_blank(*first))
		first++;
	if (first == end || *first == '\n' || *first == '#')
		return LINE_EMPTY;
	return first == at ? LINE_RULE : LINE_MORE;
}

// --- memory ---

static bool
has_high_octet(const char *at, const char *end)
{
	for (; at < end; at++)
		if ((unsigned char)*at > 127)
			return true;
	return false;
}

struct extent {
	size_t n_rules, n_u_lines;
};

static struct extent
measure(const struct rules_text *from)
{
	const char *at = from->text, *end = text_end(from), *next;
	struct extent extent = { 0, 0 };

	for (; at < end; at = next) {
		next = next_line(at, end);
		if (line_kind(at, end) != LINE_RULE)
			continue;
		extent.n_rules++;
		extent.n_u_lines += has_high_octet(at, next);
	}
	return extent;
}

size_t
rules_memory(const struct rules_text *from)
{
	struct extent extent = { 0, 0 };
	struct rules plan;

	if (from->len > RULES_TEXT_MAX)
		return 0;
	extent = measure(from);
	if (extent.n_rules > RULES_MAX)
		return 0;
	return rules_lay_out((uint32_t)extent.n_rules, &plan) + 3 * from->len +
	       GROWTH_RULE * extent.n_rules + GROWTH_U_LINE * extent.n_u_lines;
}

// --- where it is wrong ---

// Columns count characters, from 1.
static int
refuse(const struct reader *reader, const struct paragraph *paragraph,
    char error[RULES_ERROR_MAX])
{
	const char *at = paragraph->text, *wrong = reader->fault.at;
	unsigned line = paragraph->line, column = 1;

	for (; at < wrong; at++) {
		if (*at == '\n') {
			line++;
			column = 1;
		} else if ((*at & 0xc0) != 0x80) {
			column++;
		}
	}
	snprintf(error, RULES_ERROR_MAX, "%.*s:%u:%u: %s", FILE_SHOWN_MAX,
	    reader->from->file, line, column, reader->fault.what);
	return -EINVAL;
}

// --- paragraphs ---

// False at the end of the text.
static bool
next_paragraph(struct reader *reader, struct paragraph *ret)
{
	const char *end = text_end(reader->from);
	enum line_kind kind = LINE_EMPTY;

	for (; reader->at < end; reader->line++) {
		kind = line_kind(reader->at, end);
		if (kind != LINE_EMPTY)
			break;
		reader->at = next_line(reader->at, end);
	}
	*ret = (struct paragraph){ .text = reader->at, .line = reader->line };
	if (kind == LINE_EMPTY)
		return false;
	do {
		if (kind != LINE_EMPTY)
			ret->len =
			    (size_t)(next_line(reader->at, end) - ret->text);
		reader->at = next_line(reader->at, end);
		reader->line++;
		kind = line_kind(reader->at, end);
	} while (reader->at < end && kind != LINE_RULE);
	return true;
}

static bool
check_paragraph(struct reader *reader, const struct paragraph *paragraph)
{
	if (rules_is_blank(*paragraph->text))
		return rules_wrong(&reader->fault, paragraph->text,
		    "a line that starts with white space continues the one "
		    "before, and there is none");
	if (paragraph->len > RULES_LINE_MAX)
		return rules_wrong(&reader->fault, paragraph->text,
		    "a rule of %zu octets, with the lines that continue it: "
		    "expected %d at most",
		    paragraph->len, RULES_LINE_MAX);
	return true;
}

// --- keys ---

static bool
wrong_key(struct reader *reader, struct rules_word word)
{
	if (reader->nexthop.kind == NEXTHOP_UNCONVERTIBLE)
		return rules_wrong(&reader->fault, word.at,
		    "\"%.*s\" is no domain name by IDNA2008",
		    RULES_SHOWN(word));
	if (word.len > 2 && memcmp(word.at, "*.", 2) == 0) {
		struct rules_word parent = { word.at + 1, word.len - 1 };
		return rules_wrong(&reader->fault, word.at,
		    "\"%.*s\": expected \"%.*s\" for all names below it",
		    RULES_SHOWN(word), RULES_SHOWN(parent));
	}
	return rules_wrong(&reader->fault, word.at,
	    "\"%.*s\" is no next-hop: expected a domain, .parent, [host] or "
	    "[address], with or without :port, or *",
	    RULES_SHOWN(word));
}

// The key as it is compared; NULL: wrong.
static const char *
read_key(struct reader *reader, char buffer[RULES_KEY_MAX], size_t *ret_len,
    struct rules_word *ret_word)
{
	enum rules_got got =
	    rules_words_next(&reader->words, false, ret_word, &reader->fault);

	if (got != RULES_GOT_WORD)
		return NULL;
	if (rules_word_is(*ret_word, "*")) {
		*ret_len = 1;
		return "*";
	}
	nexthop_parse(
	    ret_word->at, ret_word->len, reader->env, &reader->nexthop);
	switch (reader->nexthop.kind) {
	case NEXTHOP_ADDRESS:
	case NEXTHOP_PARENT:
	case NEXTHOP_DOMAIN:
	case NEXTHOP_HOST:
		return rules_key(&reader->nexthop, buffer, ret_len);
	case NEXTHOP_UNPARSABLE:
	case NEXTHOP_UNCONVERTIBLE:
		break;
	}
	wrong_key(reader, *ret_word);
	return NULL;
}

// --- rules ---

// Returns the offset of a text that was added, with its NUL.
static uint32_t
keep(struct rules *rules, const char *text, size_t len)
{
	char *at = (char *)rules + rules->texts_at + rules->texts_len;
	uint32_t offset = (uint32_t)rules->texts_len;

	memcpy(at, text, len);
	at[len] = '\0';
	rules->texts_len += len + 1;
	return offset;
}

static bool
read_rule(struct reader *reader, const struct paragraph *paragraph)
{
	struct rules *rules = reader->rules;
	struct rules_draft *draft = &reader->draft;
	char buffer[RULES_KEY_MAX];
	struct rules_word word;
	size_t key_len;
	unsigned line;

	rules_words_begin(&reader->words, paragraph->text, paragraph->len);
	const char *key = read_key(reader, buffer, &key_len, &word);
	if (key == NULL ||
	    !rules_grammar_read(&reader->words, draft, &reader->fault))
		return false;
	*rules_record_at(rules, rules->n_records) = (struct rules_record){
		.key = keep(rules, key, key_len),
		.answer = keep(rules, draft->answer, draft->answer_len),
		.why = keep(rules, reader->words.why, reader->words.why_len),
		.line = paragraph->line,
		.until_day = draft->until_day,
		.key_len = (uint16_t)key_len,
		.kind = draft->kind & 15,
		.floor = draft->floor & 15,
		.has_until = draft->has_until,
	};
	if (!rules_enter(rules, rules->n_records, &line))
		return rules_wrong(&reader->fault, word.at,
		    "%s has its rule in line %u already", key, line);
	rules->n_records++;
	return true;
}

int
rules_build(const struct rules_text *from, const struct nexthop_env *env,
    void *memory, struct rules **ret, char ret_error[RULES_ERROR_MAX])
{
	struct reader reader;
	struct paragraph paragraph;

	reader.from = from;
	reader.env = env;
	reader.rules = memory;
	reader.at = from->text;
	reader.line = 1;
	rules_lay_out((uint32_t)measure(from).n_rules, reader.rules);
	rules_clear(reader.rules);
	while (next_paragraph(&reader, &paragraph))
		if (!check_paragraph(&reader, &paragraph) ||
		    !read_rule(&reader, &paragraph))
			return refuse(&reader, &paragraph, ret_error);
	*ret = reader.rules;
	return 0;
}
