// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The DNS room against libunbound itself: what settings are taken, refused and
// told of, and how answers come back. No question leaves this machine: names
// are answered by local data, or asked of ports where nobody listens.
#include "config.h"

#include "dns/anchors.h"
#include "dns/cause.h"
#include "dns/dns.h"
#include "dns/upstream.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "table.h"

#define ROUNDS_MAX 100000
#define NOBODY     "127.0.0.1@1" // tcpmux: not in use

// ---- Files made for one test ----

static char dir[] = "/tmp/test_dns.XXXXXX";

static int
make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) != NULL ? 0 : -1;
}

static const char *
path_of(const char *name, char ret[256])
{
	(void)snprintf(ret, 256, "%s/%s", dir, name);
	return ret;
}

static int
remove_dir(void **state)
{
	char path[256];

	(void)state;
	(void)unlink(path_of("config", path));
	(void)unlink(path_of("anchors", path));
	(void)unlink(path_of("hints", path));
	return rmdir(dir);
}

static void
write_file(const char *name, const char *text)
{
	char path[256];
	FILE *out = fopen(path_of(name, path), "w");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(0, fclose(out));
}

static char said[2048];

static void
hear(const char *text)
{
	size_t len = strlen(said);

	(void)snprintf(said + len, sizeof(said) - len, "%s\n", text);
}

// ---- Settings ----

#define ROOT_DS                                                       \
	". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409" \
	"BBC683457104237C7F8EC8D\n"
#define FOUR "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 "

static const struct check_row {
	const char *sentence;
	const char *anchors, *hints, *config; // texts of files; NULL: none
	const char *forward;
	const char *error; // part of it; NULL: taken
	const char *told;  // part of it
} check_rows[] = {
	{ "without any setting all is well", NULL, NULL, NULL, NULL, NULL, "" },
	{ "an empty resolver_config is taken", NULL, NULL, "", NULL, NULL, "" },
	{ "settings that do not weaken are taken", NULL, NULL,
	    "server:\n do-ip6: no\n root-key-sentinel: yes\n"
	    " val-permissive-mode: no # not yes\n cache-min-ttl: 0\n",
	    NULL, NULL, "" },
	{ "a quote may hold another behind a backslash", NULL, NULL,
	    "server:\n identity: \"a\\\" \"\n", NULL, NULL, "" },
	{ "a word in a comment is no setting", NULL, NULL,
	    "server: # val-permissive-mode: yes\n", NULL, NULL, "" },
	{ "a key of one's own zone is taken", NULL, NULL,
	    "server: trust-anchor: \"corp.example. DS 1 13 2 "
	    "E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"
	    "\"\n",
	    NULL, NULL, "" },
	{ "each domain without validation is told of", NULL, NULL,
	    "server: domain-insecure: \"one.example\"\n"
	    " domain-insecure: two.example\n",
	    NULL, NULL, "domain-insecure one.example" },
	{ "a second domain without validation is told of too", NULL, NULL,
	    "server: domain-insecure: \"one.example\"\n"
	    " domain-insecure: two.example\n",
	    NULL, NULL, "domain-insecure two.example" },

	{ "val-permissive-mode is refused", NULL, NULL,
	    "server:\n val-permissive-mode: yes\n", NULL,
	    "config:2: val-permissive-mode: refused", "" },
	{ "quotes hide nothing", NULL, NULL,
	    "server:\n val-permissive-mode: \"yes\"\n", NULL,
	    "config:2: val-permissive-mode", "" },
	{ "apostrophes hide nothing", NULL, NULL,
	    "server:\n val-permissive-mode: 'yes'\n", NULL,
	    "config:2: val-permissive-mode", "" },
	{ "one line for all hides nothing", NULL, NULL,
	    "server: do-ip6: no val-permissive-mode:yes", NULL,
	    "config:1: val-permissive-mode", "" },
	{ "a value on the next line hides nothing", NULL, NULL,
	    "server: val-permissive-mode:\n\nyes", NULL,
	    "config:3: val-permissive-mode", "" },
	{ "capitals hide nothing", NULL, NULL,
	    "SERVER: VAL-PERMISSIVE-MODE: yes", NULL, "VAL-PERMISSIVE-MODE",
	    "" },
	{ "modules without the validator are refused", NULL, NULL,
	    "server: module-config: \"iterator\"\n", NULL,
	    "config:1: module-config", "" },
	{ "modules that bring answers of their own are refused", NULL, NULL,
	    "server: module-config: \"cachedb validator iterator\"\n", NULL,
	    "config:1: module-config", "" },
	{ "python is refused", NULL, NULL,
	    "server: module-config: \"python validator iterator\"\n", NULL,
	    "config:1: module-config", "" },
	{ "serve-expired is refused", NULL, NULL, "server: serve-expired: yes",
	    NULL, "config:1: serve-expired", "" },
	{ "serve-original-ttl is refused", NULL, NULL,
	    "server: serve-original-ttl: yes", NULL, "serve-original-ttl", "" },
	{ "cache-min-ttl is refused", NULL, NULL, "server: cache-min-ttl: 60",
	    NULL, "config:1: cache-min-ttl", "" },
	{ "harden-dnssec-stripped: no is refused", NULL, NULL,
	    "server: harden-dnssec-stripped: no", NULL,
	    "config:1: harden-dnssec-stripped", "" },
	{ "another day than today is refused", NULL, NULL,
	    "server: val-override-date: \"20200101000000\"", NULL,
	    "config:1: val-override-date", "" },
	{ "no day at all is refused", NULL, NULL,
	    "server: val-override-date: -1", NULL, "val-override-date", "" },
	{ "signatures expired for a year are refused", NULL, NULL,
	    "server: val-sig-skew-max: 31536000", NULL, "val-sig-skew-max",
	    "" },
	{ "signatures of tomorrow are refused", NULL, NULL,
	    "server: val-sig-skew-min: 86400", NULL, "val-sig-skew-min", "" },
	{ "fake-sha1 is refused", NULL, NULL, "server: fake-sha1: yes", NULL,
	    "fake-sha1", "" },
	{ "fake-dsa is refused", NULL, NULL, "server: fake-dsa: yes", NULL,
	    "fake-dsa", "" },
	{ "the whole tree without validation is refused", NULL, NULL,
	    "server: domain-insecure: \".\"", NULL, "domain-insecure", "" },
	{ "trust anchors that libunbound writes are refused", NULL, NULL,
	    "server: auto-trust-anchor-file: \"/tmp/x\"", NULL,
	    "auto-trust-anchor-file", "" },
	{ "a trust-anchor-file is refused", NULL, NULL,
	    "server: trust-anchor-file: \"/tmp/x\"", NULL, "trust_anchor_file",
	    "" },
	{ "trusted-keys-file is refused", NULL, NULL,
	    "server: trusted-keys-file: \"/tmp/x\"", NULL, "trusted-keys-file",
	    "" },
	{ "include is refused", NULL, NULL, "include: \"/tmp/x\"", NULL,
	    "config:1: include", "" },
	{ "include-toplevel is refused", NULL, NULL,
	    "\n\ninclude-toplevel: \"/tmp/x\"", NULL,
	    "config:3: include-toplevel", "" },
	{ "chroot is refused", NULL, NULL, "server: chroot: \"/tmp\"", NULL,
	    "chroot", "" },
	{ "username is refused", NULL, NULL, "server: username: nobody", NULL,
	    "username", "" },
	{ "a word that libunbound does not know is told with its line", NULL,
	    NULL, "server:\n nonsense: 1\n", NULL, "config:2", "" },
	{ "a quote without an end is told with its line", NULL, NULL,
	    "server:\n identity: \"open", NULL, "config:2: ", "" },
	{ "a single quote without an end is told with its line", NULL, NULL,
	    "server:\n identity: 'open", NULL, "config:2: ", "" },
	{ "a quote that ends in a backslash is told with its line", NULL, NULL,
	    "server:\n identity: \"open\\\"", NULL, "config:2: ", "" },
	{ "an include of a file with a colon in its name is refused", NULL,
	    NULL, "include: a:b\n", NULL, "config:1: include", "" },
	{ "an include behind a word that is no option is refused", NULL, NULL,
	    "x:include-toplevel: \".\"\n", NULL,
	    "config:1: x: an include within a value", "" },
	{ "an include behind a quote behind a value is refused", NULL, NULL,
	    "server: edns-client-string: 192.0.2.1\"x \"include: /x #\"\n",
	    NULL, "config:1: include", "" },
	{ "a comment behind a colon is told with its line", NULL, NULL,
	    "server:\n identity: a:# include: /tmp/x\n", NULL,
	    "config:2: a: white", "" },
	{ "a value that libunbound does not take is told with its line", NULL,
	    NULL, "server:\n do-ip6: perhaps\n", NULL, "config:2", "" },

	{ "a DS record of the root is a trust anchor", ROOT_DS, NULL, NULL,
	    NULL, NULL, "" },
	{ "a record may go over lines within parentheses",
	    ".\t172800\tIN\tDS ( 20326 8 ; tag\n 2 E06D44B80B8F1D39A95C0B0D7C65"
	    "D084\n 58E880409BBC683457104237C7F8EC8D )\n",
	    NULL, NULL, NULL, NULL, "" },
	{ "a DNSKEY of the root is a trust anchor",
	    ". DNSKEY 257 3 13 "
	    "mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAe"
	    "F+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==\n",
	    NULL, NULL, NULL, NULL, "" },
	{ "no key at all is an error", "; none\n", NULL, NULL, NULL,
	    "no usable key of the root", "" },
	{ "keys of other zones only are an error",
	    "example. IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409"
	    "BBC683457104237C7F8EC8D\n",
	    NULL, NULL, NULL, "no usable key of the root", "" },
	{ "a revoked key is no usable key", ". IN DNSKEY 385 3 13 AAAA\n", NULL,
	    NULL, NULL, "no usable key of the root", "" },
	{ "an unknown algorithm makes no usable key",
	    ". IN DNSKEY 257 3 99 AAAA\n", NULL, NULL, NULL,
	    "no usable key of the root", "" },
	{ "a digest type that nobody has makes no usable key",
	    ". IN DS 1 8 99 AA\n", NULL, NULL, NULL,
	    "no usable key of the root", "" },
	{ "a digest that is too short is an error with its line",
	    ROOT_DS ". IN DS 20326 8 2 E06D\n", NULL, NULL, NULL,
	    "anchors:2:", "" },
	{ "a digest that is not hexadecimal is an error with its line",
	    "\n. IN DS 1 8 1 xyz\n", NULL, NULL, NULL, "anchors:2:", "" },
	{ "a key that is not base64 is an error with its line",
	    ". IN DNSKEY 257 3 8 ?\n", NULL, NULL, NULL, "anchors:1:", "" },
	{ "a key tag over 65535 is an error with its line",
	    ". IN DS 65536 8 1 xyz\n", NULL, NULL, NULL, "anchors:1:", "" },
	{ "another record than DS and DNSKEY is an error with its line",
	    ROOT_DS ". IN NS a.example.\n", NULL, NULL, NULL,
	    "anchors:2:", "" },
	{ "an owner that is no name is an error with its line",
	    "a..b. IN DS 1 8 1 2BB183AF5F22588179A53B0A98631FAD1A292118\n",
	    NULL, NULL, NULL, "anchors:1:", "" },
	{ "an owner without its dot is an error with its line",
	    "example IN DS 1 8 1 xyz\n", NULL, NULL, NULL, "anchors:1:", "" },
	{ "an open parenthesis is an error",
	    ". IN DS ( 20326 8 2 E06D44B80B8F"
	    "1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n",
	    NULL, NULL, NULL, "parenthesis", "" },

	{ "forwarders are addresses with or without a port", NULL, NULL, NULL,
	    "192.0.2.1 192.0.2.2@5353\t2001:db8::1@53", NULL, "" },
	{ "as many forwarders as the parameter may have are taken", NULL, NULL,
	    NULL, FOUR FOUR FOUR FOUR FOUR FOUR FOUR FOUR, NULL, "" },
	{ "one more forwarder is an error", NULL, NULL, NULL,
	    FOUR FOUR FOUR FOUR FOUR FOUR FOUR FOUR "192.0.2.5",
	    "forward: 192.0.2.5: too many", "" },
	{ "a name is no forwarder", NULL, NULL, NULL, "192.0.2.1 dns.example",
	    "forward: dns.example: not an IPv4 or IPv6 address", "" },
	{ "a forwarder's port is at most 65535", NULL, NULL, NULL,
	    "192.0.2.1@65536", "not a port", "" },
	{ "a forwarder's port is at least 1", NULL, NULL, NULL, "192.0.2.1@0",
	    "not a port", "" },
	{ "a colon before the port is told to be wrong", NULL, NULL, NULL,
	    "192.0.2.1:53", "the port follows an @", "" },

	{ "root hints with an address are taken", NULL,
	    ". 3600 NS a.root.\na.root. 3600 A 192.0.2.1 ; a\n", NULL, NULL,
	    NULL, "" },
	{ "root hints without any address are an error", NULL,
	    ". 3600 NS a.root. ; 192.0.2.1\n", NULL, NULL,
	    "root_hints_file: ", "" },
};

static void
fill_settings(
    const struct check_row *row, char paths[3][256], struct dns_settings *ret)
{
	*ret =
	    (struct dns_settings){ .forward = row->forward, .concurrency = 16 };
	if (row->anchors != NULL) {
		write_file("anchors", row->anchors);
		ret->trust_anchor_file = path_of("anchors", paths[0]);
	}
	if (row->hints != NULL) {
		write_file("hints", row->hints);
		ret->root_hints_file = path_of("hints", paths[1]);
	}
	if (row->config != NULL) {
		write_file("config", row->config);
		ret->resolver_config = path_of("config", paths[2]);
	}
}

static int
check(const struct dns_settings *settings, char error[DNS_ERROR_MAX])
{
	struct dns_source *source;
	int r = dns_source_read(settings, &source, error);

	if (r < 0)
		return r;
	r = dns_check(source, hear, error);
	dns_source_free(source);
	return r;
}

static void
check_test(void **state)
{
	const struct check_row *row = *state;
	char paths[3][256], error[DNS_ERROR_MAX] = "";
	struct dns_settings settings;
	int r;

	said[0] = '\0';
	fill_settings(row, paths, &settings);
	r = check(&settings, error);
	if (row->error == NULL) {
		assert_string_equal(error, "");
		assert_int_equal(r, 0);
		assert_non_null(strstr(said, row->told));
		return;
	}
	assert_true(r < 0);
	if (strstr(error, row->error) == NULL)
		fail_msg("\"%s\" is not in: %s", row->error, error);
}

static void
missing_test(void **state)
{
	static const struct dns_settings all[] = {
		{ .trust_anchor_file = "/nonexistent/file" },
		{ .root_hints_file = "/nonexistent/file" },
		{ .resolver_config = "/nonexistent/file" },
		{ .resolver_config = "/" },
	};
	char error[DNS_ERROR_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		error[0] = '\0';
		assert_true(check(&all[i], error) < 0);
		assert_non_null(strstr(error,
		    all[i].trust_anchor_file != NULL ? "trust_anchor_file: /non"
		    : all[i].root_hints_file != NULL ? "root_hints_file: /non"
						     : "resolver_config: /"));
	}
}

// The cache's context changes with the anchors and with resolver_config.
static void
context_test(void **state)
{
	const struct check_row rows[] = {
		{ .anchors = NULL },
		{ .anchors = ROOT_DS },
		{ .anchors = ROOT_DS, .config = "server: do-ip6: no\n" },
		{ .anchors = ROOT_DS, .config = "server: do-ip6: yes\n" },
		{ .anchors = ROOT_DS, .config = "server: do-ip6: yes\n" },
	};
	char paths[3][256], error[DNS_ERROR_MAX];
	uint8_t *now, *before = NULL;
	struct dns_settings settings;
	struct dns_source *source;
	size_t len, len_before = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fill_settings(&rows[i], paths, &settings);
		assert_int_equal(0, dns_source_read(&settings, &source, error));
		assert_int_equal(0, dns_source_octets(source, &now, &len));
		dns_source_free(source);
		assert_int_equal(
		    len == len_before && memcmp(now, before, len) == 0, i == 4);
		free(before);
		before = now;
		len_before = len;
	}
	free(before);
}

// Both keys of the root are in force without any setting.
static void
built_in_test(void **state)
{
	struct anchors anchors;
	char error[ANCHORS_ERROR_MAX];

	(void)state;
	assert_int_equal(0, anchors_read("", &anchors, error));
	assert_true(anchors.n >= 2);
	assert_string_equal(anchors.lines[0],
	    ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D084"
	    "58E880409BBC683457104237C7F8EC8D");
	assert_string_equal(anchors.lines[1],
	    ". IN DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219"
	    "298D0A450D612C483AF444A4C0FB2B16");
	anchors_free(&anchors);
}

// libunbound must be told when a server on this machine is meant.
static void
loopback_test(void **state)
{
	static const struct {
		const char *forward;
		bool loopback;
	} rows[] = { { "127.0.0.1@53", true }, { "192.0.2.1 127.9.9.9", true },
		{ "::1@5353", true }, { "192.0.2.1 2001:db8::1", false } };

	char error[UPSTREAM_ERROR_MAX], path[256];
	struct upstream upstream;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
		    0, upstream_read(rows[i].forward, NULL, &upstream, error));
		assert_int_equal(upstream.loopback, rows[i].loopback);
		upstream_free(&upstream);
	}
	write_file("hints", ". 9 NS a.root.\na.root. 9 A 127.0.0.2\n");
	assert_int_equal(
	    0, upstream_read(NULL, path_of("hints", path), &upstream, error));
	assert_true(upstream.loopback);
	upstream_free(&upstream);
}

// ---- Causes ----

static const struct cause_row {
	const char *sentence, *why, *cause;
} cause_rows[] = {
	{ "a cause is told with the zone that it lies in",
	    "validation failure <mx.exp. A IN>: signature expired from "
	    "127.0.0.1 for key exp. while building chain of trust",
	    "signature expired for key exp" },
	{ "of a remembered failure the first cause is told",
	    "validation failure <mx.exp. A IN>: key for validation exp. is "
	    "marked as invalid because of a previous validation failure "
	    "<www.exp. A IN>: signature expired from 127.0.0.1 and 127.0.0.2 "
	    "for key exp. while building chain of trust",
	    "signature expired for key exp" },
	{ "servers are not told",
	    "validation failure <a. A IN>: no signatures from 192.0.2.1",
	    "no signatures" },
	{ "a cause without servers is told whole",
	    "validation failure <a. A IN>: misc failure", "misc failure" },
	{ "the root keeps its dot",
	    "validation failure <. DNSKEY IN>: no keys have a DS from cache "
	    "for trust anchor . while building chain of trust",
	    "no keys have a DS for trust anchor ." },
	{ "no cause at all is not valid", NULL, "not valid" },
	{ "an empty cause is not valid",
	    "validation failure <a. A IN>:", "not valid" },
	{ "control octets and others beyond ASCII become question marks",
	    "bad\n\x1b\xc3\xa4", "bad????" },
	{ "a cause is cut where it must be",
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxx",
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" },
};

static void
cause_test(void **state)
{
	const struct cause_row *row = *state;
	char cause[WALK_CAUSE_MAX + 1];

	assert_string_equal(cause_distil(row->why, cause), row->cause);
}

// ---- Lookups ----

static const char local_config[] =
    "server:\n"
    " infra-cache-max-rtt: 100\n"
    " local-zone: \"local.example\" static\n"
    " local-data: \"local.example 300 MX 10 mx.local.example\"\n"
    " local-data: \"mx.local.example 200 A 192.0.2.1\"\n"
    " local-data: \"_25._tcp.mx.local.example 100 TLSA 3 1 1 00ff\"\n";

struct stage {
	struct event_base *base;
	struct dns *dns;
	unsigned n_done;
	bool inside; // dns_ask is on the stack
	struct walk_reply reply;
	char text[256];  // of the last reply
	unsigned n_more; // to be asked from within done
	struct dns_lookup *to_cancel;
	char why_not[DNS_ERROR_MAX];
};

static void ask(struct stage *stage, const char *name, enum walk_type type);

static void
on_done(void *arg, const struct walk_reply *reply)
{
	struct stage *stage = arg;

	assert_false(stage->inside);
	stage->n_done++;
	stage->reply = *reply;
	stage->text[0] = '\0';
	if (reply->n_mx > 0)
		(void)snprintf(stage->text, sizeof(stage->text), "%u %s",
		    reply->mx[0].preference, reply->mx[0].name);
	if (reply->n_tlsa > 0)
		(void)snprintf(stage->text, sizeof(stage->text), "%02x",
		    reply->tlsa[0].data[4]);
	if (reply->cause != NULL)
		(void)snprintf(
		    stage->text, sizeof(stage->text), "%s", reply->cause);
	if (stage->to_cancel != NULL)
		dns_cancel(stage->to_cancel);
	if (stage->n_more > 0) {
		stage->n_more--;
		ask(stage, "mx.local.example", WALK_A);
	}
}

static struct dns_lookup *
ask_lookup(struct stage *stage, const char *name, enum walk_type type)
{
	struct dns_lookup *lookup;

	stage->inside = true;
	assert_int_equal(
	    0, dns_ask(stage->dns, name, type, on_done, stage, &lookup));
	stage->inside = false;
	return lookup;
}

static void
ask(struct stage *stage, const char *name, enum walk_type type)
{
	(void)ask_lookup(stage, name, type);
}

static void
stage_open(struct stage *stage)
{
	char path[256], error[DNS_ERROR_MAX];
	struct dns_settings settings = { .forward = NOBODY, .concurrency = 16 };
	struct dns_source *source;

	memset(stage, 0, sizeof(*stage));
	write_file("config", local_config);
	settings.resolver_config = path_of("config", path);
	stage->base = event_base_new();
	assert_int_equal(0, dns_source_read(&settings, &source, error));
	// From here on the file may say what it likes.
	write_file("config", "server: no such option\n");
	assert_int_equal(0, dns_open(stage->base, source, &stage->dns, error));
	dns_source_free(source);
}

static void
stage_run(struct stage *stage)
{
	for (unsigned i = 0; dns_pending(stage->dns) > 0; i++) {
		assert_true(i < ROUNDS_MAX);
		event_base_loop(stage->base, EVLOOP_ONCE);
	}
}

static void
stage_close(struct stage *stage)
{
	dns_close(stage->dns);
	event_base_free(stage->base);
}

static const struct lookup_row {
	const char *sentence;
	const char *name;
	enum walk_type type;
	enum walk_security security;
	enum walk_content content;
	uint32_t ttl_s;
	const char *text;
} lookup_rows[] = {
	{ "an MX that nobody signed is insecure data", "local.example", WALK_MX,
	    WALK_INSECURE, WALK_DATA, 300, "10 mx.local.example" },
	{ "a name may end in a dot", "local.example.", WALK_MX, WALK_INSECURE,
	    WALK_DATA, 300, "10 mx.local.example" },
	{ "a TLSA record that nobody signed is insecure data",
	    "_25._tcp.mx.local.example", WALK_TLSA, WALK_INSECURE, WALK_DATA,
	    100, "ff" },
	{ "an address that is not there is insecure and no data",
	    "mx.local.example", WALK_AAAA, WALK_INSECURE, WALK_NODATA, 0, "" },
	{ "a name that is not there is insecure and no name",
	    "nobody.local.example", WALK_A, WALK_INSECURE, WALK_NXDOMAIN, 0,
	    "" },
	{ "a server that does not answer is a failure", "far.example", WALK_A,
	    WALK_FAILED, WALK_NODATA, 0, "SERVFAIL" },
};

static void
lookup_test(void **state)
{
	const struct lookup_row *row = *state;
	struct stage stage;

	stage_open(&stage);
	ask(&stage, row->name, row->type);
	assert_int_equal(stage.n_done, 0);
	assert_int_equal(dns_pending(stage.dns), 1);
	stage_run(&stage);
	assert_int_equal(stage.n_done, 1);
	assert_int_equal(stage.reply.security, row->security);
	assert_int_equal(stage.reply.content, row->content);
	if (row->content == WALK_DATA)
		assert_int_equal(stage.reply.ttl_s, row->ttl_s);
	assert_string_equal(stage.text, row->text);
	stage_close(&stage);
}

static void
names_test(void **state)
{
	static const char *const names[] = { "", "a..b", ".a", "a\\", "a\\25",
		"a\\999",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aa"
		".example" };
	struct dns_lookup *lookup;
	struct stage stage;

	(void)state;
	stage_open(&stage);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(-EINVAL, dns_ask(stage.dns, names[i], WALK_A,
					      on_done, &stage, &lookup));
	assert_int_equal(dns_pending(stage.dns), 0);
	stage_close(&stage);
}

// Each answer asks the next question, which libunbound answers at once: neither
// the stack nor the round may grow with them.
static void
chain_test(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage);
	stage.n_more = 50000;
	ask(&stage, "mx.local.example", WALK_A);
	stage_run(&stage);
	assert_int_equal(stage.n_done, 50001);
	stage_close(&stage);
}

static void
round_test(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage);
	for (unsigned i = 0; i < 1000; i++)
		ask(&stage, "mx.local.example", WALK_A);
	assert_int_equal(stage.n_done, 0);
	event_base_loop(stage.base, EVLOOP_ONCE);
	assert_in_range(stage.n_done, 1, 999);
	stage_run(&stage);
	assert_int_equal(stage.n_done, 1000);
	stage_close(&stage);
}

static void
cancel_test(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage);
	dns_cancel(ask_lookup(&stage, "mx.local.example", WALK_A));
	dns_cancel(ask_lookup(&stage, "far.example", WALK_A));
	assert_int_equal(dns_pending(stage.dns), 2);
	stage_run(&stage);
	assert_int_equal(stage.n_done, 0);
	stage_close(&stage);
}

static void
cancel_other_test(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage);
	ask(&stage, "mx.local.example", WALK_A);
	stage.to_cancel = ask_lookup(&stage, "local.example", WALK_MX);
	stage_run(&stage);
	assert_int_equal(stage.n_done, 1);
	stage_close(&stage);
}

static void
close_test(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage);
	ask(&stage, "mx.local.example", WALK_A);
	ask(&stage, "far.example", WALK_A);
	dns_cancel(ask_lookup(&stage, "farther.example", WALK_A));
	event_base_loop(stage.base, EVLOOP_NONBLOCK);
	assert_int_equal(dns_pending(stage.dns), 2);
	assert_int_equal(stage.n_done, 1);
	stage_close(&stage);
	assert_int_equal(stage.n_done, 1);
}

static void
two_test(void **state)
{
	struct stage old, young;

	(void)state;
	stage_open(&old);
	ask(&old, "far.example", WALK_A);
	stage_open(&young);
	ask(&young, "local.example", WALK_MX);
	stage_run(&young);
	stage_run(&old);
	stage_close(&old);
	ask(&young, "mx.local.example", WALK_A);
	stage_run(&young);
	assert_int_equal(young.n_done, 2);
	assert_int_equal(old.n_done, 1);
	stage_close(&young);
}

// ---- The root ----

static void
on_primed(void *arg, const char *why_not)
{
	struct stage *stage = arg;

	stage->n_done++;
	(void)snprintf(stage->why_not, sizeof(stage->why_not), "%s",
	    why_not != NULL ? why_not : "");
}

static void
prime_silent_test(void **state)
{
	struct stage stage;

	(void)state;
	stage_open(&stage);
	assert_int_equal(0, dns_prime(stage.dns, on_primed, &stage));
	assert_int_equal(-EBUSY, dns_prime(stage.dns, on_primed, &stage));
	stage_run(&stage);
	assert_int_equal(stage.n_done, 1);
	assert_string_equal(stage.why_not,
	    "no DNS server answers by way of forward = " NOBODY
	    " (SERVFAIL): does it run there, and does it resolve for this "
	    "machine?");
	assert_int_equal(0, dns_prime(stage.dns, on_primed, &stage));
	stage_close(&stage);
}

static const struct root_row {
	const char *sentence;
	struct walk_reply reply;
	const char *forward, *anchor_file;
	const char *part;
} root_rows[] = {
	{ "no server answers: the port may be closed",
	    { .security = WALK_FAILED, .cause = "SERVFAIL" }, NULL, NULL,
	    "(SERVFAIL): is port 53, UDP and TCP, open" },
	{ "keys do not validate through a forwarder: it may strip DNSSEC",
	    { .security = WALK_BOGUS, .cause = "signature missing" },
	    "192.0.2.1", NULL, "the forwarder strips or spoils DNSSEC" },
	{ "keys do not validate by a file: it may hold other keys",
	    { .security = WALK_BOGUS, .cause = "no keys have a DS" }, NULL,
	    "/etc/x", "trust_anchor_file does not hold" },
	{ "keys do not validate by the built-in keys: they may be outdated",
	    { .security = WALK_BOGUS, .cause = "no keys have a DS" }, NULL,
	    NULL, "install dns-root-data" },
	{ "signatures are expired: the clock may be wrong",
	    { .security = WALK_BOGUS, .cause = "signature expired" },
	    "192.0.2.1", NULL, "clock" },
	{ "signatures are of the future: the clock may be wrong",
	    { .security = WALK_BOGUS,
		.cause = "signature before inception "
			 "(in the future)" },
	    NULL, NULL, "clock" },
	{ "an insecure root has no anchor", { .security = WALK_INSECURE }, NULL,
	    NULL, "no trust anchor covers the root" },
};

static void
root_test(void **state)
{
	const struct root_row *row = *state;
	char why_not[DNS_ERROR_MAX];

	cause_root(&row->reply, row->forward, row->anchor_file, why_not);
	if (strstr(why_not, row->part) == NULL)
		fail_msg("\"%s\" is not in: %s", row->part, why_not);
}

static const struct {
	const char *sentence;
	CMUnitTestFunction run;
} other_rows[] = {
	{ "a file that is missing is told with its parameter", missing_test },
	{ "the cache's context changes with anchors and settings",
	    context_test },
	{ "both keys of the root are built in", built_in_test },
	{ "a server on this machine is noticed", loopback_test },
	{ "names without a wire form are refused", names_test },
	{ "fifty thousand answers, each asking on, nest nowhere", chain_test },
	{ "a round hands out a part of many answers", round_test },
	{ "cancelled lookups are never told of, and counted until they end",
	    cancel_test },
	{ "an answer may cancel another that is ready", cancel_other_test },
	{ "closing ends what is open without a word", close_test },
	{ "two contexts live side by side", two_test },
	{ "a forwarder that is not there is told at the first question",
	    prime_silent_test },
};

int
main(void)
{
	TABLE_ADD(check_rows, check_test);
	TABLE_ADD(cause_rows, cause_test);
	TABLE_ADD(lookup_rows, lookup_test);
	TABLE_ADD(root_rows, root_test);
	for (size_t i = 0; i < sizeof(other_rows) / sizeof(other_rows[0]); i++)
		table_add(other_rows[i].sentence, other_rows[i].run, NULL);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return _cmocka_run_group_tests(
	    "dns", table_tests, table_n_tests, make_dir, remove_dir);
}
