// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What a policy file may say: every level and attribute of Postfix's grammar,
// and every fault with the place and the words that an administrator reads.

#include "config.h"

#include "policy/rules.h"

#include "policy/rules_day.h"

#include "table.h"

#include "rules_text.h"

#include <stdio.h>

#define HEX_4  "00:11:22:33"
#define HEX_16 HEX_4 ":" HEX_4 ":" HEX_4 ":" HEX_4
#define HEX_20 HEX_16 ":" HEX_4
#define HEX_28 HEX_20 ":" HEX_4 ":" HEX_4
#define HEX_32 HEX_16 ":" HEX_16
#define HEX_48 HEX_32 ":" HEX_16
#define HEX_64 HEX_32 ":" HEX_32

#define LABEL_63                           \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NAME_253                          \
	LABEL_63                          \
	    "." LABEL_63 "." LABEL_63 "." \
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

struct accept_row {
	const char *sentence;
	const char *rule;
	const char *answer;
	enum rules_kind kind;
};

// Each behind the key "a.example ".
static const struct accept_row accept_rows[] = {
	// levels
	{ "none is a level", "none", "none", RULES_FIXED },
	{ "may is a level", "may", "may", RULES_FIXED },
	{ "encrypt is a level", "encrypt", "encrypt", RULES_FIXED },
	{ "dane is a level of its own kind", "dane", "dane", RULES_DANE },
	{ "dane-only is a level of its own kind", "dane-only", "dane-only",
	    RULES_DANE_ONLY },
	{ "fingerprint is a level", "fingerprint", "fingerprint", RULES_FIXED },
	{ "verify is a level", "verify", "verify", RULES_FIXED },
	{ "secure is a level", "secure", "secure", RULES_FIXED },
	{ "a level in upper case comes out in lower case", "DANE-Only",
	    "dane-only", RULES_DANE_ONLY },

	// what is ours
	{ "dns is a rule", "dns", "dns", RULES_DNS },
	{ "DNS is dns", "DNS", "dns", RULES_DNS },
	{ "dns may end", "dns until=2026-12-31", "dns", RULES_DNS },
	{ "until= is not passed on", "may until=2026-12-31", "may",
	    RULES_FIXED },
	{ "until= may stand before attributes",
	    "may until=2026-12-31 ciphers=high", "may ciphers=high",
	    RULES_FIXED },
	{ "UNTIL is until", "may UNTIL=2026-12-31", "may", RULES_FIXED },
	{ "until= may be braced", "may { until = 2026-12-31 }", "may",
	    RULES_FIXED },

	// ciphers, protocols, exclude: may and up
	{ "ciphers goes with may", "may ciphers=high", "may ciphers=high",
	    RULES_FIXED },
	{ "ciphers goes with dane-only", "dane-only ciphers=medium",
	    "dane-only ciphers=medium", RULES_DANE_ONLY },
	{ "a grade is taken in any case, as written", "encrypt ciphers=HIGH",
	    "encrypt ciphers=HIGH", RULES_FIXED },
	{ "protocols goes with encrypt", "encrypt protocols=!SSLv2:!SSLv3",
	    "encrypt protocols=!SSLv2:!SSLv3", RULES_FIXED },
	{ "protocols may have signs of comparison",
	    "encrypt protocols=>=TLSv1.2", "encrypt protocols=>=TLSv1.2",
	    RULES_FIXED },
	{ "protocols may be empty",
	    "encrypt protocols=", "encrypt protocols=", RULES_FIXED },
	{ "exclude goes with dane", "dane exclude=aNULL:MD5",
	    "dane exclude=aNULL:MD5", RULES_DANE },
	{ "exclude may be empty", "may exclude=", "may exclude=", RULES_FIXED },
	{ "names of attributes in upper case come out in lower case",
	    "may CIPHERS=high", "may ciphers=high", RULES_FIXED },

	{ "protocols goes with may", "may protocols=TLSv1.3",
	    "may protocols=TLSv1.3", RULES_FIXED },
	{ "every attribute of TLS goes with fingerprint",
	    "fingerprint ciphers=high protocols=TLSv1.3 exclude=MD5 "
	    "servername=mx.example connection_reuse=yes enable_rpk=no",
	    "fingerprint ciphers=high protocols=TLSv1.3 exclude=MD5 "
	    "servername=mx.example connection_reuse=yes enable_rpk=no",
	    RULES_FIXED },
	{ "what goes with a policy goes with encrypt",
	    "encrypt policy_type=sts policy_ttl=1 policy_domain=a "
	    "policy_failure=sts-policy-invalid policy_string=a "
	    "mx_host_pattern=a",
	    "encrypt policy_type=sts policy_ttl=1 policy_domain=a "
	    "policy_failure=sts-policy-invalid policy_string=a "
	    "mx_host_pattern=a",
	    RULES_FIXED },

	// match
	{ "match with secure", "secure match=mx.example",
	    "secure match=mx.example", RULES_FIXED },
	{ "match with verify", "verify match=hostname", "verify match=hostname",
	    RULES_FIXED },
	{ "names in match have colons between",
	    "secure match=nexthop:dot-nexthop:.example:mx.example",
	    "secure match=nexthop:dot-nexthop:.example:mx.example",
	    RULES_FIXED },
	{ "a parent in match may have one letter", "secure match=.a",
	    "secure match=.a", RULES_FIXED },
	{ "match and until= may stand together",
	    "secure match=a.example until=2026-12-31", "secure match=a.example",
	    RULES_FIXED },
	{ "match adds up with secure", "secure match=a.example match=b.example",
	    "secure match=a.example match=b.example", RULES_FIXED },
	{ "match with fingerprint, sha256", "fingerprint match=" HEX_32,
	    "fingerprint match=" HEX_32, RULES_FIXED },
	{ "match with fingerprint, md5", "fingerprint match=" HEX_16,
	    "fingerprint match=" HEX_16, RULES_FIXED },
	{ "match with fingerprint, sha1", "fingerprint match=" HEX_20,
	    "fingerprint match=" HEX_20, RULES_FIXED },
	{ "match with fingerprint, sha224", "fingerprint match=" HEX_28,
	    "fingerprint match=" HEX_28, RULES_FIXED },
	{ "match with fingerprint, sha384", "fingerprint match=" HEX_48,
	    "fingerprint match=" HEX_48, RULES_FIXED },
	{ "match with fingerprint, sha512", "fingerprint match=" HEX_64,
	    "fingerprint match=" HEX_64, RULES_FIXED },
	{ "fingerprints have bars between",
	    "fingerprint match=" HEX_16 "|" HEX_32,
	    "fingerprint match=" HEX_16 "|" HEX_32, RULES_FIXED },
	{ "match adds up with fingerprint",
	    "fingerprint match=" HEX_16 " match=" HEX_32,
	    "fingerprint match=" HEX_16 " match=" HEX_32, RULES_FIXED },
	{ "hex digits come out in upper case",
	    "fingerprint match=aa:bb:cc:dd:ee:ff:aa:bb:cc:dd:ee:ff:aa:bb:cc:dd",
	    "fingerprint match=AA:BB:CC:DD:EE:FF:AA:BB:CC:DD:EE:FF:AA:BB:CC:DD",
	    RULES_FIXED },
	{ "every hex digit is one",
	    "fingerprint match=0123456789abcdefABCDEF9876543210",
	    "fingerprint match=01:23:45:67:89:AB:CD:EF:AB:CD:EF:98:76:54:32:10",
	    RULES_FIXED },
	{ "bare hex gets its colons, which Postfix before 3.6 needs",
	    "fingerprint match=00112233001122330011223300112233",
	    "fingerprint match=" HEX_16, RULES_FIXED },
	{ "bare and colons may stand side by side",
	    "fingerprint match=00112233001122330011223300112233|" HEX_16,
	    "fingerprint match=" HEX_16 "|" HEX_16, RULES_FIXED },

	// tafile, servername
	{ "tafile with secure", "secure tafile=/etc/a.pem",
	    "secure tafile=/etc/a.pem", RULES_FIXED },
	{ "tafile adds up", "verify tafile=/a tafile=/b",
	    "verify tafile=/a tafile=/b", RULES_FIXED },
	{ "a number sign within a value is part of it",
	    "verify tafile=/etc/a#1.pem", "verify tafile=/etc/a#1.pem",
	    RULES_FIXED },
	{ "servername is a host name", "encrypt servername=mx.example",
	    "encrypt servername=mx.example", RULES_FIXED },
	{ "servername may have 253 octets", "encrypt servername=" NAME_253,
	    "encrypt servername=" NAME_253, RULES_FIXED },
	{ "servername is hostname", "encrypt servername=hostname",
	    "encrypt servername=hostname", RULES_FIXED },

	// connection_reuse, enable_rpk: the last wins
	{ "connection_reuse is yes or no", "may connection_reuse=no",
	    "may connection_reuse=no", RULES_FIXED },
	{ "connection_reuse may stand twice",
	    "may connection_reuse=no connection_reuse=YES",
	    "may connection_reuse=no connection_reuse=YES", RULES_FIXED },
	{ "enable_rpk is yes or no", "dane enable_rpk=yes",
	    "dane enable_rpk=yes", RULES_DANE },
	{ "enable_rpk may stand twice", "dane enable_rpk=yes enable_rpk=no",
	    "dane enable_rpk=yes enable_rpk=no", RULES_DANE },

	// policy_*
	{ "policy_type sts with all that goes with it",
	    "secure match=mx.example policy_type=sts policy_ttl=86400 "
	    "policy_domain=example policy_failure=validation-failure "
	    "mx_host_pattern=*.example mx_host_pattern=mx "
	    "{ policy_string = version: STSv1 } policy_string=a",
	    "secure match=mx.example policy_type=sts policy_ttl=86400 "
	    "policy_domain=example policy_failure=validation-failure "
	    "mx_host_pattern=*.example mx_host_pattern=mx "
	    "{ policy_string = version: STSv1 } policy_string=a",
	    RULES_FIXED },
	{ "policy_type no-policy-found", "may policy_type=no-policy-found",
	    "may policy_type=no-policy-found", RULES_FIXED },
	{ "policy_type may stand behind what needs it",
	    "may policy_ttl=1 policy_type=sts",
	    "may policy_ttl=1 policy_type=sts", RULES_FIXED },

	{ "policy_ttl may have nine digits",
	    "may policy_type=sts policy_ttl=999999990",
	    "may policy_type=sts policy_ttl=999999990", RULES_FIXED },
	{ "a value that begins with a comma keeps its braces",
	    "may policy_type=sts { policy_string = ,a }",
	    "may policy_type=sts { policy_string = ,a }", RULES_FIXED },

	// how attributes are written
	{ "commas stand between attributes", "may,ciphers=high,exclude=MD5",
	    "may ciphers=high exclude=MD5", RULES_FIXED },
	{ "commas and white space in any number", "may , ,\t ciphers=high ,",
	    "may ciphers=high", RULES_FIXED },
	{ "braces around a value without blanks are taken off",
	    "may { ciphers = high }", "may ciphers=high", RULES_FIXED },
	{ "braces without white space", "may {ciphers=high}",
	    "may ciphers=high", RULES_FIXED },
	{ "braces are kept where the value has a blank",
	    "may {exclude=MD5 aNULL}", "may { exclude = MD5 aNULL }",
	    RULES_FIXED },
	{ "braces are kept where the value has a comma",
	    "may { exclude = MD5,aNULL }", "may { exclude = MD5,aNULL }",
	    RULES_FIXED },
	{ "braces within braces", "may policy_type=sts {policy_string={ a }}",
	    "may policy_type=sts { policy_string = { a } }", RULES_FIXED },
	{ "a tab in a value becomes a blank", "may { exclude = MD5\taNULL }",
	    "may { exclude = MD5 aNULL }", RULES_FIXED },
};

static void
accept(void **state)
{
	const struct accept_row *row = *state;
	char text[2048], error[RULES_ERROR_MAX] = "";
	struct rules_rule rule;
	struct rules *rules;

	int len = snprintf(text, sizeof(text), "a.example %s", row->rule);
	if (rules_text_build(text, (size_t)len, &rules, error) != 0)
		fail_msg("%s", error);
	assert_int_equal(rules_count(rules), 1);
	assert_true(rules_at(rules, 0, &rule));
	assert_string_equal(rule.answer, row->answer);
	assert_int_equal(rule.kind, row->kind);
	assert_string_equal(rule.why, "");
	// What the rule does not say is nothing.
	assert_int_equal(rule.floor, RULES_AT_LEAST_MAY);
	if (!rule.has_until)
		assert_int_equal(rule.until_day, 0);
	free(rules);
}

struct floor_row {
	const char *sentence;
	const char *rule;
	enum rules_floor floor;
};

static const struct floor_row floor_rows[] = {
	{ "at-least may", "at-least may", RULES_AT_LEAST_MAY },
	{ "at-least encrypt", "at-least encrypt", RULES_AT_LEAST_ENCRYPT },
	{ "at-least dane", "at-least dane", RULES_AT_LEAST_DANE },
	{ "at-least dane-only", "at-least dane-only",
	    RULES_AT_LEAST_DANE_ONLY },
	{ "At-Least Encrypt", "At-Least Encrypt", RULES_AT_LEAST_ENCRYPT },
	{ "commas may stand around a floor",
	    "at-least,encrypt,until=2026-12-31", RULES_AT_LEAST_ENCRYPT },
	{ "a floor may end", "at-least dane until=2026-12-31",
	    RULES_AT_LEAST_DANE },
};

static void
floor_is_read(void **state)
{
	const struct floor_row *row = *state;
	char text[128], error[RULES_ERROR_MAX] = "";
	struct rules_rule rule;
	struct rules *rules;

	int len = snprintf(text, sizeof(text), "a.example %s", row->rule);
	if (rules_text_build(text, (size_t)len, &rules, error) != 0)
		fail_msg("%s", error);
	assert_true(rules_at(rules, 0, &rule));
	assert_int_equal(rule.kind, RULES_FLOOR);
	assert_int_equal(rule.floor, row->floor);
	free(rules);
}

struct text_row {
	const char *sentence;
	const char *text;
	// One rule a line: LINE KEY ANSWER|WHY
	const char *rules;
};

static const struct text_row text_rows[] = {
	{ "an empty file has no rules", "", "" },
	{ "a file of comments and blank lines has no rules",
	    "# a\n\n   # b\n \t \n#c", "" },
	{ "a rule a line", "a.example may\nb.example none\n",
	    "1 a.example may|\n2 b.example none|\n" },
	{ "a file may begin with a blank line", "\n \n\na.example may\n",
	    "4 a.example may|\n" },
	{ "the last line may lack its end", "a.example may\nb.example none",
	    "1 a.example may|\n2 b.example none|\n" },
	{ "lines may end as on DOS", "a.example may\r\nb.example none\r\n",
	    "1 a.example may|\n2 b.example none|\n" },
	{ "a line that starts with white space continues the one before",
	    "a.example\n  secure\n\tmatch=b.example\nc.example may\n",
	    "1 a.example secure match=b.example|\n4 c.example may|\n" },
	{ "blank lines and comments do not end a rule",
	    "a.example secure\n# no\n\n   # no\n  match=b.example\n",
	    "1 a.example secure match=b.example|\n" },
	{ "the comment on a rule's line is its reason",
	    "a.example may # until they mend it\n",
	    "1 a.example may|until they mend it\n" },
	{ "reasons of several lines are joined",
	    "a.example secure # one\n match=b.example # two \n",
	    "1 a.example secure match=b.example|one two\n" },
	{ "reasons of one octet are joined",
	    "a.example secure # 1\n match=b.example # 2\n",
	    "1 a.example secure match=b.example|1 2\n" },
	{ "an empty comment adds nothing to a reason",
	    "a.example secure # one\n match=b.example #\n",
	    "1 a.example secure match=b.example|one\n" },
	{ "a comment behind a comma is a reason", "a.example may , # why\n",
	    "1 a.example may|why\n" },
	{ "a reason in UTF-8 is kept as it is",
	    "a.example may # \xe2\x80\x93 \xe2\x80\xa2\n",
	    "1 a.example may|\xe2\x80\x93 \xe2\x80\xa2\n" },
	{ "a line that is a comment as a whole is no reason",
	    "# before\na.example may # this\n  # after\n",
	    "2 a.example may|this\n" },
	{ "a comment needs no blank behind its sign", "a.example may #why\n",
	    "1 a.example may|why\n" },
	{ "an empty comment is no reason", "a.example may #\n",
	    "1 a.example may|\n" },
	{ "control characters in a reason are blanks",
	    "a.example may # a\001b\n", "1 a.example may|a b\n" },
	{ "white space around words does not matter", "a.example \t  may\t\n",
	    "1 a.example may|\n" },

	// keys as they are compared
	{ "a key in upper case is folded", "A.Example. may\n",
	    "1 a.example may|\n" },
	{ "a key in UTF-8 becomes A-labels",
	    "B\xc3\x9c"
	    "CHER.example may\n",
	    "1 xn--bcher-kva.example may|\n" },
	{ "a parent in UTF-8 becomes A-labels",
	    ".b\xc3\xbc"
	    "cher.example may\n",
	    "1 .xn--bcher-kva.example may|\n" },
	{ "port 25 is taken off", "a.example:25 may\n", "1 a.example may|\n" },
	{ "the port smtp is taken off brackets", "[a.example]:smtp may\n",
	    "1 [a.example] may|\n" },
	{ "a service becomes its number", "[a.example]:submission may\n",
	    "1 [a.example]:587 may|\n" },
	{ "a domain with a port", "a.example:2525 may\n",
	    "1 a.example:2525 may|\n" },
	{ "an address is a key", "192.0.2.1 may\n", "1 [192.0.2.1] may|\n" },
	{ "an address in brackets with a port", "[192.0.2.1]:2525 may\n",
	    "1 [192.0.2.1]:2525 may|\n" },
	{ "an IPv6 address is spelled in one way", "[IPv6:2001:DB8:0::1] may\n",
	    "1 [2001:db8::1] may|\n" },
	{ "the last resort is a key", "* may\n", "1 * may|\n" },
	{ "a domain and the host of that name are two keys",
	    "a.example may\n[a.example] none\n.a.example dns\n",
	    "1 a.example may|\n2 [a.example] none|\n3 .a.example dns|\n" },
};

static void
text_is_read(void **state)
{
	const struct text_row *row = *state;
	char found[1024] = "", error[RULES_ERROR_MAX] = "";
	struct rules_rule rule;
	struct rules *rules;
	size_t len = 0;

	if (rules_text_build(row->text, strlen(row->text), &rules, error) != 0)
		fail_msg("%s", error);
	for (size_t i = 0; rules_at(rules, i, &rule); i++)
		len += (size_t)snprintf(found + len, sizeof(found) - len,
		    "%u %s %s|%s\n", rule.line, rule.key, rule.answer,
		    rule.why);
	assert_string_equal(found, row->rules);
	free(rules);
}

struct refuse_row {
	const char *sentence;
	const char *text;
	const char *error; // its beginning
};

#define LEVELS \
	"none, may, encrypt, dane, dane-only, fingerprint, verify, secure"
#define KEYS                                                                \
	"is no next-hop: expected a domain, .parent, [host] or [address], " \
	"with or without :port, or *"

static const struct refuse_row refuse_rows[] = {
	// where
	{ "the place is file, line and column", "a.example may\n\nb.example oh",
	    "rules:3:11: unknown level \"oh\": expected " LEVELS
	    ", at-least LEVEL or dns" },
	{ "a fault on a continued line has that line's place",
	    "a.example\n  secure\n   matsch=b\n",
	    "rules:3:4: unknown attribute \"matsch\": expected ciphers, " },
	{ "columns count characters, not octets",
	    "b\xc3\xbc"
	    "cher.example oh\n",
	    "rules:1:16: unknown level \"oh\"" },
	{ "columns count characters whatever their octets",
	    "a.example may exclude=\xc3\xa1\xc3\xbf ciphers=oh\n",
	    "rules:1:34: \"oh\"" },
	{ "the first fault is the one that is told", "a oh\nb.example oh\n",
	    "rules:1:3: unknown level" },

	// lines
	{ "a continuation of nothing", "  may\n",
	    "rules:1:1: a line that starts with white space continues the one "
	    "before, and there is none" },
	{ "a continuation of a comment", "# a\n  may\n",
	    "rules:2:1: a line that starts with white space" },
	{ "a key without a rule", "a.example\n",
	    "rules:1:10: a key without a rule: expected a level (" LEVELS
	    "), at-least LEVEL or dns" },
	{ "a key with a comment only", "a.example # may\n",
	    "rules:1:10: a key without a rule" },
	{ "a control character", "a.example ma\001y\n",
	    "rules:1:13: a control character: not a text file" },

	{ "a control character that begins a word", "a.example \001may\n",
	    "rules:1:11: a control character" },
	{ "a control character in a floor", "a.example at-least m\001ay\n",
	    "rules:1:21: a control character" },
	{ "the first control character that is no white space",
	    "a.example may\016\n", "rules:1:14: a control character" },
	{ "DEL is a control character", "a.example may\177\n",
	    "rules:1:14: a control character" },

	// keys
	{ "a wildcard of nothing", "*. may\n", "rules:1:1: \"*.\" " KEYS },
	{ "a wildcard of one letter", "*.a may\n",
	    "rules:1:1: \"*.a\": expected \".a\" for all names below it" },
	{ "a key that is no next-hop", "a..example may\n",
	    "rules:1:1: \"a..example\" " KEYS },
	{ "a path is no next-hop", "/a may\n", "rules:1:1: \"/a\" " KEYS },
	{ "a port that does not exist", "a.example:submisson may\n",
	    "rules:1:1: \"a.example:submisson\" " KEYS },
	{ "a pattern is told how it is written", "*.example may\n",
	    "rules:1:1: \"*.example\": expected \".example\" for all names "
	    "below it" },
	{ "a key that IDNA refuses", "\xc3\xbc\xc3\xbc.example may\n",
	    "rules:1:1: \"\xc3\xbc\xc3\xbc.example\" is no domain name by "
	    "IDNA2008" },
	{ "a comma behind the key", "a.example, may\n",
	    "rules:1:1: \"a.example,\" " KEYS },
	{ "a brace as a key", "{ a.example } may\n", "rules:1:1: \"{\" " KEYS },
	{ "a key that stands twice names both lines",
	    "a.example may\nb.example may\na.example none\n",
	    "rules:3:1: a.example has its rule in line 1 already" },
	{ "a key in two spellings stands twice",
	    "a.example may\nA.EXAMPLE.:25 none\n",
	    "rules:2:1: a.example has its rule in line 1 already" },
	{ "a key in two scripts stands twice", "xn--tda may\n\xc3\xbc none\n",
	    "rules:2:1: xn--tda has its rule in line 1 already" },
	{ "two last resorts", "* may\n* none\n",
	    "rules:2:1: * has its rule in line 1 already" },
	{ "an address in two spellings stands twice",
	    "[192.0.2.1] may\n192.0.2.1 none\n",
	    "rules:2:1: [192.0.2.1] has its rule in line 1 already" },

	// levels and floors
	{ "an attribute in place of the level", "a.example ciphers=high\n",
	    "rules:1:11: unknown level \"ciphers=high\"" },
	{ "half-dane is no level", "a.example half-dane\n",
	    "rules:1:11: unknown level \"half-dane\"" },
	{ "at-least nothing", "a.example at-least\n",
	    "rules:1:19: at-least what? expected may, encrypt, dane, "
	    "dane-only" },
	{ "at-least none", "a.example at-least none\n",
	    "rules:1:20: \"none\" is no floor: expected may, encrypt, dane, "
	    "dane-only (fingerprint, verify and secure are fixed answers "
	    "only)" },
	{ "at-least secure", "a.example at-least secure\n",
	    "rules:1:20: \"secure\" is no floor" },
	{ "a floor with an attribute", "a.example at-least may ciphers=high\n",
	    "rules:1:24: ciphers goes with a level: behind at-least LEVEL and "
	    "dns expected nothing but until=YYYY-MM-DD" },
	{ "dns with an attribute", "a.example dns ciphers=high\n",
	    "rules:1:15: ciphers goes with a level" },

	// attributes and levels
	{ "none takes no attribute", "a.example none ciphers=high\n",
	    "rules:1:16: ciphers means nothing to the level none: it goes with "
	    "may encrypt dane dane-only fingerprint verify secure" },
	{ "match means nothing to may", "a.example may match=b.example\n",
	    "rules:1:15: match means nothing to the level may: it goes with "
	    "fingerprint verify secure" },
	{ "match means nothing to dane-only",
	    "a.example dane-only match=b.example\n",
	    "rules:1:21: match means nothing to the level dane-only" },
	{ "tafile means nothing to fingerprint",
	    "a.example fingerprint tafile=/a\n",
	    "rules:1:23: tafile means nothing to the level fingerprint: it "
	    "goes with verify secure" },
	{ "tafile means nothing to encrypt", "a.example encrypt tafile=/a\n",
	    "rules:1:19: tafile means nothing to the level encrypt" },
	{ "policy_type means nothing to dane",
	    "a.example dane policy_type=sts\n",
	    "rules:1:16: policy_type means nothing to the level dane: it goes "
	    "with may encrypt fingerprint verify secure" },
	{ "policy_ttl means nothing to dane", "a.example dane policy_ttl=1\n",
	    "rules:1:16: policy_ttl means nothing to the level dane: it goes "
	    "with may encrypt fingerprint verify secure" },
	{ "policy_domain means nothing to dane",
	    "a.example dane policy_domain=a\n",
	    "rules:1:16: policy_domain means nothing to the level dane: it "
	    "goes "
	    "with may encrypt fingerprint verify secure" },
	{ "policy_failure means nothing to dane",
	    "a.example dane policy_failure=sts-policy-invalid\n",
	    "rules:1:16: policy_failure means nothing to the level dane: it "
	    "goes "
	    "with may encrypt fingerprint verify secure" },
	{ "policy_string means nothing to dane",
	    "a.example dane policy_string=a\n",
	    "rules:1:16: policy_string means nothing to the level dane: it "
	    "goes "
	    "with may encrypt fingerprint verify secure" },
	{ "mx_host_pattern means nothing to dane",
	    "a.example dane mx_host_pattern=a\n",
	    "rules:1:16: mx_host_pattern means nothing to the level dane: it "
	    "goes "
	    "with may encrypt fingerprint verify secure" },
	{ "policy_type means nothing to dane-only",
	    "a.example dane-only policy_type=sts\n",
	    "rules:1:21: policy_type means nothing to the level dane-only" },
	{ "match means nothing to encrypt",
	    "a.example encrypt match=b.example\n",
	    "rules:1:19: match means nothing to the level encrypt" },
	{ "an unknown attribute", "a.example may cipher=high\n",
	    "rules:1:15: unknown attribute \"cipher\": expected ciphers, "
	    "protocols, exclude, match, tafile, servername, connection_reuse, "
	    "enable_rpk, policy_* or until" },

	// repeats
	{ "ciphers twice", "a.example may ciphers=high ciphers=high\n",
	    "rules:1:28: ciphers stands twice: expected once" },
	{ "protocols twice, also when empty",
	    "a.example may protocols= protocols=\n",
	    "rules:1:26: protocols stands twice" },
	{ "exclude twice", "a.example may exclude=A EXCLUDE=B\n",
	    "rules:1:25: EXCLUDE stands twice" },
	{ "servername twice", "a.example may servername=a servername=b\n",
	    "rules:1:28: servername stands twice" },
	{ "policy_type twice",
	    "a.example may policy_type=sts policy_type=sts\n",
	    "rules:1:31: policy_type stands twice" },
	{ "policy_ttl twice",
	    "a.example may policy_type=sts policy_ttl=1 policy_ttl=1\n",
	    "rules:1:44: policy_ttl stands twice" },
	{ "policy_domain twice",
	    "a.example may policy_type=sts policy_domain=a policy_domain=a\n",
	    "rules:1:47: policy_domain stands twice" },
	{ "policy_failure twice",
	    "a.example may policy_type=sts policy_failure=sts-policy-invalid "
	    "policy_failure=sts-policy-invalid\n",
	    "rules:1:65: policy_failure stands twice" },
	{ "until twice", "a.example may until=2026-01-01 until=2026-01-01\n",
	    "rules:1:32: until stands twice" },

	// values
	{ "empty ciphers", "a.example may ciphers=\n",
	    "rules:1:23: \"\": expected a cipher grade: high, medium, low, "
	    "export or null" },
	{ "a grade that is none", "a.example may ciphers=hihg\n",
	    "rules:1:23: \"hihg\": expected a cipher grade" },
	{ "an empty match", "a.example secure match=\n",
	    "rules:1:24: an empty value: Postfix defers all mail over it" },
	{ "an empty match of fingerprints", "a.example fingerprint match=\n",
	    "rules:1:29: an empty value" },
	{ "an empty tafile", "a.example secure tafile=\n",
	    "rules:1:25: an empty value" },
	{ "an empty servername", "a.example may servername=\n",
	    "rules:1:26: \"\": expected a host name" },
	{ "a servername that is none", "a.example may servername=-a\n",
	    "rules:1:26: \"-a\": expected a host name" },
	{ "a servername of 254 octets",
	    "a.example may servername=" NAME_253 "a\n", "rules:1:26: \"a" },
	{ "connection_reuse that is neither yes nor no",
	    "a.example may connection_reuse=maybe\n",
	    "rules:1:32: \"maybe\": expected yes or no" },
	{ "enable_rpk that is neither yes nor no",
	    "a.example may enable_rpk=\n",
	    "rules:1:26: \"\": expected yes or no" },
	{ "policy_type tlsa", "a.example may policy_type=tlsa\n",
	    "rules:1:27: \"tlsa\": expected sts or no-policy-found" },
	{ "policy_ttl that is no number",
	    "a.example may policy_type=sts policy_ttl=1d\n",
	    "rules:1:42: \"1d\": expected seconds, in digits" },
	{ "policy_ttl that begins with a letter",
	    "a.example may policy_type=sts policy_ttl=x1\n",
	    "rules:1:42: \"x1\": expected seconds" },
	{ "policy_ttl with a colon in it",
	    "a.example may policy_type=sts policy_ttl=1:1\n",
	    "rules:1:42: \"1:1\": expected seconds" },
	{ "policy_ttl with a slash in it",
	    "a.example may policy_type=sts policy_ttl=1/1\n",
	    "rules:1:42: \"1/1\": expected seconds" },
	{ "policy_ttl of ten digits",
	    "a.example may policy_type=sts policy_ttl=1000000000\n",
	    "rules:1:42: \"1000000000\": expected seconds" },
	{ "an empty policy_ttl", "a.example may policy_type=sts policy_ttl=\n",
	    "rules:1:42: \"\": expected seconds" },
	{ "policy_domain that is no name",
	    "a.example may policy_type=sts policy_domain=*\n",
	    "rules:1:45: \"*\": expected a host name" },
	{ "policy_failure that is none",
	    "a.example may policy_type=sts policy_failure=oh\n",
	    "rules:1:46: \"oh\": expected sts-policy-fetch-error, " },
	{ "policy_ttl without a type", "a.example may policy_ttl=1\n",
	    "rules:1:15: policy_* and mx_host_pattern need policy_type beside "
	    "them" },
	{ "mx_host_pattern without a type", "a.example may mx_host_pattern=a\n",
	    "rules:1:15: policy_* and mx_host_pattern need policy_type" },

	// match
	{ "a bar between names", "a.example secure match=b.example|c.example\n",
	    "rules:1:24: \"b.example|c.example\" in match: expected hostname, "
	    "nexthop, dot-nexthop, a host name or a .parent, with \":\" "
	    "between" },
	{ "an empty name among names", "a.example secure match=b.example:\n",
	    "rules:1:34: \"\" in match" },
	{ "a pattern in match", "a.example secure match=b:*.example\n",
	    "rules:1:26: \"*.example\" in match" },
	{ "a name where fingerprints belong",
	    "a.example fingerprint match=b.example\n",
	    "rules:1:29: \"b.example\" in match: expected a fingerprint as hex "
	    "pairs (AB:CD:...), with \"|\" between fingerprints" },
	{ "an empty fingerprint at the end",
	    "a.example fingerprint match=" HEX_16 "|\n",
	    "rules:1:77: \"\" in match" },
	{ "a fingerprint of an odd number of digits",
	    "a.example fingerprint match=" HEX_16 ":0\n", "rules:1:29: \"" },
	{ "a fingerprint with a colon in the wrong place",
	    "a.example fingerprint match=001122330011223300:1122330011223\n",
	    "rules:1:29: \"001122330011223300:1122330011223\" in match: " },
	{ "a fingerprint with one colon",
	    "a.example fingerprint match=00:11223\n",
	    "rules:1:29: \"00:11223\" in match: expected a fingerprint" },
	{ "a fingerprint of one octet", "a.example fingerprint match=00\n",
	    "rules:1:29: a fingerprint of 1 octets in match" },
	{ "a fingerprint of one digit", "a.example fingerprint match=0\n",
	    "rules:1:29: \"0\" in match: expected a fingerprint" },
	{ "a slash is no hex digit", "a.example fingerprint match=0/\n",
	    "rules:1:29: \"0/\" in match: expected a fingerprint" },
	{ "a colon is no hex digit", "a.example fingerprint match=0:\n",
	    "rules:1:29: \"0:\" in match: expected a fingerprint" },
	{ "an at sign is no hex digit", "a.example fingerprint match=0@\n",
	    "rules:1:29: \"0@\" in match: expected a fingerprint" },
	{ "a capital G is no hex digit", "a.example fingerprint match=0G\n",
	    "rules:1:29: \"0G\" in match: expected a fingerprint" },
	{ "a backquote is no hex digit", "a.example fingerprint match=`0\n",
	    "rules:1:29: \"`0\" in match: expected a fingerprint" },
	{ "a small g is no hex digit", "a.example fingerprint match=g0\n",
	    "rules:1:29: \"g0\" in match: expected a fingerprint" },
	{ "a fingerprint with some colons",
	    "a.example fingerprint match=00:1122330011223300112233001122330\n",
	    "rules:1:29: \"00:1122330011223300112233001122330\" in match: " },
	{ "a fingerprint of a length that no digest has",
	    "a.example fingerprint match=" HEX_4 "\n",
	    "rules:1:29: a fingerprint of 4 octets in match: no digest has "
	    "that length (sha256 has 32, sha512 64)" },

	// how attributes are written
	{ "an attribute without a value", "a.example may ciphers\n",
	    "rules:1:15: \"ciphers\": expected NAME=VALUE, without white "
	    "space (or { NAME = VALUE }, which Postfix 3.10 knows)" },
	{ "blanks around the equals sign", "a.example may ciphers = high\n",
	    "rules:1:15: \"ciphers\": expected NAME=VALUE" },
	{ "no name before the equals sign", "a.example may =high\n",
	    "rules:1:15: \"=high\": expected NAME=VALUE" },
	{ "empty braces", "a.example may {}\n",
	    "rules:1:16: \"\": expected NAME=VALUE" },
	{ "braces that nothing closes", "a.example may { ciphers = high\n }\n",
	    "rules:1:15: nothing closes this \"{\": expected \"}\" on the "
	    "same line" },
	{ "text right behind a brace", "a.example may {ciphers=high}x\n",
	    "rules:1:29: text right behind \"}\": expected white space or a "
	    "comma" },
	{ "text right behind a brace at the end of the file",
	    "a.example may {ciphers=high}x", "rules:1:29: text right behind" },
	{ "white space alone as a value", "a.example may { ciphers = }\n",
	    "rules:1:27: \"\": expected a cipher grade" },
	{ "a brace that opens within a word", "a.example may exclude={a\n",
	    "rules:1:15: a brace within \"exclude={a\"" },
	{ "a brace that closes within a word", "a.example may exclude=a}\n",
	    "rules:1:15: a brace within \"exclude=a}\"" },
	{ "a brace within a word", "a.example may exclude={a}\n",
	    "rules:1:15: a brace within \"exclude={a}\": expected { NAME = "
	    "VALUE }" },

	// until
	{ "a day that does not exist", "a.example may until=2026-02-29\n",
	    "rules:1:21: \"2026-02-29\" is no day: expected YYYY-MM-DD, the "
	    "last day on which the rule holds" },
	{ "a date in another order", "a.example may until=31-12-2026\n",
	    "rules:1:21: \"31-12-2026\" is no day" },
	{ "an empty date", "a.example may until=\n",
	    "rules:1:21: \"\" is no day" },
};

static void
refuse(void **state)
{
	const struct refuse_row *row = *state;
	char error[RULES_ERROR_MAX] = "";
	struct rules *rules = NULL;

	assert_int_equal(
	    rules_text_build(row->text, strlen(row->text), &rules, error),
	    -EINVAL);
	assert_null(rules);
	if (strncmp(error, row->error, strlen(row->error)) != 0)
		assert_string_equal(error, row->error);
}

static void
a_rule_has_its_limit(void **state)
{
	(void)state;
	static char text[RULES_LINE_MAX + 2] = "a.example may ";
	char error[RULES_ERROR_MAX] = "";
	struct rules *rules = NULL;

	memset(text + 14, '#', RULES_LINE_MAX - 14);
	assert_int_equal(
	    rules_text_build(text, RULES_LINE_MAX, &rules, error), 0);
	free(rules);
	text[RULES_LINE_MAX] = '#';
	assert_int_equal(
	    rules_text_build(text, RULES_LINE_MAX + 1, &rules, error), -EINVAL);
	assert_string_equal(error,
	    "rules:1:1: a rule of 8193 octets, with the lines that continue "
	    "it: expected 8192 at most");
}

static void
a_nul_is_a_fault(void **state)
{
	(void)state;
	static const char text[] = "a.example m\0y\n";
	char error[RULES_ERROR_MAX] = "";
	struct rules *rules = NULL;

	assert_int_equal(
	    rules_text_build(text, sizeof(text) - 1, &rules, error), -EINVAL);
	assert_string_equal(
	    error, "rules:1:12: a control character: not a text file");
}

// The text is not looked at: too long is too long.
static void
a_file_has_its_limit(void **state)
{
	(void)state;
	struct rules_text text = { "rules", "", (size_t)RULES_TEXT_MAX + 1 };
	assert_int_equal(rules_memory(&text), 0);
}

// Only measured: the shortest rules of which a file may have so many.
static void
a_file_has_its_limit_of_rules(void **state)
{
	(void)state;
	size_t len = 2 * ((size_t)RULES_MAX + 1);
	char *octets = malloc(len);

	assert_non_null(octets);
	for (size_t i = 0; i < len; i += 2)
		memcpy(octets + i, "a\n", 2);
	struct rules_text text = { "rules", octets, len };
	assert_int_equal(rules_memory(&text), 0);
	text.len -= 2;
	assert_int_not_equal(rules_memory(&text), 0);
	free(octets);
}

struct day_row {
	const char *sentence;
	const char *text;
	int32_t day; // -1: none
};

static const struct day_row day_rows[] = {
	{ "days begin with 1970", "1970-01-01", 0 },
	{ "a day in March of a leap year", "2000-03-01", 11017 },
	{ "the last of February 2024", "2024-02-29", 19782 },
	{ "the last day of 2026", "2026-12-31", 20818 },
	{ "days end with 9999", "9999-12-31", RULES_DAY_LAST },
	{ "a leap day in a leap year by 400", "2000-02-29", 11016 },
	{ "no leap day in 2100", "2100-02-29", -1 },
	{ "no leap day in 2025", "2025-02-29", -1 },
	{ "the second year begins", "1971-01-01", 365 },
	{ "the last day of a leap year", "1972-12-31", 1095 },
	{ "the day after a leap year", "1973-01-01", 1096 },
	{ "no 32nd of December", "2026-12-32", -1 },
	{ "no 32nd of January", "2026-01-32", -1 },
	{ "no month 0", "2026-00-01", -1 },
	{ "no month 13", "2026-13-01", -1 },
	{ "no day 0", "2026-01-00", -1 },
	{ "no 31st of April", "2026-04-31", -1 },
	{ "nothing before 1970", "1969-12-31", -1 },
	{ "no single digits", "2026-1-01", -1 },
	{ "no signs", "2026-+1-01", -1 },
	{ "a colon is no digit of a day", "2026-0:-01", -1 },
	{ "a slash is no digit of a day", "2026-1/-01", -1 },
	{ "no slashes", "2026/01/01", -1 },
	{ "no slash behind the year", "2026/01-01", -1 },
	{ "no slash behind the month", "2026-01/01", -1 },
	{ "nothing behind it", "2026-01-010", -1 },
};

static void
day(void **state)
{
	const struct day_row *row = *state;
	char text[RULES_DAY_LEN + 1];
	int32_t found = -1;

	assert_int_equal(rules_day_parse(row->text, strlen(row->text), &found),
	    row->day < 0 ? -EINVAL : 0);
	assert_int_equal(found, row->day);
	if (row->day >= 0)
		assert_string_equal(rules_day_text(row->day, text), row->text);
}

static void
a_time_has_its_day(void **state)
{
	(void)state;
	assert_int_equal(rules_day(0), 0);
	assert_int_equal(rules_day(86399), 0);
	assert_int_equal(rules_day(86400), 1);
	assert_int_equal(rules_day(-1), 0);
	assert_int_equal(rules_day(INT64_MAX), RULES_DAY_LAST);
}

int
main(void)
{
	TABLE_ADD(accept_rows, accept);
	TABLE_ADD(floor_rows, floor_is_read);
	TABLE_ADD(text_rows, text_is_read);
	TABLE_ADD(refuse_rows, refuse);
	TABLE_ADD(day_rows, day);
	table_add("a rule has 8192 octets at most", a_rule_has_its_limit, NULL);
	table_add("a NUL octet is a fault", a_nul_is_a_fault, NULL);
	table_add("a file has its limit", a_file_has_its_limit, NULL);
	table_add("a file has its limit of rules",
	    a_file_has_its_limit_of_rules, NULL);
	table_add("a time has its day", a_time_has_its_day, NULL);
	return table_run("rules");
}
