// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// libunbound by its event interface: contexts, questions, and answers parsed at
// once, because they come in a buffer that the next call overwrites. Whoever
// asked hears of them from the event loop only. Knows nothing of what the
// answers are for.
//
// What libunbound 1.17 gives to the callback, by experiment:
//	validates, insecure	rcode 0, the packet, sec 2 or 0
//	NXDOMAIN		rcode 0 too: the packet's header has it
//	bogus			rcode 0, the packet with its data (!), sec 1,
//				why_bogus; asked again, why_bogus quotes the
//				earlier one
//	SERVFAIL, no server	rcode 2, no packet, but a length that lies
// Answers from its cache and from local zones arrive before ub_resolve_event
// returns.
#include "config.h"

#include "dns/dns.h"

#include "dns/capture.h"
#include "dns/cause.h"
#include "dns/fragment.h"
#include "dns/memfile.h"
#include "dns/packet.h"
#include "dns/source.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

#include <event2/event.h>
#include <unbound-event.h>
#include <unbound.h>

// Answers handed out in one round of the loop; the rest waits for the next.
#define DRAIN_MAX 256

// A lookup under way takes 14 kB. After a rush of this many, the memory goes
// back to the system once most of them have ended: libc would keep it.
#define RUSH      512u
#define RUSH_OVER 8 // times fewer

// sec; between them stands bogus.
#define SEC_INSECURE 0
#define SEC_BOGUS    1
#define SEC_SECURE   2

// A name of our own, answered locally: it makes libunbound build all it needs.
#define PROBE_NAME "danemap.invalid"

struct prime {
	dns_primed *primed; // NULL: not under way
	void *arg;
};

TAILQ_HEAD(lookups, dns_lookup);

struct dns {
	struct ub_ctx *ctx;
	struct event *drain;
	struct lookups waiting; // for libunbound
	struct lookups ready;   // for the next round
	unsigned n_pending, n_peak;
	bool keep_wire;
	struct prime prime;
	char *forward, *anchor_file; // for sentences; NULL: the defaults
};

// Which no walk asks for (RFC 6672).
#define TYPE_DNAME ((enum walk_type)ns_t_dname)

struct dns_lookup {
	TAILQ_ENTRY(dns_lookup) entry;
	struct dns *dns;
	dns_done *done;
	void *arg;
	bool cancelled;
	enum walk_type type;
	enum walk_security security; // without packet
	struct packet *packet;
	uint8_t *wire; // NULL unless replies are to show it
	size_t wire_len;
	char cause[WALK_CAUSE_MAX + 1];
	// Of a CNAME that is bogus: the end of name that owns a DNAME, or NULL.
	const char *above;
	bool asks_above; // instead of name
	char name[];     // as libc writes it
};

// ---- Lookups ----

static void
lookup_free(struct dns_lookup *lookup)
{
	packet_free(lookup->packet);
	free(lookup->wire);
	free(lookup);
}

static void
set_cause(
    struct dns_lookup *lookup, enum walk_security security, const char *cause)
{
	lookup->security = security;
	(void)snprintf(lookup->cause, sizeof(lookup->cause), "%s", cause);
}

static void
keep_wire(struct dns_lookup *lookup, const uint8_t *wire, size_t len)
{
	lookup->wire = malloc(len);
	if (lookup->wire == NULL)
		return;
	memcpy(lookup->wire, wire, len);
	lookup->wire_len = len;
}

static void
read_packet(struct dns_lookup *lookup, const uint8_t *wire, int len, int sec)
{
	int r;

	if (wire == NULL || len < 0) {
		set_cause(lookup, WALK_FAILED, "no answer");
		return;
	}
	r = packet_parse(wire, (size_t)len,
	    lookup->asks_above ? lookup->above : lookup->name,
	    lookup->asks_above ? TYPE_DNAME : lookup->type,
	    sec == SEC_SECURE ? WALK_SECURE : WALK_INSECURE, &lookup->packet);
	if (r < 0) {
		set_cause(lookup, WALK_FAILED,
		    r == -ENOMEM ? "out of memory" : "malformed answer");
		return;
	}
	if (sec == SEC_SECURE)
		packet_limit_ttl(lookup->packet, wire, (size_t)len,
		    (uint32_t)time(NULL));
	if (lookup->dns->keep_wire)
		keep_wire(lookup, wire, (size_t)len);
}

static void
schedule(struct dns *dns)
{
	static const struct timeval at_once = { 0, 0 };

	// A timer, not event_active: what is active is run before the loop
	// looks at its sockets again, and would starve them.
	if (!event_pending(dns->drain, EV_TIMEOUT, NULL))
		(void)event_add(dns->drain, &at_once);
}

// A CNAME that a DNAME makes, asked for by itself, is bogus to libunbound where
// the DNAME leads out of what is signed: it takes the DNAME for a spoilt DS.
static void
read_bogus(struct dns_lookup *lookup, const uint8_t *wire, int len,
    const char *why_bogus)
{
	char text[WALK_CAUSE_MAX + 1];

	set_cause(lookup, WALK_BOGUS, cause_distil(why_bogus, text));
	if (lookup->type == WALK_CNAME && wire != NULL && len >= 0)
		lookup->above =
		    packet_dname_above(wire, (size_t)len, lookup->name);
}

// Nothing but a DNAME that is there, and secure, changes what was said of the
// CNAME before: all names below it are aliases then (RFC 6672 s. 2.2).
static void
read_above(
    struct dns_lookup *lookup, int rcode, const uint8_t *wire, int len, int sec)
{
	if (rcode == 0 && sec == SEC_SECURE)
		read_packet(lookup, wire, len, sec);
	if (lookup->packet == NULL ||
	    packet_reply(lookup->packet)->content == WALK_DATA)
		return;
	packet_free(lookup->packet);
	lookup->packet = NULL;
}

static void
on_answer(void *arg, int rcode, void *wire, int len, int sec, char *why_bogus,
    int was_ratelimited)
{
	struct dns_lookup *lookup = arg;
	struct dns *dns = lookup->dns;
	char text[WALK_CAUSE_MAX + 1];

	if (lookup->asks_above)
		read_above(lookup, rcode, wire, len, sec);
	else if (rcode != 0)
		set_cause(lookup, WALK_FAILED,
		    was_ratelimited ? "rate limited"
				    : packet_rcode_text(rcode, text));
	else if (sec != SEC_SECURE && sec != SEC_INSECURE)
		read_bogus(lookup, wire, len, why_bogus);
	else
		read_packet(lookup, wire, len, sec);
	TAILQ_REMOVE(&dns->waiting, lookup, entry);
	TAILQ_INSERT_TAIL(&dns->ready, lookup, entry);
	schedule(dns);
}

static void
hand_out(struct dns_lookup *lookup)
{
	struct walk_reply reply = {
		.security = lookup->security,
		.cause = lookup->cause,
	};

	if (lookup->packet != NULL)
		reply = *packet_reply(lookup->packet);
	reply.wire = lookup->wire;
	reply.wire_len = lookup->wire_len;
	lookup->done(lookup->arg, &reply);
}

// True: the lookup is under way once more.
static bool
ask_above(struct dns_lookup *lookup)
{
	struct dns *dns = lookup->dns;

	if (lookup->above == NULL || lookup->asks_above || lookup->cancelled)
		return false;
	lookup->asks_above = true;
	TAILQ_INSERT_TAIL(&dns->waiting, lookup, entry);
	if (ub_resolve_event(dns->ctx, lookup->above, TYPE_DNAME, ns_c_in,
		lookup, on_answer, NULL) == UB_NOERROR)
		return true;
	TAILQ_REMOVE(&dns->waiting, lookup, entry);
	return false;
}

static void
trim_after_rush(struct dns *dns)
{
	if (dns->n_peak < RUSH || dns->n_pending > dns->n_peak / RUSH_OVER)
		return;
	(void)malloc_trim(0);
	dns->n_peak = dns->n_pending;
}

static void
on_drain(evutil_socket_t fd, short what, void *arg)
{
	struct dns *dns = arg;
	struct dns_lookup *lookup;

	(void)fd;
	(void)what;
	for (unsigned i = 0; i < DRAIN_MAX; i++) {
		lookup = TAILQ_FIRST(&dns->ready);
		if (lookup == NULL)
			break;
		TAILQ_REMOVE(&dns->ready, lookup, entry);
		if (ask_above(lookup))
			continue;
		dns->n_pending--;
		if (!lookup->cancelled)
			hand_out(lookup);
		lookup_free(lookup);
	}
	if (!TAILQ_EMPTY(&dns->ready))
		schedule(dns);
	trim_after_rush(dns);
}

static int
errno_of(int ub_error)
{
	switch (ub_error) {
	case UB_NOERROR:
		return 0;
	case UB_NOMEM:
		return -ENOMEM;
	case UB_SYNTAX:
		return -EINVAL;
	default:
		return -EIO;
	}
}

// A name that libunbound cannot read would never be answered and never be
// freed: it gets what libc has made of it.
static int
lookup_new(struct dns *dns, const char *name, enum walk_type type,
    struct dns_lookup **ret)
{
	struct dns_lookup *lookup;
	uint8_t wire[NS_MAXCDNAME];
	char text[WALK_NAME_MAX];

	if (*name == '\0' || ns_name_pton(name, wire, sizeof(wire)) < 0 ||
	    ns_name_ntop(wire, text, sizeof(text)) < 0)
		return -EINVAL;
	lookup = calloc(1, sizeof(*lookup) + strlen(text) + 1);
	if (lookup == NULL)
		return -ENOMEM;
	lookup->dns = dns;
	lookup->type = type;
	memcpy(lookup->name, text, strlen(text) + 1);
	*ret = lookup;
	return 0;
}

int
dns_ask(struct dns *dns, const char *name, enum walk_type type, dns_done *done,
    void *arg, struct dns_lookup **ret)
{
	struct dns_lookup *lookup;
	int r = lookup_new(dns, name, type, &lookup);

	if (r < 0)
		return r;
	lookup->done = done;
	lookup->arg = arg;
	TAILQ_INSERT_TAIL(&dns->waiting, lookup, entry);
	r = ub_resolve_event(dns->ctx, lookup->name, (int)type, ns_c_in, lookup,
	    on_answer, NULL);
	if (r != UB_NOERROR) {
		TAILQ_REMOVE(&dns->waiting, lookup, entry);
		lookup_free(lookup);
		return errno_of(r);
	}
	if (++dns->n_pending > dns->n_peak)
		dns->n_peak = dns->n_pending;
	*ret = lookup;
	return 0;
}

// Not ub_cancel: the lookup would be ended without a word, and could not be
// counted. It is freed when its answer comes, or with the context.
void
dns_cancel(struct dns_lookup *lookup)
{
	lookup->cancelled = true;
}

unsigned
dns_pending(const struct dns *dns)
{
	return dns->n_pending;
}

// ---- The root ----

static void
on_root(void *arg, const struct walk_reply *reply)
{
	struct dns *dns = arg;
	struct prime prime = dns->prime;
	char why_not[DNS_ERROR_MAX];
	bool good =
	    reply->security == WALK_SECURE && reply->content == WALK_DATA;

	dns->prime.primed = NULL;
	if (!good)
		cause_root(reply, dns->forward, dns->anchor_file, why_not);
	prime.primed(prime.arg, good ? NULL : why_not);
}

int
dns_prime(struct dns *dns, dns_primed *primed, void *arg)
{
	struct dns_lookup *lookup;
	int r;

	if (dns->prime.primed != NULL)
		return -EBUSY;
	r = dns_ask(
	    dns, ".", (enum walk_type)ns_t_dnskey, on_root, dns, &lookup);
	if (r == 0)
		dns->prime = (struct prime){ .primed = primed, .arg = arg };
	return r;
}

// ---- A context ----

// Texts lent to libunbound, which reads files only: the disk is not looked at
// again, and cannot be where a resolver is locked in.
struct lent {
	struct memfile hints, fragment;
};

static void
take_back(struct lent *lent)
{
	memfile_close(&lent->hints);
	memfile_close(&lent->fragment);
}

static int
lend(const struct dns_source *source, struct lent *ret,
    char error[DNS_ERROR_MAX])
{
	int r = 0;

	*ret = (struct lent){ MEMFILE_NONE, MEMFILE_NONE };
	if (source->upstream.hints != NULL)
		r = memfile_open(source->upstream.hints, &ret->hints);
	if (r == 0 && source->fragment != NULL)
		r = memfile_open(source->fragment, &ret->fragment);
	if (r == 0)
		return 0;
	take_back(ret);
	(void)snprintf(error, DNS_ERROR_MAX,
	    "cannot hand files to libunbound by memory: %s", strerror(-r));
	return r;
}

// Set before resolver_config is read, which may set them otherwise. Sizes are
// bounds: what they bound grows as it is filled.
static const struct option {
	const char *name, *value;
	bool may_lack; // younger than the oldest libunbound that will do
} options[] = {
	{ "verbosity:", "0", false },
	{ "val-log-level:", "2", false }, // else why_bogus is empty
	{ "num-queries-per-thread:", "4096", false },
	{ "outgoing-num-tcp:", "50", false },
	{ "infra-cache-numhosts:", "100000", false },
	{ "msg-cache-size:", "64m", false },
	{ "rrset-cache-size:", "128m", false },
	{ "key-cache-size:", "32m", false },
	{ "neg-cache-size:", "8m", false },
	{ "cache-max-negative-ttl:", "900", false },
	{ "aggressive-nsec:", "yes", false },
	// Up to three round trips more for the TLSA records of a host, one for
	// each label of _25._tcp.HOST. It would hide that name, though not the
	// domain, from the servers of the top-level domain.
	{ "qname-minimisation:", "no", false },
	// Keys are fetched while the first answer of a zone is on its way, not
	// after it.
	{ "prefetch-key:", "yes", false },
	// What comes along unasked is not looked at, and need not be validated
	// before what was asked for is answered.
	{ "val-clean-additional:", "no", false },
	{ "edns-buffer-size:", "1232", false },
	{ "unwanted-reply-threshold:", "10000000", false },
	// A server that is silent is given up after 5 s, not 17 (three of
	// them: after 16 s, not 101), and with 2000 no sooner; but then one
	// that takes 0.8 s for each answer was given up as well.
	{ "infra-cache-max-rtt:", "3000", true },
	// And one that comes back is noticed. With such a max-rtt libunbound
	// before 1.23 never probes, so what it knows of a server is short-lived
	// instead: else one moment of silence of the only forwarder would stop
	// all mail for a quarter of an hour.
	{ "infra-keep-probing:", "yes", true },
	{ "infra-host-ttl:", "15", false },
};

static int
set_option(struct ub_ctx *ctx, const char *name, const char *value,
    char error[DNS_ERROR_MAX])
{
	int r = ub_ctx_set_option(ctx, name, value);

	if (r != UB_NOERROR)
		(void)snprintf(error, DNS_ERROR_MAX,
		    "libunbound does not take %s %s: %s", name, value,
		    ub_strerror(r));
	return errno_of(r);
}

static int
set_options(struct ub_ctx *ctx, const struct dns_source *source,
    const struct lent *lent, char error[DNS_ERROR_MAX])
{
	const struct dns_settings *settings = source->settings;
	char range[16];
	int r;

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		r = set_option(ctx, options[i].name, options[i].value, error);
		if (r < 0 && !options[i].may_lack)
			return r;
	}
	(void)snprintf(range, sizeof(range), "%u",
	    source_outgoing_range(settings->concurrency));
	r = set_option(ctx, "outgoing-range:", range, error);
	if (r == 0 && source->upstream.loopback)
		r = set_option(ctx, "do-not-query-localhost:", "no", error);
	if (r == 0 && source->upstream.hints != NULL)
		r = set_option(ctx, "root-hints:", lent->hints.path, error);
	return r;
}

static int
add_servers_and_keys(struct ub_ctx *ctx, const struct dns_source *source,
    char error[DNS_ERROR_MAX])
{
	int r = UB_NOERROR;

	for (unsigned i = 0; r == UB_NOERROR && i < source->upstream.n; i++)
		r = ub_ctx_set_fwd(ctx, source->upstream.addresses[i]);
	for (unsigned i = 0; r == UB_NOERROR && i < source->anchors.n; i++)
		r = ub_ctx_add_ta(ctx, source->anchors.lines[i]);
	if (r != UB_NOERROR)
		(void)snprintf(error, DNS_ERROR_MAX,
		    "libunbound does not take a forwarder or a trust anchor: "
		    "%s",
		    ub_strerror(r));
	return errno_of(r);
}

// What no reading of the file can promise: that the context is as it should be.
static int
read_back(struct ub_ctx *ctx, char error[DNS_ERROR_MAX])
{
	const char *option, *why;
	char *value;

	for (unsigned i = 0; (option = fragment_option(i)) != NULL; i++) {
		value = NULL;
		if (ub_ctx_get_option(ctx, option, &value) != UB_NOERROR ||
		    value == NULL)
			continue;
		why = fragment_refusal(option, value);
		free(value);
		if (why == NULL)
			continue;
		(void)snprintf(error, DNS_ERROR_MAX,
		    "resolver_config: %s: refused: %s", option, why);
		return -EPERM;
	}
	return 0;
}

static void
ignore_answer(void *arg, int rcode, void *wire, int len, int sec, char *why,
    int was_ratelimited)
{
	(void)arg;
	(void)rcode;
	(void)wire;
	(void)len;
	(void)sec;
	(void)why;
	(void)was_ratelimited;
}

// Settings are looked at when the first question comes: ask one that needs no
// network. 0 or what libunbound says.
static int
wake(struct ub_ctx *ctx)
{
	int r = ub_ctx_data_add(ctx, PROBE_NAME ". 1 IN A 127.0.0.1");

	if (r != UB_NOERROR)
		return r;
	r = ub_resolve_event(
	    ctx, PROBE_NAME, ns_t_a, ns_c_in, NULL, ignore_answer, NULL);
	(void)ub_ctx_data_remove(ctx, PROBE_NAME);
	return r;
}

// Debian 12's library cannot do TLS, and sends plain DNS to the TLS port when
// told to: it betrays itself when given certificates to check with.
static bool
library_has_tls(void)
{
	struct event_base *base = event_base_new();
	struct ub_ctx *ctx = base != NULL ? ub_ctx_create_event(base) : NULL;
	bool has = false;

	if (ctx != NULL) {
		(void)ub_ctx_debugout(ctx, NULL);
		has = ub_ctx_set_option(ctx, "tls-cert-bundle:",
			  "/etc/ssl/certs/ca-certificates.crt") == UB_NOERROR &&
		      wake(ctx) == UB_NOERROR;
		ub_ctx_delete(ctx);
	}
	if (base != NULL)
		event_base_free(base);
	return has;
}

static int
configure(struct ub_ctx *ctx, const struct dns_source *source,
    const struct lent *lent, char error[DNS_ERROR_MAX])
{
	const char *fragment = source->settings->resolver_config;
	int r = set_options(ctx, source, lent, error);

	if (r < 0)
		return r;
	if (source->fragment != NULL &&
	    ub_ctx_config(ctx, lent->fragment.path) != 0) {
		(void)snprintf(error, DNS_ERROR_MAX,
		    "resolver_config: libunbound cannot read it: %s", fragment);
		return -EINVAL;
	}
	r = read_back(ctx, error);
	if (r == 0)
		r = add_servers_and_keys(ctx, source, error);
	if (r < 0)
		return r;
	r = wake(ctx);
	if (r != UB_NOERROR)
		(void)snprintf(error, DNS_ERROR_MAX,
		    "libunbound does not start%s%s: %s",
		    fragment != NULL ? " with resolver_config " : "",
		    fragment != NULL ? fragment : "", ub_strerror(r));
	return errno_of(r);
}

static struct ub_ctx *
context_new(struct event_base *base, const struct dns_source *source,
    const struct lent *lent, int *ret_r, char error[DNS_ERROR_MAX])
{
	struct ub_ctx *ctx = ub_ctx_create_event(base);

	if (ctx == NULL) {
		(void)snprintf(error, DNS_ERROR_MAX,
		    "libunbound makes no context: out of memory?");
		*ret_r = -ENOMEM;
		return NULL;
	}
	(void)ub_ctx_debugout(ctx, stderr);
	*ret_r = configure(ctx, source, lent, error);
	(void)ub_ctx_debugout(ctx, NULL);
	if (*ret_r == 0)
		return ctx;
	ub_ctx_delete(ctx);
	return NULL;
}

// What libunbound printed, behind the error. It knows resolver_config by
// another name.
static void
add_printed(const struct dns_source *source, const struct lent *lent,
    const char *printed, char error[DNS_ERROR_MAX])
{
	const char *alias = lent->fragment.path, *name = "";
	size_t len = strlen(error);

	if (source->fragment != NULL &&
	    strncmp(printed, alias, strlen(alias)) == 0) {
		name = source->settings->resolver_config;
		printed += strlen(alias);
	}
	if (*printed != '\0')
		(void)snprintf(
		    error + len, DNS_ERROR_MAX - len, " (%s%s)", name, printed);
}

// A context that has shown that it works. What libunbound prints on the way
// becomes the end of the error.
static int
context_open(struct event_base *base, const struct dns_source *source,
    struct ub_ctx **ret, char error[DNS_ERROR_MAX])
{
	char printed[CAPTURE_MAX];
	struct capture capture;
	struct ub_ctx *ctx;
	struct lent lent;
	int r;

	if (source->wants_tls && !library_has_tls()) {
		(void)snprintf(error, DNS_ERROR_MAX,
		    "resolver_config: %s: refused: asks for TLS, which "
		    "libunbound %s here cannot do",
		    source->settings->resolver_config, ub_version());
		return -EPERM;
	}
	r = lend(source, &lent, error);
	if (r < 0)
		return r;
	capture_begin(&capture);
	ctx = context_new(base, source, &lent, &r, error);
	capture_end(&capture, printed);
	take_back(&lent);
	if (ctx != NULL)
		*ret = ctx;
	else
		add_printed(source, &lent, printed, error);
	return r;
}

static int
dns_new(struct event_base *base, const struct dns_settings *settings,
    struct dns **ret)
{
	struct dns *dns = calloc(1, sizeof(*dns));

	if (dns == NULL)
		return -ENOMEM;
	TAILQ_INIT(&dns->waiting);
	TAILQ_INIT(&dns->ready);
	dns->keep_wire = settings->keep_wire;
	dns->drain = evtimer_new(base, on_drain, dns);
	if (source_is_set(settings->forward))
		dns->forward = strdup(settings->forward);
	if (source_is_set(settings->trust_anchor_file))
		dns->anchor_file = strdup(settings->trust_anchor_file);
	if (dns->drain != NULL &&
	    (dns->forward != NULL || !source_is_set(settings->forward)) &&
	    (dns->anchor_file != NULL ||
		!source_is_set(settings->trust_anchor_file))) {
		*ret = dns;
		return 0;
	}
	dns_close(dns);
	return -ENOMEM;
}

int
dns_open(struct event_base *base, const struct dns_source *source,
    struct dns **ret, char ret_error[DNS_ERROR_MAX])
{
	struct dns *dns;
	int r = dns_new(base, source->settings, &dns);

	if (r < 0) {
		(void)snprintf(ret_error, DNS_ERROR_MAX, "out of memory");
		return r;
	}
	r = context_open(base, source, &dns->ctx, ret_error);
	if (r < 0)
		dns_close(dns);
	else
		*ret = dns;
	return r;
}

static void
free_all(struct lookups *lookups)
{
	struct dns_lookup *lookup;

	while ((lookup = TAILQ_FIRST(lookups)) != NULL) {
		TAILQ_REMOVE(lookups, lookup, entry);
		lookup_free(lookup);
	}
}

void
dns_close(struct dns *dns)
{
	if (dns == NULL)
		return;
	// What libunbound ends on this occasion becomes ready as ever, and goes
	// with the rest.
	if (dns->ctx != NULL)
		ub_ctx_delete(dns->ctx);
	free_all(&dns->waiting);
	free_all(&dns->ready);
	if (dns->drain != NULL)
		event_free(dns->drain);
	free(dns->anchor_file);
	free(dns->forward);
	free(dns);
}

// ---- Looking only ----

// Each domain that is exempt from validation, as the context has it.
static void
say_exemptions(struct ub_ctx *ctx, void (*say)(const char *text))
{
	char text[DNS_ERROR_MAX], *value = NULL, *next, *domain;

	if (ub_ctx_get_option(ctx, "domain-insecure", &value) != UB_NOERROR ||
	    value == NULL)
		return;
	for (domain = strtok_r(value, "\n", &next); domain != NULL;
	     domain = strtok_r(NULL, "\n", &next)) {
		(void)snprintf(text, sizeof(text),
		    "resolver_config: domain-insecure %s: nothing below it is "
		    "validated",
		    domain);
		say(text);
	}
	free(value);
}

int
dns_check(const struct dns_source *source, void (*say)(const char *text),
    char ret_error[DNS_ERROR_MAX])
{
	struct dns_settings modest = *source->settings;
	struct dns_source looked_at = *source;
	struct event_base *base = event_base_new();
	struct ub_ctx *ctx = NULL;
	int r;

	if (base == NULL) {
		(void)snprintf(ret_error, DNS_ERROR_MAX, "out of memory");
		return -ENOMEM;
	}
	// Thousands of sockets would take longer to prepare than all the rest.
	modest.concurrency = 1;
	looked_at.settings = &modest;
	r = context_open(base, &looked_at, &ctx, ret_error);
	if (r == 0) {
		say_exemptions(ctx, say);
		ub_ctx_delete(ctx);
	}
	event_base_free(base);
	return r;
}

const char *
dns_version(void)
{
	static char text[64];

	(void)snprintf(text, sizeof(text), "libunbound %s", ub_version());
	return text;
}
