// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A value is checked in full before the member changes. Every refusal has the
// same form: what was written, what is wrong with it, and what would do.
#include "config.h"

#include "base/parameter.h"

#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/escape.h"

#define QUOTED_MAX  80 // of a value, in a reason
#define ACCEPTS_MAX 160

static const struct value_unit *
units_of(const struct parameter *parameter)
{
	switch (parameter->kind) {
	case PARAMETER_TIME:
		return value_seconds;
	case PARAMETER_SIZE:
		return value_octets;
	default:
		return value_plain;
	}
}

// "may, encrypt, none or notfound"
static void
list_choices(const struct parameter_choice *choice, char ret[ACCEPTS_MAX])
{
	size_t n = 0;

	for (ret[0] = '\0'; choice->name; choice++) {
		const char *separator = n == 0           ? ""
					: choice[1].name ? ", "
							 : " or ";
		int len = snprintf(
		    ret + n, ACCEPTS_MAX - n, "%s%s", separator, choice->name);

		assert(len > 0 && n + len < ACCEPTS_MAX);
		n += len;
	}
}

static void
list_range(const struct parameter *parameter, char ret[ACCEPTS_MAX])
{
	const struct value_unit *units = units_of(parameter);
	char min[VALUE_TEXT_MAX], max[VALUE_TEXT_MAX];

	value_format(parameter->zero ? 1 : parameter->min, units, min);
	value_format(parameter->max, units, max);
	snprintf(ret, ACCEPTS_MAX, "%s%sfrom %s to %s",
	    parameter->zero ? parameter->zero : "",
	    parameter->zero ? ", or " : "", min, max);
}

// What would do.
static void
list_accepted(const struct parameter *parameter, char ret[ACCEPTS_MAX])
{
	switch (parameter->kind) {
	case PARAMETER_FLAG:
	case PARAMETER_CHOICE:
		list_choices(parameter->choices, ret);
		return;
	case PARAMETER_TIME:
	case PARAMETER_SIZE:
	case PARAMETER_COUNT:
		list_range(parameter, ret);
		return;
	case PARAMETER_ADDRESSES:
		snprintf(ret, ACCEPTS_MAX,
		    "ADDRESS or ADDRESS@PORT, such as 192.0.2.53@5353,");
		return;
	case PARAMETER_TEXT:
	case PARAMETER_LIST:
		snprintf(ret, ACCEPTS_MAX, "%s", parameter->fallback);
		return;
	}
}

static int
refuse(const struct parameter *parameter, const char *text, const char *what,
    char ret_reason[PARAMETER_REASON_MAX])
{
	char quoted[QUOTED_MAX], accepted[ACCEPTS_MAX];

	escape_text(ESCAPE_ALL, text, strlen(text), quoted, sizeof(quoted));
	list_accepted(parameter, accepted);
	snprintf(ret_reason, PARAMETER_REASON_MAX, "\"%s\" is %s; %s will do",
	    quoted, what, accepted);
	return -EINVAL;
}

static void *
member(const struct parameter *parameter, void *target)
{
	return (char *)target + parameter->offset;
}

static int
run_out_of_memory(char ret_reason[PARAMETER_REASON_MAX])
{
	snprintf(ret_reason, PARAMETER_REASON_MAX, "out of memory");
	return -ENOMEM;
}

static int
set_text(const struct parameter *parameter, void *target, const char *text,
    char ret_reason[PARAMETER_REASON_MAX])
{
	const char **to = member(parameter, target);
	char *copy = strdup(text);

	if (!copy)
		return run_out_of_memory(ret_reason);
	parameter_free(parameter, target);
	*to = copy;
	return 0;
}

// Runs of white space become one blank.
static int
set_list(const struct parameter *parameter, void *target, const char *text,
    char ret_reason[PARAMETER_REASON_MAX])
{
	char *copy = strdup(text), *to = copy;
	int error;

	if (!copy)
		return run_out_of_memory(ret_reason);
	for (const char *from = text; *from; from++) {
		char c = isspace((unsigned char)*from) ? ' ' : *from;

		if (c != ' ' || (to > copy && to[-1] != ' '))
			*to++ = c;
	}
	*to = '\0';
	error = set_text(parameter, target, copy, ret_reason);
	free(copy);
	return error;
}

// An address of either family, perhaps with a scope, perhaps with a port.
static bool
is_address(const char *word, size_t len)
{
	char text[INET6_ADDRSTRLEN + 1 + 16 + 1 + 5 + 1], *port, *scope;
	struct in6_addr address;
	uint64_t number;

	if (len >= sizeof(text))
		return false;
	memcpy(text, word, len);
	text[len] = '\0';
	port = strchr(text, '@');
	if (port) {
		*port++ = '\0';
		if (value_parse(port, value_plain, &number) != 0 ||
		    number < 1 || number > UINT16_MAX)
			return false;
	}
	if (inet_pton(AF_INET, text, &address) == 1)
		return true;
	scope = strchr(text, '%');
	if (scope && scope[1] != '\0')
		*scope = '\0';
	return inet_pton(AF_INET6, text, &address) == 1;
}

static int
check_addresses(const struct parameter *parameter, const char *text,
    char ret_reason[PARAMETER_REASON_MAX])
{
	static const char blanks[] = " \t";
	unsigned n = 0;

	for (text += strspn(text, blanks); *text;
	     text += strspn(text, blanks)) {
		size_t len = strcspn(text, blanks);
		char word[QUOTED_MAX];

		snprintf(word, sizeof(word), "%.*s", (int)len, text);
		if (!is_address(text, len))
			return refuse(
			    parameter, word, "not an address", ret_reason);
		if (++n > PARAMETER_ADDRESSES_MAX) {
			snprintf(ret_reason, PARAMETER_REASON_MAX,
			    "more than %d addresses; up to %d will do",
			    PARAMETER_ADDRESSES_MAX, PARAMETER_ADDRESSES_MAX);
			return -EINVAL;
		}
		text += len;
	}
	return 0;
}

static int
set_number(const struct parameter *parameter, void *target, const char *text,
    char ret_reason[PARAMETER_REASON_MAX])
{
	const char *name = parameter->kind == PARAMETER_TIME   ? "not a time"
			   : parameter->kind == PARAMETER_SIZE ? "not a size"
							       : "not a number";
	uint64_t number = 0;
	int error = 0;

	if (!parameter->zero || strcasecmp(text, parameter->zero) != 0)
		error = value_parse(text, units_of(parameter), &number);
	if (error == -EINVAL)
		return refuse(parameter, text, name, ret_reason);
	if (error == -ERANGE || number > parameter->max)
		return refuse(parameter, text, "too large", ret_reason);
	if (number < parameter->min)
		return refuse(parameter, text, "too small", ret_reason);
	switch (parameter->kind) {
	case PARAMETER_SIZE:
		*(uint64_t *)member(parameter, target) = number;
		return 0;
	case PARAMETER_TIME:
		*(uint32_t *)member(parameter, target) = (uint32_t)number;
		return 0;
	default:
		*(unsigned *)member(parameter, target) = (unsigned)number;
		return 0;
	}
}

static int
set_choice(const struct parameter *parameter, void *target, const char *text,
    char ret_reason[PARAMETER_REASON_MAX])
{
	const struct parameter_choice *choice = parameter->choices;

	while (choice->name && strcasecmp(choice->name, text) != 0)
		choice++;
	if (!choice->name)
		return refuse(parameter, text, "not known here", ret_reason);
	if (parameter->kind == PARAMETER_FLAG)
		*(bool *)member(parameter, target) = choice->value != 0;
	else
		*(int *)member(parameter, target) = choice->value;
	return 0;
}

// What no value of any kind may hold.
static int
check_octets(const struct parameter *parameter, const char *text,
    char ret_reason[PARAMETER_REASON_MAX])
{
	if (strchr(text, '$')) {
		snprintf(ret_reason, PARAMETER_REASON_MAX,
		    "\"$\" has no meaning in a value: nothing is expanded; "
		    "write it out");
		return -EINVAL;
	}
	for (const char *at = text; *at; at++) {
		if (iscntrl((unsigned char)*at) && *at != '\t')
			return refuse(parameter, text,
			    "marred by a control character", ret_reason);
	}
	return 0;
}

int
parameter_set(const struct parameter *parameter, void *target, const char *text,
    char ret_reason[PARAMETER_REASON_MAX])
{
	int error = check_octets(parameter, text, ret_reason);

	if (error)
		return error;
	if (parameter->required && text[strspn(text, " \t")] == '\0')
		return refuse(parameter, text, "empty", ret_reason);
	switch (parameter->kind) {
	case PARAMETER_TEXT:
		return set_text(parameter, target, text, ret_reason);
	case PARAMETER_ADDRESSES:
		error = check_addresses(parameter, text, ret_reason);
		if (error)
			return error;
		return set_list(parameter, target, text, ret_reason);
	case PARAMETER_LIST:
		return set_list(parameter, target, text, ret_reason);
	case PARAMETER_TIME:
	case PARAMETER_SIZE:
	case PARAMETER_COUNT:
		return set_number(parameter, target, text, ret_reason);
	case PARAMETER_FLAG:
	case PARAMETER_CHOICE:
		return set_choice(parameter, target, text, ret_reason);
	}
	return -EINVAL;
}

static const char *
number_text(const struct parameter *parameter, uint64_t number,
    char buffer[VALUE_TEXT_MAX])
{
	if (number == 0 && parameter->zero)
		return parameter->zero;
	value_format(number, units_of(parameter), buffer);
	return buffer;
}

static const char *
choice_text(const struct parameter *parameter, int value)
{
	const struct parameter_choice *choice = parameter->choices;

	while (choice->name && choice->value != value)
		choice++;
	assert(choice->name);
	return choice->name;
}

const char *
parameter_text(const struct parameter *parameter, const void *target,
    char buffer[VALUE_TEXT_MAX])
{
	const void *at = (const char *)target + parameter->offset;

	switch (parameter->kind) {
	case PARAMETER_TEXT:
	case PARAMETER_LIST:
	case PARAMETER_ADDRESSES:
		return *(const char *const *)at;
	case PARAMETER_TIME:
		return number_text(parameter, *(const uint32_t *)at, buffer);
	case PARAMETER_SIZE:
		return number_text(parameter, *(const uint64_t *)at, buffer);
	case PARAMETER_COUNT:
		return number_text(parameter, *(const unsigned *)at, buffer);
	case PARAMETER_FLAG:
		return choice_text(parameter, *(const bool *)at);
	case PARAMETER_CHOICE:
		return choice_text(parameter, *(const int *)at);
	}
	return "";
}

bool
parameter_is_default(const struct parameter *parameter, const void *target)
{
	char buffer[VALUE_TEXT_MAX];

	return strcmp(parameter_text(parameter, target, buffer),
		   parameter->fallback) == 0;
}

void
parameter_free(const struct parameter *parameter, void *target)
{
	const char **text = member(parameter, target);

	if (parameter->kind > PARAMETER_ADDRESSES)
		return;
	free((char *)*text);
	*text = NULL;
}
