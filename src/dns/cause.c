// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// libunbound tells which servers it heard and what it was doing at the time;
// the reader of a mail log wants to know what is broken, and in which zone.
// Knows only the shape of these sentences: what does not have it is shortened.
#include "config.h"

#include "dns/cause.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

// A failure that was remembered quotes the one that it remembers, which quotes
// another: the last is the root of it.
static const char *
skip_prefixes(const char *why)
{
	const char *found, *end;

	while ((found = strstr(why, "validation failure <")) != NULL &&
	       (end = strstr(found, ">:")) != NULL)
		why = end + 2;
	return why + strspn(why, " ");
}

static size_t
append(char *ret, size_t len, const char *text, size_t n)
{
	if (n > WALK_CAUSE_MAX - len)
		n = WALK_CAUSE_MAX - len;
	for (size_t i = 0; i < n; i++)
		ret[len++] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	return len;
}

static size_t
length_before(const char *text, const char *mark)
{
	const char *found = strstr(text, mark);

	return found != NULL ? (size_t)(found - text) : strlen(text);
}

// " for key example." without its last dot; 0 if there is no such thing.
static size_t
subject_length(const char *subject)
{
	static const char *const kinds[] = { " for key ", " for DS ",
		" for trust anchor " };
	size_t len;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strncmp(subject, kinds[i], strlen(kinds[i])) != 0)
			continue;
		len = strlen(kinds[i]);
		len += strcspn(subject + len, " ");
		if (subject[len - 1] == '.' && subject[len - 2] != ' ')
			len--;
		return len;
	}
	return 0;
}

const char *
cause_distil(const char *why, char ret[WALK_CAUSE_MAX + 1])
{
	static const char nothing[] = "not valid", from[] = " from ";
	const char *subject;
	size_t len = 0, n;

	why = skip_prefixes(why != NULL ? why : "");
	n = length_before(why, " while building chain of trust");
	if (length_before(why, from) < n)
		n = length_before(why, from);
	len = append(ret, len, why, n);
	if (strncmp(why + n, from, strlen(from)) == 0 && len > 0) {
		subject = strstr(why + n, " for ");
		if (subject != NULL)
			len =
			    append(ret, len, subject, subject_length(subject));
	}
	if (len == 0)
		len = append(ret, len, nothing, strlen(nothing));
	ret[len] = '\0';
	return ret;
}

static const char *
why_bogus(const char *cause, const char *forward, const char *anchor_file)
{
	if (strstr(cause, "expired") != NULL || strstr(cause, "future") != NULL)
		return "is the clock of this machine right?";
	if (forward != NULL)
		return "either the forwarder strips or spoils DNSSEC, or the "
		       "trust anchor is not the root's";
	if (anchor_file != NULL)
		return "trust_anchor_file does not hold the keys of the root "
		       "that answers";
	return "something between here and the root servers strips DNSSEC, or "
	       "the trust anchors are outdated (install dns-root-data)";
}

void
cause_root(const struct walk_reply *reply, const char *forward,
    const char *anchor_file, char ret[DNS_ERROR_MAX])
{
	const char *cause = reply->cause != NULL ? reply->cause : "no data";
	const char *by = forward != NULL ? " by way of forward = " : "";
	const char *whom = forward != NULL ? forward : "";

	if (reply->security == WALK_BOGUS)
		(void)snprintf(ret, DNS_ERROR_MAX,
		    "the root's keys do not validate%s%s (%s): %s", by, whom,
		    cause, why_bogus(cause, forward, anchor_file));
	else if (reply->security == WALK_INSECURE)
		(void)snprintf(ret, DNS_ERROR_MAX,
		    "the root's keys are not validated%s%s: no trust anchor "
		    "covers the root, or resolver_config answers for it itself",
		    by, whom);
	else if (forward != NULL)
		(void)snprintf(ret, DNS_ERROR_MAX,
		    "no DNS server answers%s%s (%s): does it run there, and "
		    "does it resolve for this machine?",
		    by, whom, cause);
	else
		(void)snprintf(ret, DNS_ERROR_MAX,
		    "no DNS server answers (%s): is port 53, UDP and TCP, open "
		    "to the outside? If not, name resolvers in `forward`",
		    cause);
}
