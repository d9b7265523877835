// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Labels of UTF-8 to A-labels. Octets are written out, so that the editor's
// idea of composition does not decide what is tested.
#include "config.h"

#include "table.h"

#include "base/idn.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static const struct {
	const char *sentence;
	const char *label;
	const char *ascii; // NULL: refused
} rows[] = {
	{ "a U-label becomes an A-label",
	    "b\xc3\xbc"
	    "cher",
	    "xn--bcher-kva" },
	{ "upper case is folded",
	    "B\xc3\x9c"
	    "CHER",
	    "xn--bcher-kva" },
	{ "a decomposed letter is composed",
	    "bu\xcc\x88"
	    "cher",
	    "xn--bcher-kva" },
	{ "sharp s stays what it is, as IDNA2008 wants",
	    "stra\xc3\x9f"
	    "e",
	    "xn--strae-oqa" },
	{ "final sigma stays what it is",
	    "\xce\xb2\xcf\x8c\xce\xbb\xce\xbf"
	    "\xcf\x82",
	    "xn--nxasmm1c" },
	{ "a label of right-to-left letters is converted", "\xd7\x90\xd7\x91",
	    "xn--4dbc" },
	{ "full-width letters are folded to plain ones",
	    "\xef\xbd\x81\xef\xbd\x82", "ab" },
	{ "an underscore is kept", "\xc3\xbc_x", "xn--_x-wka" },
	{ "a symbol is refused", "\xe2\x99\xa5", NULL },
	{ "a label of mixed direction is refused",
	    "\xd7\x90"
	    "a",
	    NULL },
	{ "an ideographic dot would make two labels, and is refused",
	    "a\xe3\x80\x82"
	    "b",
	    NULL },
	{ "a full-width dot is refused",
	    "\xc3\xbc\xef\xbc\x8e"
	    "b",
	    NULL },
	{ "a full-width slash is refused", "\xef\xbc\x8f", NULL },
	{ "a full-width bracket is refused", "\xef\xbc\xbb", NULL },
	{ "a blank is refused", "\xc3\xbc x", NULL },
	{ "a hyphen at the start is refused", "-\xc3\xbc", NULL },
	{ "a hyphen at the end is refused", "\xc3\xbc-", NULL },
	{ "hyphens in third and fourth place are refused", "ab--\xc3\xbc",
	    NULL },
	{ "a combining mark at the start is refused",
	    "\xcc\x88"
	    "u",
	    NULL },
	{ "a joiner alone is refused", "\xe2\x80\x8d", NULL },
	{ "octets that are no UTF-8 are refused", "\xff", NULL },
	{ "an overlong form is refused", "\xc1\xa1", NULL },
	{ "a surrogate is refused", "\xed\xa0\x80", NULL },
	{ "a truncated letter is refused", "a\xc3", NULL },
	{ "an empty label is refused", "", NULL },
	{ "a label whose A-label has over 63 octets is refused",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "\xc3\xbc",
	    NULL },
	{ "a label over any length is refused",
	    "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	    NULL },
};

static void
run_row(void **state)
{
	const struct {
		const char *sentence, *label, *ascii;
	} *row = *state;

	char ascii[64] = "untouched";
	int error = idn_label_to_ascii(row->label, strlen(row->label), ascii);

	assert_int_equal(error, row->ascii ? 0 : -EINVAL);
	assert_string_equal(ascii, row->ascii ? row->ascii : "untouched");
}

static void
take_part(void **state)
{
	char ascii[64] = "";

	(void)state;
	assert_int_equal(idn_label_to_ascii("b\xc3\xbc"
					    "cher.example",
			     7, ascii),
	    0);
	assert_string_equal(ascii, "xn--bcher-kva");
}

static void
refuse_nul(void **state)
{
	char ascii[64] = "untouched";

	(void)state;
	assert_int_equal(idn_label_to_ascii("\xc3\xbc\0x", 4, ascii), -EINVAL);
	assert_string_equal(ascii, "untouched");
}

int
main(void)
{
	TABLE_ADD(rows, run_row);
	table_add("a label is taken by its length", take_part, NULL);
	table_add("a NUL octet is refused", refuse_nul, NULL);
	return table_run("idn");
}
