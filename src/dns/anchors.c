// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Trust anchors: reads them, refuses what is no key, and drops what no
// validator could use. Knows nothing of libunbound, and trusts a file no more
// than its syntax deserves: whether its keys are the root's shows when the
// root is asked.
#include "config.h"

#include "dns/anchors.h"

#include "dns/file.h"

#include <arpa/nameser.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The DS records of the root's key signing keys of 2017 and 2024, as IANA
// publishes them (https://data.iana.org/root-anchors/root-anchors.xml).
static const char *const built_in[] = {
	". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D084"
	"58E880409BBC683457104237C7F8EC8D",
	". IN DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219"
	"298D0A450D612C483AF444A4C0FB2B16",
};

#define TOKENS_MAX 64
#define OWNER_MAX  255
#define DATA_MAX   1024 // hexadecimal or base64 of one record

#define DNSKEY_ZONE     0x0100 // RFC 4034 s. 2.1.1
#define DNSKEY_REVOKED  0x0080 // RFC 5011 s. 7
#define DNSKEY_PROTOCOL 3

struct token {
	const char *at;
	size_t len;
};

struct record {
	unsigned line; // that it began on
	unsigned n;
	struct token tokens[TOKENS_MAX];
};

// Zone file text on its way to records. A record goes on over line ends within
// parentheses; a comment runs from ';' to the end of its line.
struct reader {
	const char *file, *at;
	unsigned line;
	bool in_parentheses;
	char *error;
};

enum judgement { KEY_MALFORMED = 0, KEY_UNUSABLE, KEY_USABLE };

static int
fail(const struct reader *reader, unsigned line, const char *what)
{
	(void)snprintf(reader->error, ANCHORS_ERROR_MAX, "%s:%u: %s",
	    reader->file, line, what);
	return -EINVAL;
}

// Skips what separates tokens; false at the end of the record.
static bool
skip_to_token(struct reader *reader, bool begun)
{
	for (;; reader->at++) {
		if (*reader->at == ';')
			reader->at += strcspn(reader->at, "\n");
		if (*reader->at == '\0')
			return false;
		if (*reader->at == '\n' && begun && !reader->in_parentheses)
			return false;
		if (*reader->at == '\n')
			reader->line++;
		else if (*reader->at == '(' || *reader->at == ')')
			reader->in_parentheses = *reader->at == '(';
		else if (!isspace((unsigned char)*reader->at))
			return true;
	}
}

// 1, 0 at the end of the text, or a negative errno.
static int
next_record(struct reader *reader, struct record *ret)
{
	ret->n = 0;
	while (skip_to_token(reader, ret->n > 0)) {
		size_t len = strcspn(reader->at, " \t\r\n\v\f;()");

		if (ret->n == 0)
			ret->line = reader->line;
		if (ret->n == TOKENS_MAX)
			return fail(reader, ret->line, "too many words");
		ret->tokens[ret->n++] =
		    (struct token){ .at = reader->at, .len = len };
		reader->at += len;
	}
	return ret->n > 0;
}

static bool
token_is(const struct token *token, const char *word)
{
	return token->len == strlen(word) &&
	       strncasecmp(token->at, word, token->len) == 0;
}

// A decimal number up to max; false if it is none.
static bool
token_number(const struct token *token, unsigned long max, unsigned long *ret)
{
	unsigned long number = 0;

	if (token->len == 0 || token->len > 10)
		return false;
	for (size_t i = 0; i < token->len; i++) {
		if (!isdigit((unsigned char)token->at[i]))
			return false;
		number = 10 * number + (unsigned long)(token->at[i] - '0');
	}
	if (number > max)
		return false;
	*ret = number;
	return true;
}

// The tokens from first on in one piece, each octet of set; false if there are
// others, none or too many.
static bool
join(const struct record *record, unsigned first, const char *set,
    char ret[DATA_MAX + 1])
{
	size_t len = 0;

	for (unsigned i = first; i < record->n; i++) {
		const struct token *token = &record->tokens[i];

		if (token->len > DATA_MAX - len)
			return false;
		memcpy(ret + len, token->at, token->len);
		len += token->len;
	}
	ret[len] = '\0';
	return len > 0 && strspn(ret, set) == len;
}

// Octets of a digest (RFC 4509, 6605), 0 for types that nobody may use.
static size_t
digest_len(unsigned long type)
{
	switch (type) {
	case 1:
		return 20;
	case 2:
		return 32;
	case 4:
		return 48;
	default:
		return 0;
	}
}

// Algorithms that libunbound validates (RFC 8624 s. 3.1).
static bool
known_algorithm(unsigned long algorithm)
{
	return algorithm == 5 || algorithm == 7 || algorithm == 8 ||
	       algorithm == 10 || (algorithm >= 13 && algorithm <= 16);
}

static enum judgement
judge_ds(const unsigned long fields[3], const char *data)
{
	size_t len = digest_len(fields[2]);

	if (fields[0] > UINT16_MAX || fields[1] > UINT8_MAX)
		return KEY_MALFORMED;
	if (len == 0)
		return fields[2] > UINT8_MAX ? KEY_MALFORMED : KEY_UNUSABLE;
	if (strlen(data) != 2 * len)
		return KEY_MALFORMED;
	return known_algorithm(fields[1]) ? KEY_USABLE : KEY_UNUSABLE;
}

static enum judgement
judge_dnskey(const unsigned long fields[3], const char *data)
{
	size_t len = strlen(data), padding = len - strcspn(data, "=");

	if (fields[0] > UINT16_MAX || fields[1] > UINT8_MAX ||
	    fields[2] > UINT8_MAX)
		return KEY_MALFORMED;
	if (len % 4 != 0 || padding > 2 ||
	    strspn(data + len - padding, "=") != padding)
		return KEY_MALFORMED;
	if (!(fields[0] & DNSKEY_ZONE) || (fields[0] & DNSKEY_REVOKED) ||
	    fields[1] != DNSKEY_PROTOCOL)
		return KEY_UNUSABLE;
	return known_algorithm(fields[2]) ? KEY_USABLE : KEY_UNUSABLE;
}

static int
add(struct anchors *anchors, const char *line)
{
	if (anchors->n == ANCHORS_MAX)
		return -E2BIG;
	anchors->lines[anchors->n] = strdup(line);
	if (anchors->lines[anchors->n] == NULL)
		return -ENOMEM;
	anchors->n++;
	return 0;
}

// The fields of a DS or DNSKEY, from token `first` on.
static int
read_key(const struct reader *reader, const struct record *record,
    unsigned first, bool is_ds, struct anchors *ret)
{
	static const char hex[] = "0123456789abcdefABCDEF";
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/=";
	const struct token *owner = &record->tokens[0];
	char data[DATA_MAX + 1], line[ANCHORS_LINE_MAX];
	unsigned long fields[3];
	enum judgement judgement = KEY_MALFORMED;

	for (unsigned i = 0; i < 3; i++)
		if (first + i >= record->n ||
		    !token_number(
			&record->tokens[first + i], UINT16_MAX, &fields[i]))
			return fail(reader, record->line,
			    is_ds ? "a DS record is: key tag, algorithm, "
				    "digest type, digest"
				  : "a DNSKEY record is: flags, protocol, "
				    "algorithm, key");
	if (join(record, first + 3, is_ds ? hex : base64, data))
		judgement =
		    is_ds ? judge_ds(fields, data) : judge_dnskey(fields, data);
	if (judgement == KEY_MALFORMED)
		return fail(reader, record->line,
		    is_ds ? "the digest is not of its type's length, or not "
			    "hexadecimal"
			  : "the key is not base64");
	if (judgement == KEY_UNUSABLE)
		return 0;
	(void)snprintf(line, sizeof(line), "%.*s IN %s %lu %lu %lu %s",
	    (int)owner->len, owner->at, is_ds ? "DS" : "DNSKEY", fields[0],
	    fields[1], fields[2], data);
	return add(ret, line);
}

// A whole domain name, with the dot at its end.
static bool
is_owner(const struct token *token)
{
	char text[OWNER_MAX + 1];
	uint8_t wire[NS_MAXCDNAME];

	if (token->len > OWNER_MAX)
		return false;
	memcpy(text, token->at, token->len);
	text[token->len] = '\0';
	return ns_name_pton(text, wire, sizeof(wire)) == 1;
}

// OWNER [TTL] [IN] DS|DNSKEY ...; TTL and class in either order.
static int
read_record(const struct reader *reader, const struct record *record,
    struct anchors *ret)
{
	unsigned long ttl_s;
	unsigned i = 1;

	while (i < record->n && i < 3 &&
	       (token_is(&record->tokens[i], "IN") ||
		   token_number(&record->tokens[i], UINT32_MAX, &ttl_s)))
		i++;
	if (i == record->n || !is_owner(&record->tokens[0]))
		return fail(reader, record->line,
		    "not a record: wanted is `. IN DS ...` or "
		    "`. IN DNSKEY ...`, with the dot");
	if (token_is(&record->tokens[i], "DS"))
		return read_key(reader, record, i + 1, true, ret);
	if (token_is(&record->tokens[i], "DNSKEY"))
		return read_key(reader, record, i + 1, false, ret);
	return fail(reader, record->line, "neither a DS nor a DNSKEY record");
}

static bool
has_root(const struct anchors *anchors, unsigned from)
{
	for (unsigned i = from; i < anchors->n; i++)
		if (strncmp(anchors->lines[i], ". ", 2) == 0)
			return true;
	return false;
}

static int
read_text(const char *file, const char *text, struct anchors *ret, char *error)
{
	struct reader reader = {
		.file = file, .at = text, .line = 1, .error = error
	};
	struct record record;
	unsigned before = ret->n;
	int r;

	while ((r = next_record(&reader, &record)) > 0) {
		r = read_record(&reader, &record, ret);
		if (r == -E2BIG)
			(void)fail(&reader, record.line, "too many keys");
		if (r == -ENOMEM)
			(void)fail(&reader, record.line, "out of memory");
		if (r < 0)
			return r;
	}
	if (r == 0 && reader.in_parentheses)
		return fail(&reader, reader.line, "a parenthesis stays open");
	if (r == 0 && !has_root(ret, before)) {
		(void)snprintf(error, ANCHORS_ERROR_MAX,
		    "%s: holds no usable key of the root; Debian's package "
		    "dns-root-data has them",
		    file);
		return -ENOKEY;
	}
	return r;
}

static int
read_file(const char *file, struct anchors *ret, char *error)
{
	size_t len;
	char *text;
	int r = file_read(file, &text, &len);

	if (r < 0) {
		(void)snprintf(error, ANCHORS_ERROR_MAX,
		    "trust_anchor_file: %s: %s", file, strerror(-r));
		return r;
	}
	r = read_text(file, text, ret, error);
	free(text);
	return r;
}

static int
read_default(struct anchors *ret, char *error)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(built_in) / sizeof(*built_in);
	     i++)
		r = add(ret, built_in[i]);
	if (r < 0) {
		(void)snprintf(error, ANCHORS_ERROR_MAX, "out of memory");
		return r;
	}
	r = read_file(ANCHORS_DEFAULT_FILE, ret, error);
	return r == -ENOENT ? 0 : r;
}

int
anchors_read(
    const char *file, struct anchors *ret, char ret_error[ANCHORS_ERROR_MAX])
{
	struct anchors anchors = { .n = 0 };
	char error[ANCHORS_ERROR_MAX] = "";
	int r;

	if (file == NULL || *file == '\0')
		r = read_default(&anchors, error);
	else
		r = read_file(file, &anchors, error);
	if (r < 0) {
		anchors_free(&anchors);
		memcpy(ret_error, error, sizeof(error));
		return r;
	}
	*ret = anchors;
	return 0;
}

void
anchors_free(struct anchors *anchors)
{
	for (unsigned i = 0; i < anchors->n; i++)
		free(anchors->lines[i]);
	anchors->n = 0;
}
