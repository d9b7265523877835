// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The hosts that an MX RRset names. What a whole walk makes of them is
// test_walk; here are the names at the edges, and the order of equals.
#include "config.h"

#include "policy/mxset.h"

#include "table.h"

#include <stdio.h>
#include <string.h>

#define RECORDS_MAX 200
#define TEXT_MAX    4096

#define LABEL63                            \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NAME253                         \
	LABEL63                         \
	    "." LABEL63 "." LABEL63 "." \
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

// ---- Records as text: "10:mx1.example 20:mx2.example"

struct set {
	struct walk_reply reply;
	struct walk_mx records[RECORDS_MAX];
	char text[TEXT_MAX];
};

static void
set_read(const char *text, struct set *ret)
{
	char *rest = NULL;

	ret->reply = (struct walk_reply){ .mx = ret->records };
	assert_true(strlen(text) < TEXT_MAX);
	strcpy(ret->text, text);
	for (char *word = strtok_r(ret->text, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest)) {
		char *name;
		unsigned long preference = strtoul(word, &name, 10);

		assert_in_range(ret->reply.n_mx, 0, RECORDS_MAX - 1);
		ret->records[ret->reply.n_mx++] = (struct walk_mx){
			.preference = (uint16_t)preference,
			.name = name + 1,
		};
	}
}

static const char *
text_of(const struct mxset *set, char ret[TEXT_MAX])
{
	size_t len = 0;

	ret[0] = '\0';
	for (unsigned i = 0; i < set->n; i++)
		len += (size_t)snprintf(ret + len, TEXT_MAX - len, "%s%u:%.*s",
		    i > 0 ? " " : "", set->list[i].preference,
		    (int)set->list[i].len, set->list[i].name);
	return ret;
}

struct row {
	const char *sentence;
	const char *records;
	const char *hosts;
};

static const struct row rows[] = {
	{ "no records are no hosts", "", "" },
	{ "hosts are sorted by preference", "20:b 5:c 10:a", "5:c 10:a 20:b" },
	{ "equal preferences are sorted by name", "10:c 10:a 10:B",
	    "10:a 10:B 10:c" },
	{ "preference comes before name", "2:a 1:b", "1:b 2:a" },
	{ "of duplicates the better preferred stays", "20:a 10:b 5:A 10:c",
	    "5:A 10:b 10:c" },
	{ "a duplicate in the middle moves to its new place",
	    "10:a 20:b 30:c 40:d 15:c", "10:a 15:c 20:b 40:d" },
	{ "the last as a duplicate moves to its new place",
	    "10:a 20:b 30:c 5:c", "5:c 10:a 20:b" },
	{ "a duplicate that is no better is dropped", "10:a 20:a 10:a",
	    "10:a" },
	{ "a dot at the end is taken off", "10:mx.example.", "10:mx.example" },
	{ "the root is no host", "10:.", "" },
	{ "a name of two dots is no host", "10:..", "" },
	{ "the empty name is no host", "10:", "" },
	{ "a name of one character is a host", "10:a 20:b.", "10:a 20:b" },
	{ "a name of 253 octets is a host", "10:" NAME253, "10:" NAME253 },
	{ "a name of 253 octets may have its dot", "10:" NAME253 ".",
	    "10:" NAME253 },
	{ "a name of 254 octets is no host", "10:" NAME253 "a", "" },
	{ "an address is a host", "10:192.0.2.1", "10:192.0.2.1" },
};

static void
read_set(void **state)
{
	const struct row *row = *state;
	static struct set set;
	static struct mxset found;
	char text[TEXT_MAX];

	set_read(row->records, &set);
	mxset_read(&set.reply, &found);
	assert_string_equal(text_of(&found, text), row->hosts);
	assert_false(found.more);
}

struct null_row {
	const char *sentence;
	const char *records;
	bool null;
};

static const struct null_row null_rows[] = {
	{ "a root of preference 0 alone is a null MX", "0:.", true },
	{ "a root of preference 1 is no null MX", "1:.", false },
	{ "two of them are no null MX", "0:. 0:.", false },
	{ "a host is no null MX", "0:a", false },
	{ "no records are no null MX", "", false },
};

static void
null_set(void **state)
{
	const struct null_row *row = *state;
	static struct set set;

	set_read(row->records, &set);
	assert_int_equal(mxset_is_null(&set.reply), row->null);
}

// Sixty-four hosts and then one more, "z", of this preference.
static void
read_crowd(unsigned preference, struct mxset *ret)
{
	static struct set set;
	char text[TEXT_MAX];
	size_t len = 0;

	for (unsigned i = 0; i < FACTS_HOSTS_MAX; i++)
		len += (size_t)snprintf(
		    text + len, sizeof(text) - len, "%u:h%u ", 10 + i, i);
	snprintf(text + len, sizeof(text) - len, "%u:z", preference);
	set_read(text, &set);
	mxset_read(&set.reply, ret);
}

static void
the_worst_goes_for_a_better_one(void **state)
{
	(void)state;
	static struct mxset set;

	read_crowd(11, &set);
	assert_true(set.more);
	assert_int_equal(set.n, FACTS_HOSTS_MAX);
	assert_string_equal(set.list[2].name, "z");
	assert_string_equal(set.list[FACTS_HOSTS_MAX - 1].name, "h62");
}

static void
one_that_is_worse_than_all_is_left_out(void **state)
{
	(void)state;
	static struct mxset set;

	read_crowd(1000, &set);
	assert_true(set.more);
	assert_int_equal(set.n, FACTS_HOSTS_MAX);
	assert_string_equal(set.list[FACTS_HOSTS_MAX - 1].name, "h63");
}

int
main(void)
{
	TABLE_ADD(rows, read_set);
	TABLE_ADD(null_rows, null_set);
	table_add("of too many the worst goes for a better one",
	    the_worst_goes_for_a_better_one, NULL);
	table_add("of too many one that is worse than all is left out",
	    one_that_is_worse_than_all_is_left_out, NULL);
	return table_run("mxset");
}
