// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Postfix's grammar as two tables, levels and attributes. Promises that every
// answer read here is one that a Postfix which knows its attributes takes: a
// policy that it does not understand defers all mail to the destination.

#include "config.h"

#include "policy/rules_grammar.h"

#include "policy/nexthop.h"
#include "policy/rules_day.h"

#include <string.h>

// What levels have in common, as bits: which attributes go with them.
enum {
	NONE = 1,
	PLAIN = 2, // may, encrypt
	DANE = 4,
	FINGERPRINT = 8,
	NAMES = 16, // verify, secure
	WITHOUT_DANE = PLAIN | FINGERPRINT | NAMES,
	WITH_TLS = WITHOUT_DANE | DANE,
};

struct level {
	const char *name;
	unsigned bit;
	enum rules_kind kind;
};

static const struct level levels[] = {
	{ "none", NONE, RULES_FIXED },
	{ "may", PLAIN, RULES_FIXED },
	{ "encrypt", PLAIN, RULES_FIXED },
	{ "dane", DANE, RULES_DANE },
	{ "dane-only", DANE, RULES_DANE_ONLY },
	{ "fingerprint", FINGERPRINT, RULES_FIXED },
	{ "verify", NAMES, RULES_FIXED },
	{ "secure", NAMES, RULES_FIXED },
};

#define LEVEL_NAMES \
	"none, may, encrypt, dane, dane-only, fingerprint, verify, secure"

static const struct {
	const char *name;
	enum rules_floor floor;
} floors[] = {
	{ "may", RULES_AT_LEAST_MAY },
	{ "encrypt", RULES_AT_LEAST_ENCRYPT },
	{ "dane", RULES_AT_LEAST_DANE },
	{ "dane-only", RULES_AT_LEAST_DANE_ONLY },
};

#define FLOOR_NAMES "may, encrypt, dane, dane-only"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))

// What a rule has shown so far.
struct reading {
	struct rules_draft *draft;
	struct rules_fault *fault;
	const struct level *level; // NULL: at-least or dns
	unsigned seen;             // attributes, by their bit
	const char *policy_at;     // the first attribute that wants a type
};

struct attribute {
	const char *name;
	unsigned levels;
	bool single;
	// Whether the value will do; NULL: any does.
	bool (*check)(struct reading *reading, struct rules_word value);
};

// --- writing the answer ---

static void
put(struct reading *reading, const char *text, size_t len)
{
	struct rules_draft *draft = reading->draft;

	memcpy(draft->answer + draft->answer_len, text, len);
	draft->answer_len += len;
}

static void
put_text(struct reading *reading, const char *text)
{
	put(reading, text, strlen(text));
}

// --- values ---

static bool
check_filled(struct reading *reading, struct rules_word value)
{
	return value.len > 0 ||
	       rules_wrong(reading->fault, value.at,
		   "an empty value: Postfix defers all mail over it");
}

static bool
check_yes_no(struct reading *reading, struct rules_word value)
{
	return rules_word_is(value, "yes") || rules_word_is(value, "no") ||
	       rules_wrong(reading->fault, value.at,
		   "\"%.*s\": expected yes or no", RULES_SHOWN(value));
}

static bool
is_one_of(struct rules_word value, const char *const *names)
{
	for (; *names != NULL; names++)
		if (rules_word_is(value, *names))
			return true;
	return false;
}

static bool
check_grade(struct reading *reading, struct rules_word value)
{
	static const char *const grades[] = { "high", "medium", "low", "export",
		"null", NULL };
	return is_one_of(value, grades) ||
	       rules_wrong(reading->fault, value.at,
		   "\"%.*s\": expected a cipher grade: high, medium, low, "
		   "export or null",
		   RULES_SHOWN(value));
}

static bool
is_hostname(struct rules_word value)
{
	char name[NEXTHOP_NAME_MAX + 1];

	if (value.len > NEXTHOP_NAME_MAX)
		return false;
	memcpy(name, value.at, value.len);
	name[value.len] = '\0';
	return nexthop_valid_hostname(name);
}

static bool
check_hostname(struct reading *reading, struct rules_word value)
{
	return is_hostname(value) ||
	       rules_wrong(reading->fault, value.at,
		   "\"%.*s\": expected a host name", RULES_SHOWN(value));
}

static bool
check_number(struct reading *reading, struct rules_word value)
{
	bool fine = value.len > 0 && value.len <= 9;
	for (size_t i = 0; fine && i < value.len; i++)
		fine = value.at[i] >= '0' && value.at[i] <= '9';
	return fine ||
	       rules_wrong(reading->fault, value.at,
		   "\"%.*s\": expected seconds, in digits", RULES_SHOWN(value));
}

static bool
check_policy_type(struct reading *reading, struct rules_word value)
{
	static const char *const types[] = { "sts", "no-policy-found", NULL };
	return is_one_of(value, types) ||
	       rules_wrong(reading->fault, value.at,
		   "\"%.*s\": expected sts or no-policy-found",
		   RULES_SHOWN(value));
}

static bool
check_policy_failure(struct reading *reading, struct rules_word value)
{
	static const char *const failures[] = { "sts-policy-fetch-error",
		"sts-policy-invalid", "sts-webpki-invalid",
		"validation-failure", NULL };
	return is_one_of(value, failures) ||
	       rules_wrong(reading->fault, value.at,
		   "\"%.*s\": expected sts-policy-fetch-error, "
		   "sts-policy-invalid, sts-webpki-invalid or "
		   "validation-failure",
		   RULES_SHOWN(value));
}

// --- match ---

// Takes the part of a list up to the separator off it; at the end of the list
// at is NULL.
static struct rules_word
next_part(struct rules_word *list, char separator)
{
	const char *end = memchr(list->at, separator, list->len);
	struct rules_word part = *list;

	if (end == NULL) {
		list->at = NULL;
		return part;
	}
	part.len = (size_t)(end - part.at);
	*list = (struct rules_word){ end + 1, list->len - part.len - 1 };
	return part;
}

// hostname, nexthop, dot-nexthop, a name, or a name behind a dot.
static bool
check_match_name(struct reading *reading, struct rules_word part)
{
	struct rules_word name = part;

	if (name.len > 0 && *name.at == '.')
		name = (struct rules_word){ name.at + 1, name.len - 1 };
	if (is_hostname(name))
		return true;
	return rules_wrong(reading->fault, part.at,
	    "\"%.*s\" in match: expected hostname, nexthop, dot-nexthop, a "
	    "host name or a .parent, with \":\" between",
	    RULES_SHOWN(part));
}

static bool
check_names(struct reading *reading, struct rules_word value)
{
	while (value.at != NULL)
		if (!check_match_name(reading, next_part(&value, ':')))
			return false;
	return true;
}

static bool
is_hex(char octet)
{
	return (octet >= '0' && octet <= '9') ||
	       (octet >= 'a' && octet <= 'f') || (octet >= 'A' && octet <= 'F');
}

// How many octets a fingerprint spells: pairs of hex digits, with a colon
// between all of them or none. 0: it spells none.
static size_t
fingerprint_octets(struct rules_word part)
{
	size_t step = part.len > 2 && part.at[2] == ':' ? 3 : 2;

	if (part.len < 2 || (part.len + step - 2) % step != 0)
		return 0;
	for (size_t i = 0; i < part.len; i += step) {
		if (!is_hex(part.at[i]) || !is_hex(part.at[i + 1]))
			return 0;
		if (step == 3 && i > 0 && part.at[i - 1] != ':')
			return 0;
	}
	return (part.len + step - 2) / step;
}

static bool
check_fingerprint(struct reading *reading, struct rules_word part)
{
	switch (fingerprint_octets(part)) {
	case 16: // md5
	case 20: // sha1
	case 28: // sha224
	case 32: // sha256
	case 48: // sha384
	case 64: // sha512
		return true;
	case 0:
		return rules_wrong(reading->fault, part.at,
		    "\"%.*s\" in match: expected a fingerprint as hex pairs "
		    "(AB:CD:...), with \"|\" between fingerprints",
		    RULES_SHOWN(part));
	default:
		return rules_wrong(reading->fault, part.at,
		    "a fingerprint of %zu octets in match: no digest has that "
		    "length (sha256 has 32, sha512 64)",
		    fingerprint_octets(part));
	}
}

static bool
check_fingerprints(struct reading *reading, struct rules_word value)
{
	while (value.at != NULL)
		if (!check_fingerprint(reading, next_part(&value, '|')))
			return false;
	return true;
}

static bool
check_match(struct reading *reading, struct rules_word value)
{
	if (!check_filled(reading, value))
		return false;
	return reading->level->bit == FINGERPRINT
		   ? check_fingerprints(reading, value)
		   : check_names(reading, value);
}

static char
upper(char hex)
{
	return hex >= 'a' && hex <= 'f' ? (char)(hex - 'a' + 'A') : hex;
}

// Postfix before 3.6 compares text: it wants colons and does not mind case.
static void
put_fingerprints(struct reading *reading, struct rules_word value)
{
	unsigned n_digits = 0; // since the last bar

	for (size_t i = 0; i < value.len; i++) {
		char octet = upper(value.at[i]);
		if (octet == ':')
			continue;
		if (octet == '|')
			n_digits = 0;
		else if (n_digits++ % 2 == 0 && n_digits > 1)
			put(reading, ":", 1);
		put(reading, &octet, 1);
	}
}

// --- attributes ---

static const struct attribute attributes[] = {
	{ "ciphers", WITH_TLS, true, check_grade },
	{ "protocols", WITH_TLS, true, NULL },
	{ "exclude", WITH_TLS, true, NULL },
	{ "match", FINGERPRINT | NAMES, false, check_match },
	{ "tafile", NAMES, false, check_filled },
	{ "servername", WITH_TLS, true, check_hostname },
	{ "connection_reuse", WITH_TLS, false, check_yes_no },
	{ "enable_rpk", WITH_TLS, false, check_yes_no },
	{ "policy_type", WITHOUT_DANE, true, check_policy_type },
	{ "policy_ttl", WITHOUT_DANE, true, check_number },
	{ "policy_domain", WITHOUT_DANE, true, check_hostname },
	{ "policy_failure", WITHOUT_DANE, true, check_policy_failure },
	{ "policy_string", WITHOUT_DANE, false, NULL },
	{ "mx_host_pattern", WITHOUT_DANE, false, NULL },
};

enum {
	MATCH = 3,
	POLICY_TYPE = 8,
	UNTIL = LENGTH(attributes), // the bit of our own
};

static bool
wrong_attribute(struct reading *reading, struct rules_word name)
{
	return rules_wrong(reading->fault, name.at,
	    "unknown attribute \"%.*s\": expected ciphers, protocols, exclude, "
	    "match, tafile, servername, connection_reuse, enable_rpk, policy_* "
	    "or until",
	    RULES_SHOWN(name));
}

static bool
wrong_level(struct reading *reading, struct rules_word name, unsigned bits)
{
	char list[80] = "";
	size_t len = 0;

	for (size_t i = 0; i < LENGTH(levels); i++) {
		if (!(levels[i].bit & bits))
			continue;
		if (len > 0)
			list[len++] = ' ';
		size_t name_len = strlen(levels[i].name);
		memcpy(list + len, levels[i].name, name_len + 1);
		len += name_len;
	}
	return rules_wrong(reading->fault, name.at,
	    "%.*s means nothing to the level %s: it goes with %s",
	    RULES_SHOWN(name), reading->level->name, list);
}

static bool
note(struct reading *reading, struct rules_word name, size_t i, bool single)
{
	if (single && (reading->seen & 1u << i))
		return rules_wrong(reading->fault, name.at,
		    "%.*s stands twice: expected once", RULES_SHOWN(name));
	reading->seen |= 1u << i;
	return true;
}

static bool
needs_braces(struct rules_word value)
{
	for (size_t i = 0; i < value.len; i++)
		if (rules_is_blank(value.at[i]) ||
		    memchr(",{}", value.at[i], 3) != NULL)
			return true;
	return false;
}

static void
put_value(struct reading *reading, size_t i, struct rules_word value)
{
	if (i == MATCH && reading->level->bit == FINGERPRINT) {
		put_fingerprints(reading, value);
		return;
	}
	for (size_t at = 0; at < value.len; at++)
		put(reading, value.at[at] == '\t' ? " " : &value.at[at], 1);
}

// Braces are Postfix 3.10's: they are kept only where the value needs them.
static void
put_attribute(struct reading *reading, size_t i, struct rules_word value)
{
	bool braces = needs_braces(value);

	put_text(reading, braces ? " { " : " ");
	put_text(reading, attributes[i].name);
	put_text(reading, braces ? " = " : "=");
	put_value(reading, i, value);
	put_text(reading, braces ? " }" : "");
}

static bool
read_until(
    struct reading *reading, struct rules_word name, struct rules_word value)
{
	struct rules_draft *draft = reading->draft;

	if (!note(reading, name, UNTIL, true))
		return false;
	if (rules_day_parse(value.at, value.len, &draft->until_day) != 0)
		return rules_wrong(reading->fault, value.at,
		    "\"%.*s\" is no day: expected YYYY-MM-DD, the last day on "
		    "which the rule holds",
		    RULES_SHOWN(value));
	draft->has_until = true;
	return true;
}

static bool
take_attribute(
    struct reading *reading, struct rules_word name, struct rules_word value)
{
	size_t i = 0;

	if (rules_word_is(name, "until"))
		return read_until(reading, name, value);
	while (
	    i < LENGTH(attributes) && !rules_word_is(name, attributes[i].name))
		i++;
	if (i == LENGTH(attributes))
		return wrong_attribute(reading, name);
	if (reading->level == NULL)
		return rules_wrong(reading->fault, name.at,
		    "%.*s goes with a level: behind at-least LEVEL and dns "
		    "expected nothing but until=YYYY-MM-DD",
		    RULES_SHOWN(name));

	const struct attribute *attribute = &attributes[i];
	if (!(attribute->levels & reading->level->bit))
		return wrong_level(reading, name, attribute->levels);
	if (!note(reading, name, i, attribute->single))
		return false;
	if (attribute->check != NULL && !attribute->check(reading, value))
		return false;
	if (i > POLICY_TYPE && reading->policy_at == NULL)
		reading->policy_at = name.at;
	put_attribute(reading, i, value);
	return true;
}

// NAME=VALUE or { NAME = VALUE }.
static bool
read_attribute(struct reading *reading, struct rules_word word)
{
	bool braced = *word.at == '{';

	if (braced)
		word = (struct rules_word){ word.at + 1, word.len - 2 };
	else if (memchr(word.at, '{', word.len) != NULL ||
		 memchr(word.at, '}', word.len) != NULL)
		return rules_wrong(reading->fault, word.at,
		    "a brace within \"%.*s\": expected { NAME = VALUE }",
		    RULES_SHOWN(word));
	const char *equals = memchr(word.at, '=', word.len);
	size_t name_len = equals == NULL ? 0 : (size_t)(equals - word.at);
	struct rules_word name =
	    rules_word_trim((struct rules_word){ word.at, name_len });
	if (name.len == 0)
		return rules_wrong(reading->fault, word.at,
		    "\"%.*s\": expected NAME=VALUE, without white space (or { "
		    "NAME = VALUE }, which Postfix 3.10 knows)",
		    RULES_SHOWN(rules_word_trim(word)));
	struct rules_word value = { equals + 1, word.len - name_len - 1 };
	return take_attribute(reading, name, rules_word_trim(value));
}

// --- levels ---

static bool
find_level(struct reading *reading, struct rules_word word)
{
	for (size_t i = 0; i < LENGTH(levels); i++) {
		if (!rules_word_is(word, levels[i].name))
			continue;
		reading->level = &levels[i];
		reading->draft->kind = levels[i].kind;
		put_text(reading, levels[i].name);
		return true;
	}
	return rules_wrong(reading->fault, word.at,
	    "unknown level \"%.*s\": expected " LEVEL_NAMES
	    ", at-least LEVEL or dns",
	    RULES_SHOWN(word));
}

static bool
find_floor(struct reading *reading, struct rules_word word)
{
	for (size_t i = 0; i < LENGTH(floors); i++) {
		if (!rules_word_is(word, floors[i].name))
			continue;
		reading->draft->kind = RULES_FLOOR;
		reading->draft->floor = floors[i].floor;
		put_text(reading, "at-least ");
		put_text(reading, floors[i].name);
		return true;
	}
	return rules_wrong(reading->fault, word.at,
	    "\"%.*s\" is no floor: expected " FLOOR_NAMES
	    " (fingerprint, verify and secure are fixed answers only)",
	    RULES_SHOWN(word));
}

static bool
read_floor(struct reading *reading, struct rules_words *words)
{
	struct rules_word word;

	switch (rules_words_next(words, true, &word, reading->fault)) {
	case RULES_GOT_WORD:
		return find_floor(reading, word);
	case RULES_GOT_END:
		return rules_wrong(reading->fault, words->behind,
		    "at-least what? expected " FLOOR_NAMES);
	case RULES_GOT_FAULT:
		break;
	}
	return false;
}

static bool
read_level(struct reading *reading, struct rules_words *words)
{
	struct rules_word word;

	switch (rules_words_next(words, true, &word, reading->fault)) {
	case RULES_GOT_WORD:
		break;
	case RULES_GOT_END:
		return rules_wrong(reading->fault, words->behind,
		    "a key without a rule: expected a level (" LEVEL_NAMES
		    "), at-least LEVEL or dns");
	case RULES_GOT_FAULT:
		return false;
	}
	if (rules_word_is(word, "at-least"))
		return read_floor(reading, words);
	if (!rules_word_is(word, "dns"))
		return find_level(reading, word);
	reading->draft->kind = RULES_DNS;
	put_text(reading, "dns");
	return true;
}

bool
rules_grammar_read(struct rules_words *words, struct rules_draft *ret,
    struct rules_fault *fault)
{
	struct reading reading = { .draft = ret, .fault = fault };
	struct rules_word word;

	ret->floor = RULES_AT_LEAST_MAY;
	ret->has_until = false;
	ret->until_day = 0;
	ret->answer_len = 0;
	if (!read_level(&reading, words))
		return false;
	while (true) {
		switch (rules_words_next(words, true, &word, fault)) {
		case RULES_GOT_WORD:
			if (!read_attribute(&reading, word))
				return false;
			continue;
		case RULES_GOT_FAULT:
			return false;
		case RULES_GOT_END:
			break;
		}
		break;
	}
	if (reading.policy_at != NULL && !(reading.seen & 1u << POLICY_TYPE))
		return rules_wrong(fault, reading.policy_at,
		    "policy_* and mx_host_pattern need policy_type beside "
		    "them");
	return true;
}
