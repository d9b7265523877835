// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A story as an indented tree. Each answer is a row: its type, its security,
// then a line a record with its TTL. Names of the DNS come in presentation
// form, which has no control characters.
#include "config.h"

#include "tool/render.h"

#include "base/escape.h"
#include "policy/rules_day.h"
#include "tool/words.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Of a TLSA record's data; the longest digest.
#define DATA_SHOWN 64

enum paint { PLAIN = 0, GOOD, DOUBT, BAD, TITLE };

struct tree {
	FILE *out;
	const struct story *story;
	bool colour;
};

bool
render_wants_colour(FILE *out)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fileno(out)) && (no_color == NULL || *no_color == '\0') &&
	       (term == NULL || strcmp(term, "dumb") != 0);
}

// Text in colour, padded to width outside of it.
static void
paint(const struct tree *tree, enum paint paint, const char *text, int width)
{
	static const char *const codes[] = { "", "\033[32m", "\033[33m",
		"\033[31m", "\033[1m" };

	bool colour = tree->colour && paint != PLAIN;
	int pad = width - (int)strlen(text);
	fprintf(tree->out, "%s%s%s%*s", colour ? codes[paint] : "", text,
	    colour ? "\033[0m" : "", pad > 0 ? pad : 0, "");
}

// ---- Answers ----

static enum paint
paint_of(const struct story_answer *answer)
{
	if (!answer->answered || answer->security < WALK_INSECURE)
		return answer->counts ? BAD : PLAIN;
	return answer->security == WALK_SECURE ? GOOD : DOUBT;
}

// "  A      secure    " or as many blanks.
static void
put_margin(
    const struct tree *tree, const struct story_answer *answer, bool first)
{
	fputs("    ", tree->out);
	paint(tree, PLAIN, first ? words_type(answer->type) : "", 7);
	paint(tree, first ? paint_of(answer) : PLAIN,
	    first ? words_security(answer) : "", 10);
}

static const char *
or_number(const char *name, uint8_t value, char ret[4])
{
	if (name != NULL)
		return name;
	snprintf(ret, 4, "%u", value);
	return ret;
}

static void
put_data(const struct tree *tree, const struct tlsa *tlsa)
{
	char hex[2 * DATA_SHOWN + 1];
	size_t shown = tlsa->len < DATA_SHOWN ? tlsa->len : DATA_SHOWN;

	if (tlsa->len == 0) {
		fputs("no data", tree->out);
		return;
	}
	words_hex(tlsa->data, shown, hex);
	if (tlsa->len > 12)
		fprintf(tree->out, "%.8s...%s", hex,
		    tlsa->len > DATA_SHOWN ? "" : hex + 2 * shown - 8);
	else
		fputs(hex, tree->out);
	if (tlsa->len > DATA_SHOWN)
		fprintf(tree->out, " (%zu octets)", tlsa->len);
}

static void
put_tlsa(const struct tree *tree, const struct story_record *record)
{
	char usage[4], selector[4], matching[4];
	enum tlsa_use use;
	struct tlsa tlsa;

	if (words_tlsa(record, &tlsa, &use)) {
		fprintf(tree->out, "%u %u %u  %s %s %s  ", tlsa.usage,
		    tlsa.selector, tlsa.matching,
		    or_number(words_usage(tlsa.usage), tlsa.usage, usage),
		    or_number(
			words_selector(tlsa.selector), tlsa.selector, selector),
		    or_number(words_matching(tlsa.matching), tlsa.matching,
			matching));
		put_data(tree, &tlsa);
		fputs("  ", tree->out);
	}
	if (use == TLSA_USABLE) {
		paint(tree, GOOD, "usable", 0);
		return;
	}
	paint(tree, DOUBT, "unusable", 0);
	fprintf(tree->out, ": %s%s", tlsa_use_text(use),
	    use != TLSA_UNUSABLE_SHORT && tlsa_kills_smtp(&tlsa)
		? "; makes some versions of smtp(8) panic"
		: "");
}

static void
put_record(const struct tree *tree, const struct story_record *record)
{
	char address[WORDS_ADDRESS_MAX];

	fprintf(tree->out, "%6us  ", record->ttl_s);
	switch (record->type) {
	case WALK_MX:
		fprintf(
		    tree->out, "%u %s", words_preference(record), record->name);
		break;
	case WALK_CNAME:
		fprintf(tree->out, "%s is an alias of %s", record->owner,
		    record->name);
		break;
	case WALK_A:
	case WALK_AAAA:
		fputs(words_address(record, address), tree->out);
		break;
	case WALK_TLSA:
		put_tlsa(tree, record);
		break;
	}
	fputc('\n', tree->out);
}

// What there is to say where there are no records.
static void
put_nothing(const struct tree *tree, const struct story_answer *answer)
{
	bool is_failure = answer->security < WALK_INSECURE;
	const char *text = answer->content == WALK_NXDOMAIN ? "no such name"
							    : "no such record";
	if (!answer->answered)
		text = answer->counts ? "timed out" : "not waited for";
	else if (is_failure)
		text = answer->cause;
	if (answer->answered && !is_failure && answer->has_ttl)
		fprintf(tree->out, "%6us  %s\n", answer->ttl_s, text);
	else
		fprintf(tree->out, "%7s  %s\n", "-", text);
}

static void
put_answer(const struct tree *tree, const struct story_answer *answer)
{
	bool first = true;

	if (answer->type == WALK_TLSA) {
		put_margin(tree, answer, first);
		fprintf(tree->out, "%9s%s%s\n", "", answer->name,
		    answer->counts ? "" : "  (does not count)");
		first = false;
	}
	for (unsigned i = 0; i < answer->n_records; i++, first = false) {
		put_margin(tree, answer, first);
		put_record(tree, &answer->records[i]);
	}
	if (!answer->answered || answer->security < WALK_INSECURE ||
	    answer->content != WALK_DATA) {
		put_margin(tree, answer, first);
		put_nothing(tree, answer);
	}
}

// ---- Hosts and the end ----

static enum paint
paint_host(enum facts_state state)
{
	switch (state) {
	case FACTS_DANE:
		return GOOD;
	case FACTS_ERROR:
		return BAD;
	case FACTS_ABSENT:
		return PLAIN;
	case FACTS_UNUSABLE:
	case FACTS_NODANE:
		break;
	}
	return DOUBT;
}

static void
put_host(const struct tree *tree, unsigned index)
{
	const struct story *story = tree->story;
	const struct story_host *host = &story->hosts[index];

	fputs("\n  ", tree->out);
	if (story->nexthop.kind == NEXTHOP_DOMAIN)
		fprintf(tree->out, "%u ", host->preference);
	paint(tree, TITLE, host->name, 0);
	fputs(": ", tree->out);
	paint(tree, paint_host(host->state), words_host(host->state), 0);
	fprintf(tree->out, ", %s\n", host->why);
	for (unsigned i = 0; i < story->n_answers; i++)
		if (story->answers[i].type != WALK_MX &&
		    story->answers[i].host == index)
			put_answer(tree, &story->answers[i]);
}

static void
put_title(const struct tree *tree)
{
	const struct nexthop *nexthop = &tree->story->nexthop;
	const char *key = tree->story->key;
	char quoted[1024];

	escape_text(ESCAPE_CONTROLS, key, strlen(key), quoted, sizeof(quoted));
	paint(tree, TITLE, quoted, 0);
	switch (nexthop->kind) {
	case NEXTHOP_DOMAIN:
		fprintf(tree->out, ": MX of %s, TLSA on port %u\n",
		    nexthop->name, nexthop->port);
		return;
	case NEXTHOP_HOST:
		fprintf(tree->out, ": host %s, TLSA on port %u\n",
		    nexthop->name, nexthop->port);
		return;
	case NEXTHOP_ADDRESS:
		fputs(": an address, for which there is no DANE\n", tree->out);
		return;
	case NEXTHOP_PARENT:
		fputs(": stands for the names below it; the DNS is not asked\n",
		    tree->out);
		return;
	case NEXTHOP_UNCONVERTIBLE:
		fputs(": not a domain name by IDNA2008\n", tree->out);
		return;
	case NEXTHOP_UNPARSABLE:
		fputs(": not a next-hop\n", tree->out);
	}
}

static enum paint
paint_verdict(enum decide_verdict verdict)
{
	switch (verdict) {
	case DECIDE_DANE_ONLY:
	case DECIDE_DANE:
		return GOOD;
	case DECIDE_NONE:
		return DOUBT;
	case DECIDE_DEFER:
		break;
	}
	return BAD;
}

static void
put_verdict(const struct tree *tree)
{
	const struct story *story = tree->story;

	fputs("\n  verdict      ", tree->out);
	paint(tree, paint_verdict(story->verdict), decide_text(story->verdict),
	    0);
	fprintf(tree->out, ": %s\n  kept for     %u s\n", story->reason,
	    story->kept_s);
}

// NOTFOUND ends in a blank.
static void
put_reply(const struct tree *tree, const struct story_reply *reply)
{
	size_t len = strlen(reply->text);

	if (len > 0 && reply->text[len - 1] == ' ')
		len--;
	fprintf(tree->out, "  %-12s %.*s\n", reply->map, (int)len, reply->text);
}

static void
put_rule(const struct tree *tree)
{
	const struct rules_rule *rule = &tree->story->rule;
	char day[RULES_DAY_LEN + 1], why[RULES_LINE_MAX];

	if (tree->story->policy_file[0] == '\0')
		return;
	fputs("  rule         ", tree->out);
	if (!tree->story->has_rule) {
		fputs("none\n", tree->out);
		return;
	}
	fprintf(tree->out, "%s:%u: %s  %s", tree->story->policy_file,
	    rule->line, rule->key, rule->answer);
	if (rule->has_until)
		fprintf(tree->out, " until=%s",
		    rules_day_text(rule->until_day, day));
	escape_text(
	    ESCAPE_CONTROLS, rule->why, strlen(rule->why), why, sizeof(why));
	fprintf(tree->out, "%s%s\n", *why != '\0' ? "  # " : "", why);
}

void
render_tree(const struct story *story, bool colour, FILE *out)
{
	struct tree tree = { .out = out, .story = story, .colour = colour };

	put_title(&tree);
	put_rule(&tree);
	if (story->resolved) {
		if (story->n_answers > 0 && story->answers[0].type == WALK_MX)
			put_answer(&tree, &story->answers[0]);
		for (unsigned i = 0; i < story->n_hosts; i++)
			put_host(&tree, i);
		put_verdict(&tree);
	} else if (story->why_not[0] != '\0') {
		fprintf(out, "  not asked    %s\n", story->why_not);
	}
	for (unsigned i = 0; i < STORY_MAPS; i++)
		put_reply(&tree, &story->replies[i]);
}
