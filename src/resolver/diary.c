// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The words of a decision in the log. Changes have a budget of their own: a
// flood of new domains must not hide that a known one has lost its DANE.
#include "config.h"

#include "resolver/diary.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

// Twice the text, for what is escaped.
#define QUOTED_MAX (2 * FACTS_REASON_MAX + 3)

const char *
diary_name(struct ident id, char ret[DIARY_NAME_MAX])
{
	struct nexthop nexthop;

	if (nexthop_from_id(id.octets, id.len, &nexthop) < 0) {
		ret[0] = '\0';
		return ret;
	}

	bool bracket = nexthop.kind == NEXTHOP_HOST;
	int n = snprintf(ret, DIARY_NAME_MAX, "%s%s%s", bracket ? "[" : "",
	    nexthop.name, bracket ? "]" : "");

	if (nexthop.port != NEXTHOP_DEFAULT_PORT)
		snprintf(ret + n, DIARY_NAME_MAX - (size_t)n, ":%u",
		    (unsigned)nexthop.port);
	return ret;
}

static bool
may_write(struct diary_budget *budget)
{
	if (budget->n_lines >= DIARY_LINES_PER_S) {
		budget->n_left_out++;
		return false;
	}
	budget->n_lines++;
	return true;
}

struct words {
	char bare[DIARY_NAME_MAX];
	char name[2 * DIARY_NAME_MAX];
	char reason[QUOTED_MAX];
};

static void
quote(const struct diary_event *event, struct words *ret)
{
	diary_name(event->id, ret->bare);
	dlog_quote(ret->bare, strlen(ret->bare), ret->name, sizeof(ret->name));
	dlog_quote(event->reason, strlen(event->reason), ret->reason,
	    sizeof(ret->reason));
}

static struct dlog_fields
fields_of(const struct diary_event *event, const struct words *words)
{
	return (struct dlog_fields){
		.domain = words->bare,
		.answer = decide_text(event->verdict),
		.reason = event->reason,
	};
}

static uint64_t
left_s(uint64_t end_ms, uint64_t now_ms)
{
	return end_ms > now_ms ? (end_ms - now_ms) / 1000 : 0;
}

static void
note_change(const struct diary_event *event)
{
	struct words words;

	quote(event, &words);
	struct dlog_fields fields = fields_of(event, &words);
	fields.message_id = DLOG_ID_CHANGED;
	dlog_event(LOG_NOTICE, &fields,
	    "domain=%s answer changed: old=%s new=%s reason=%s "
	    "ttl=%" PRIu64 "s time=%" PRIu64 "ms",
	    words.name, decide_text(event->old_verdict),
	    decide_text(event->verdict), words.reason,
	    left_s(event->entry->ends_ms, event->now_ms), event->took_ms);
}

static void
note_decision(const struct diary_event *event)
{
	const struct entry *entry = event->entry;
	bool defers = event->verdict == DECIDE_DEFER;
	uint64_t end_ms = defers ? entry->deferred_until_ms : entry->ends_ms;
	bool keeps = event->keeps_answer;
	struct words words;

	quote(event, &words);
	struct dlog_fields fields = fields_of(event, &words);
	dlog_event(LOG_INFO, &fields,
	    "domain=%s answer=%s%s%s reason=%s ttl=%" PRIu64 "s "
	    "time=%" PRIu64 "ms",
	    words.name, decide_text(event->verdict), keeps ? " keeps=" : "",
	    keeps ? decide_text(event->old_verdict) : "", words.reason,
	    left_s(end_ms, event->now_ms), event->took_ms);
}

void
diary_note(struct diary *diary, const struct diary_event *event)
{
	bool changed = event->had_answer && event->verdict != DECIDE_DEFER &&
		       event->verdict != event->old_verdict;

	if (!dlog_wants(changed ? LOG_NOTICE : LOG_INFO))
		return;
	if (!may_write(changed ? &diary->changes : &diary->decisions))
		return;
	if (changed)
		note_change(event);
	else
		note_decision(event);
}

void
diary_tick(struct diary *diary)
{
	if (diary->decisions.n_left_out > 0)
		dlog(LOG_INFO, "%u decisions were left out of the log",
		    diary->decisions.n_left_out);
	if (diary->changes.n_left_out > 0)
		dlog(LOG_NOTICE, "%u changes were left out of the log",
		    diary->changes.n_left_out);
	*diary = (struct diary){ 0 };
}
