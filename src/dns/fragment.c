// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Rules over unbound.conf options, in one table. Does not understand the rest
// of the language, nor need it: libunbound parses the file once more, and the
// finished context is read back against the same table.
#include "config.h"

#include "dns/fragment.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Signatures may be off by this much at either end: libunbound's defaults.
#define SKEW_MAX_S 86400
#define SKEW_MIN_S 3600
#define VALUE_MAX  255
#define VALUE_ENDS " \t\r\n\"'" // of one without quotes

static bool
is_any(const char *value)
{
	return value[0] != '\0';
}

static bool
is_yes(const char *value)
{
	return strcasecmp(value, "yes") == 0;
}

static bool
is_no(const char *value)
{
	return strcasecmp(value, "no") == 0;
}

static bool
is_not_zero(const char *value)
{
	return value[0] != '\0' && strcmp(value, "0") != 0;
}

static bool
is_over_skew_max(const char *value)
{
	return strtol(value, NULL, 10) > SKEW_MAX_S;
}

static bool
is_over_skew_min(const char *value)
{
	return strtol(value, NULL, 10) > SKEW_MIN_S;
}

// One of perhaps several lines is the root.
static bool
holds_root(const char *value)
{
	for (; *value != '\0'; value += strspn(value, "\n")) {
		size_t len = strcspn(value, "\n");

		if (len == 1 && *value == '.')
			return true;
		value += len;
	}
	return false;
}

// Modules that neither judge nor import answers of their own.
static bool
is_known_module(const char *name, size_t len)
{
	static const char *const known[] = { "validator", "iterator", "dns64",
		"respip", "subnetcache" };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i]) == len && !strncmp(known[i], name, len))
			return true;
	return false;
}

static bool
lacks_validator(const char *value)
{
	bool validates = false;
	size_t len;

	for (value += strspn(value, " \t"); *value != '\0';
	     value += len, value += strspn(value, " \t")) {
		len = strcspn(value, " \t");
		if (!is_known_module(value, len))
			return true;
		validates |= strncmp(value, "validator", len) == 0;
	}
	return !validates;
}

static const char no_validation[] = "switches validation off";
static const char outlives[] = "lets records outlive their TTL";
static const char writes[] =
    "writes trust anchors; name a file that somebody else keeps in "
    "trust_anchor_file";
static const char not_here[] =
    "name the file in trust_anchor_file; keys of zones of your own can be "
    "given with trust-anchor";
static const char one_file[] =
    "put all settings into this file: others would be read unchecked";
static const char own_identity[] = "danemapd takes its own identity: `user`";
static const char clock_moved[] = "validates for another time than now";
static const char expired[] = "accepts signatures long expired";

// First those that a context can be asked for; then what it would not tell, or
// has values for that are not the administrator's.
static const struct rule {
	const char *option;
	bool (*refused)(const char *value);
	const char *why;
} rules[] = {
	{ "val-permissive-mode", is_yes, no_validation },
	{ "harden-dnssec-stripped", is_no, no_validation },
	{ "domain-insecure", holds_root, no_validation },
	{ "module-config", lacks_validator,
	    "wanted is \"validator iterator\", which may be joined by dns64, "
	    "respip and subnetcache only" },
	{ "val-override-date", is_not_zero, clock_moved },
	{ "val-sig-skew-max", is_over_skew_max, expired },
	{ "val-sig-skew-min", is_over_skew_min, expired },
	{ "serve-expired", is_yes, outlives },
	{ "serve-original-ttl", is_yes, outlives },
	{ "cache-min-ttl", is_not_zero, outlives },
	{ "cache-min-negative-ttl", is_not_zero, outlives },
	{ "auto-trust-anchor-file", is_any, writes },
	{ "trust-anchor-file", is_any, not_here },
	{ "trusted-keys-file", is_any, not_here },
	{ "include", is_any, one_file },
	{ "include-toplevel", is_any, one_file },
	{ "fake-sha1", is_yes, no_validation },
	{ "fake-dsa", is_yes, no_validation },
	{ "chroot", is_any, own_identity },
	{ "username", is_any, own_identity },
};

#define N_RULES     (sizeof(rules) / sizeof(rules[0]))
#define N_ASKED_FOR 14

const char *
fragment_option(unsigned index)
{
	return index < N_ASKED_FOR ? rules[index].option : NULL;
}

const char *
fragment_refusal(const char *option, const char *value)
{
	for (size_t i = 0; i < N_RULES; i++)
		if (strcasecmp(rules[i].option, option) == 0)
			return rules[i].refused(value) ? rules[i].why : NULL;
	return NULL;
}

static bool
means_tls(const char *option, const char *value)
{
	static const char *const options[] = { "tls-upstream", "ssl-upstream",
		"forward-tls-upstream", "forward-ssl-upstream",
		"stub-tls-upstream", "stub-ssl-upstream" };

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (strcasecmp(options[i], option) == 0)
			return is_yes(value);
	return strcasecmp(option, "tls-cert-bundle") == 0 && is_any(value);
}

struct lexer {
	const char *at;
	unsigned line;
	bool waits;        // the option has had no value yet
	const char *fault; // what unbound's lexer would not read as we do
	char option[VALUE_MAX + 1], value[VALUE_MAX + 1];
};

// What is too long to be any option or value of ours is cut.
static void
take(const char *from, size_t len, char ret[VALUE_MAX + 1])
{
	if (len > VALUE_MAX)
		len = VALUE_MAX;
	memcpy(ret, from, len);
	ret[len] = '\0';
}

static void
skip_space(struct lexer *lexer)
{
	for (;; lexer->at++) {
		if (*lexer->at == '#')
			lexer->at += strcspn(lexer->at, "\n");
		if (*lexer->at == '\n')
			lexer->line++;
		else if (*lexer->at == '\0' ||
			 strchr(" \t\r", *lexer->at) == NULL)
			return;
	}
}

// The octets before one of ends or the end of the text. A backslash takes the
// octet behind it along, but for a newline.
static size_t
span(const char *at, const char *ends)
{
	size_t len = 0;

	while (at[len] != '\0' && strchr(ends, at[len]) == NULL) {
		bool pair = at[len] == '\\' && at[len + 1] != '\n' &&
			    at[len + 1] != '\0';
		len += pair ? 2 : 1;
	}
	return len;
}

// The octets of "option:", with or without a space after it; 0 if something
// else stands there.
static size_t
option_len(const char *at)
{
	size_t len = strspn(at,
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");

	return len > 0 && at[len] == ':' ? len + 1 : 0;
}

// A "#" right behind a colon begins a comment where that was an option, and
// belongs to the value where that was the beginning of one.
static void
take_option(struct lexer *lexer, size_t len)
{
	take(lexer->at, len - 1, lexer->option);
	lexer->at += len;
	lexer->waits = true;
	if (*lexer->at == '#')
		lexer->fault = "white space is wanted between \":\" and \"#\"";
}

// Behind an option that it does not know libunbound reads on within its value,
// and takes an include there for one, whose file may end the process.
static bool
hides_include(const char *text, size_t len)
{
	static const char word[] = "include";
	const char *at = memmem(text, len, word, sizeof(word) - 1);

	return at != NULL && memchr(at, ':', len - (size_t)(at - text)) != NULL;
}

// The octets before one of ends. Returns their number.
static size_t
note_value(struct lexer *lexer, const char *ends)
{
	size_t len = span(lexer->at, ends);

	take(lexer->at, len, lexer->value);
	lexer->waits = false;
	if (hides_include(lexer->at, len))
		lexer->fault = "an include within a value";
	return len;
}

static void
take_value(struct lexer *lexer)
{
	char quote = *lexer->at;

	if (quote == '"' || quote == '\'') {
		char ends[] = { quote, '\r', '\n', '\0' };

		lexer->at++;
		lexer->at += note_value(lexer, ends);
		lexer->at += *lexer->at == quote;
		return;
	}
	lexer->at += note_value(lexer, VALUE_ENDS);
}

// The next value, with the option that it belongs to. Without a list of all
// options there are nobody knows whether one takes a value: what looks like an
// option behind another is its value first, and then an option.
static bool
next_value(struct lexer *lexer)
{
	size_t len;

	while (lexer->fault == NULL) {
		skip_space(lexer);
		if (*lexer->at == '\0')
			return false;
		len = option_len(lexer->at);
		if (len == 0) {
			take_value(lexer);
			return true;
		}
		if (lexer->waits) {
			(void)note_value(lexer, VALUE_ENDS);
			return true;
		}
		take_option(lexer, len);
	}
	return false;
}

int
fragment_check(const char *file, const char *text, bool *ret_wants_tls,
    char ret_error[FRAGMENT_ERROR_MAX])
{
	struct lexer lexer = { .at = text, .line = 1 };
	bool wants_tls = false;
	const char *why;

	while (next_value(&lexer)) {
		why = fragment_refusal(lexer.option, lexer.value);
		if (why != NULL) {
			(void)snprintf(ret_error, FRAGMENT_ERROR_MAX,
			    "%s:%u: %s: refused: %s", file, lexer.line,
			    lexer.option, why);
			return -EPERM;
		}
		wants_tls |= means_tls(lexer.option, lexer.value);
	}
	if (lexer.fault != NULL) {
		(void)snprintf(ret_error, FRAGMENT_ERROR_MAX, "%s:%u: %s: %s",
		    file, lexer.line, lexer.option, lexer.fault);
		return -EINVAL;
	}
	*ret_wants_tls = wants_tls;
	return 0;
}

unsigned
fragment_paths(const char *text, char *ret[], unsigned max)
{
	struct lexer lexer = { .at = text, .line = 1 };
	unsigned n = 0;

	while (n < max && next_value(&lexer))
		if (lexer.value[0] == '/' &&
		    (ret[n] = strdup(lexer.value)) != NULL)
			n++;
	return n;
}
