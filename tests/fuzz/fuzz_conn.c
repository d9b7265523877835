// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// A whole connection of a client: any octets, cut anywhere, through netstrings,
// questions, cache and resolver to replies; with answers that come in another
// order than the questions, and replies that are read late. Each request must
// have the one reply that is worked out here, in order, up to the first fault,
// which is told and ends it; no more questions may be out at once than
// promised; and another client is answered all the while.
//
// The octets: what is played, the number of cuts, an octet for the length of
// each piece but the last, the stream.
//
// Under test: src/worker/conn.c src/worker/query.c
// Under test: src/worker/errand.c src/wire/netstring.c src/wire/socketmap.c
// Dictionary: netstring
// Longest input: 16384
#include "config.h"

#include "input.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#include "base/idn.h"
#include "base/services.h"
#include "worker/conn.h"

#define STREAM_MAX   16384
#define REPLIES_MAX  (64 * STREAM_MAX)
#define ROUNDS_MAX   100000 // nothing takes that long
#define REFUSED_NAME 100    // octets of a name in a refusal
#define ROOMY        (4 << 20)
#define NARROW       1 // as little as the kernel permits

enum {
	LAST_FIRST = 1,   // the newest question is answered first
	LATE_READS = 2,   // replies are read when nothing else moves
	LATE_ANSWERS = 4, // and so are questions answered
	INHERITED = 8,    // the first piece comes from an older worker
	VANISHES = 16,    // the client goes without waiting for anything
	NARROWLY = 32,    // the socket takes few octets at once
};

static struct loop *loop;
static struct query_desk *desk;
static struct conns *conns;
static struct cache *cache;
static struct status_page page;
static int resolver; // our end of the channel
static int neighbour;

static const struct nexthop_env env = { idn_label_to_ascii, services_port };

static struct {
	uint8_t how;
	int fd;
	bool over; // end of file
	size_t len;
	char replies[REPLIES_MAX];
	unsigned n_out; // questions without an answer

	struct question {
		uint32_t id;
		struct nexthop nexthop;
	} out[CONN_LINE_MAX];
} play;

// --- what is known of a name: its first letter says it ---

static struct entry
entry_of(char letter)
{
	struct entry entry = { .made_ms = loop_now_ms(loop) };

	if (letter == 'f') {
		entry.has_defer = true;
		entry.deferred_ms = entry.made_ms;
		entry.deferred_until_ms = entry.made_ms + 3600000;
		entry.defer_reason = "it failed";
		entry.defer_len = 9;
		return entry;
	}
	entry.has_answer = true;
	entry.ends_ms = entry.made_ms + 3600000;
	entry.facts.mx = FACTS_MX_SECURE;
	entry.facts.n_hosts = 1;
	entry.facts.hosts[0].state = letter == 'n' ? FACTS_NODANE : FACTS_DANE;
	entry.facts.hosts[0].flags = FACTS_HAS_ADDRESS;
	return entry;
}

static bool
is_refused(const struct nexthop *nexthop)
{
	return strchr("cdnf", nexthop->name[0]) == NULL;
}

static void
refusal_of(const struct nexthop *nexthop, char ret[REFUSED_NAME + 4])
{
	snprintf(ret, REFUSED_NAME + 4, "no %.*s", REFUSED_NAME, nexthop->name);
}

// --- the resolver ---

static void
take_questions(void)
{
	uint8_t packet[ASK_MAX];
	struct ask ask;
	ssize_t n;

	while ((n = recv(resolver, packet, sizeof(packet), MSG_DONTWAIT)) > 0) {
		REQUIRE(ask_decode(packet, (size_t)n, &ask) == 0);
		REQUIRE(ask.kind == ASK_QUESTION);
		REQUIRE(play.n_out < CONN_LINE_MAX);
		struct question *question = &play.out[play.n_out++];
		question->id = ask.id;
		REQUIRE(nexthop_from_id(
			    ask.data, ask.len, &question->nexthop) == 0);
		REQUIRE(question->nexthop.name[0] != 'c' ||
			question->nexthop.kind != NEXTHOP_DOMAIN ||
			strcmp(question->nexthop.name, "c.example") != 0 ||
			question->nexthop.port != 25);
	}
}

static void
answer(const struct question *question)
{
	static uint8_t bytes[ENTRY_ENCODED_MAX], packet[ASK_MAX];
	char text[REFUSED_NAME + 4];
	struct ask ask = { .kind = ASK_REFUSED, .id = question->id };

	refusal_of(&question->nexthop, text);
	ask.data = (const uint8_t *)text;
	ask.len = strlen(text);
	if (!is_refused(&question->nexthop)) {
		struct entry entry = entry_of(question->nexthop.name[0]);
		ask.kind = ASK_ANSWER;
		ask.data = bytes;
		ask.len = entry_encode(&entry, bytes, sizeof(bytes));
		REQUIRE(ask.len > 0);
	}
	size_t len = ask_encode(&ask, packet, sizeof(packet));
	REQUIRE(send(resolver, packet, len, MSG_DONTWAIT) == (ssize_t)len);
}

static void
answer_one(void)
{
	size_t at = play.how & LAST_FIRST ? play.n_out - 1 : 0;

	if (play.n_out == 0)
		return;
	answer(&play.out[at]);
	play.n_out--;
	memmove(&play.out[at], &play.out[at + 1],
	    (play.n_out - at) * sizeof(play.out[0]));
}

// --- the stage ---

static void
open_cache(void)
{
	char path[64], why[CACHE_ERROR_MAX], error[CACHE_ERROR_MAX];
	struct cache_settings settings = { .path = path,
		.size = CACHE_SIZE_MIN,
		.owner = geteuid(),
		.group = getegid() };
	enum cache_opened opened;

	snprintf(path, sizeof(path), "/tmp/fuzz_conn.%ld", (long)getpid());
	REQUIRE(cache_open(&settings, &cache, &opened, why, error) == 0);
	unlink(path);
	strcat(path, ".lock");
	unlink(path);
}

static void
keep_one(void)
{
	uint8_t bytes[CACHE_VALUE_MAX], key[NEXTHOP_ID_MAX];
	struct entry entry = entry_of('c');
	struct nexthop nexthop;

	nexthop_parse("c.example", 9, &env, &nexthop);
	size_t len = nexthop_id(&nexthop, key);
	const struct cache_value value = { .ends_ms = entry.ends_ms,
		.worthless_ms = entry.ends_ms,
		.data = bytes,
		.len = entry_encode(&entry, bytes, sizeof(bytes)) };
	cache_own(cache, cache_part(cache, key, len));
	REQUIRE(cache_put(cache, key, len, &value, entry.made_ms) == 0);
}

// ours takes what we send; theirs takes so many octets of what they send.
static void
open_pair(int kind, int octets, int *ret_ours, int *ret_theirs)
{
	int pair[2], roomy = ROOMY;

	REQUIRE(socketpair(AF_UNIX, kind | SOCK_NONBLOCK, 0, pair) == 0);
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &roomy, sizeof(roomy));
	setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &octets, sizeof(octets));
	*ret_ours = pair[0];
	*ret_theirs = pair[1];
}

static void
open_desk(const struct conf *conf)
{
	int theirs;

	REQUIRE(query_desk_new(
		    &(struct query_desk_settings){
			.loop = loop,
			.conf = conf,
			.cache = cache,
			.page = &page,
			.n_resolvers = 1,
			.answered = conns_answered,
		    },
		    &desk) == 0);
	open_pair(SOCK_SEQPACKET, ROOMY, &resolver, &theirs);
	REQUIRE(query_connect(desk, 0, theirs) == 0);
}

static void
open_once(void)
{
	static struct conf conf = { .cache_stale_ttl_s = 86400,
		.query_timeout_s = 90,
		.max_connections = 4096,
		.log_level = LOG_ERR };
	int theirs;

	if (conns != NULL)
		return;
	REQUIRE(loop_new(&loop) == 0);
	open_cache();
	keep_one();
	open_desk(&conf);
	REQUIRE(conns_new(&(struct conns_settings){ loop, &conf, desk, &page },
		    &conns) == 0);
	open_pair(SOCK_STREAM, ROOMY, &neighbour, &theirs);
	conns_adopt(conns, theirs, NULL, 0);
}

static void
turn(void)
{
	for (int i = 0; i < 3; i++)
		event_base_loop(loop_base(loop), EVLOOP_NONBLOCK);
	take_questions();
}

// Whatever the other does.
static void
ask_as_neighbour(void)
{
	static const char request[] = "14:dane c.example,";
	static const char reply[] = "12:OK dane-only,";
	char got[64];

	REQUIRE(send(neighbour, request, sizeof(request) - 1, 0) > 0);
	turn();
	REQUIRE(recv(neighbour, got, sizeof(got), 0) == sizeof(reply) - 1);
	REQUIRE(memcmp(got, reply, sizeof(reply) - 1) == 0);
}

// --- the client ---

static void
read_replies(void)
{
	while (!play.over) {
		size_t left = sizeof(play.replies) - play.len;
		ssize_t n =
		    recv(play.fd, play.replies + play.len, left, MSG_DONTWAIT);

		REQUIRE(left > 0);
		if (n < 0 && errno == EAGAIN)
			return;
		REQUIRE(n >= 0 || errno == ECONNRESET);
		play.over = n <= 0;
		play.len += n > 0 ? (size_t)n : 0;
	}
}

static void
say(const uint8_t *octets, size_t len)
{
	for (unsigned i = 0; len > 0; i++) {
		ssize_t n =
		    send(play.fd, octets, len, MSG_DONTWAIT | MSG_NOSIGNAL);

		REQUIRE(i < ROUNDS_MAX);
		if (n < 0 && errno != EAGAIN)
			return;
		octets += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
		turn();
		if ((play.how & LATE_ANSWERS) == 0 || n < 0)
			answer_one();
		if ((play.how & LATE_READS) == 0 || n < 0)
			read_replies();
	}
}

static void
end_client(void)
{
	if (play.how & VANISHES) {
		close(play.fd);
		play.over = true;
	} else {
		shutdown(play.fd, SHUT_WR);
	}
	for (unsigned i = 0; !play.over; i++) {
		REQUIRE(i < ROUNDS_MAX);
		turn();
		answer_one();
		read_replies();
	}
	if ((play.how & VANISHES) == 0)
		close(play.fd);
	// Answers to nobody among them, where the client has vanished.
	for (unsigned i = 0; conns_count(conns) > 1 || play.n_out > 0; i++) {
		REQUIRE(i < ROUNDS_MAX);
		turn();
		answer_one();
	}
	turn();
}

static void
run(struct input *input, unsigned n_cuts)
{
	const uint8_t *cuts = input->at, *first = NULL;
	size_t len, first_len = 0;
	int theirs;

	open_pair(SOCK_STREAM, play.how & NARROWLY ? NARROW : ROOMY, &play.fd,
	    &theirs);
	play.over = false;
	play.len = play.n_out = 0;
	input_take(input, n_cuts, &len);
	if (play.how & INHERITED && len > 0)
		first = input_take(input, cuts[0], &first_len);
	conns_adopt(conns, theirs, (const char *)first, first_len);
	for (unsigned i = first == NULL ? 0 : 1; i < len; i++) {
		size_t piece_len;
		const uint8_t *piece = input_take(input, cuts[i], &piece_len);
		say(piece, piece_len);
		ask_as_neighbour();
	}
	say(input->at, input_left(input));
	ask_as_neighbour();
	end_client();
}

// --- what it should have heard ---

// Cuts a netstring of that payload off what was heard.
static void
hear(struct input *replies, const char *first, const char *second)
{
	char expected[512];
	int len = snprintf(expected, sizeof(expected), "%zu:%s%s,",
	    strlen(first) + strlen(second), first, second);

	REQUIRE(input_left(replies) >= (size_t)len);
	REQUIRE(memcmp(replies->at, expected, (size_t)len) == 0);
	replies->at += len;
}

static const char *
found_reply(const struct nexthop *nexthop, bool fingerprint)
{
	switch (nexthop->name[0]) {
	case 'n':
		return nexthop->bare ? "OK may" : "NOTFOUND ";
	case 'f':
		return fingerprint ? "OK defer-dnssec-lookup-failed"
				   : "TEMP it failed";
	default:
		return fingerprint ? "OK encrypt" : "OK dane-only";
	}
}

static void
check_key(const char *key, size_t len, bool fingerprint, struct input *replies)
{
	char text[REFUSED_NAME + 4];
	struct nexthop nexthop;

	nexthop_parse(key, len, &env, &nexthop);
	bool is_looked_up =
	    nexthop.kind == NEXTHOP_DOMAIN || nexthop.kind == NEXTHOP_HOST;
	bool fails = nexthop.kind == NEXTHOP_UNCONVERTIBLE ||
		     (is_looked_up && is_refused(&nexthop));
	if (is_looked_up && !fails) {
		hear(replies, found_reply(&nexthop, fingerprint), "");
	} else if (fails && fingerprint) {
		hear(replies, "OK defer-dnssec-lookup-failed", "");
	} else if (nexthop.kind == NEXTHOP_UNCONVERTIBLE) {
		hear(replies, "TEMP not a domain name by IDNA2008", "");
	} else if (fails) {
		refusal_of(&nexthop, text);
		hear(replies, "TEMP ", text);
	} else {
		hear(replies, "NOTFOUND ", "");
	}
}

static bool
map_is(const char *map, size_t len, const char *wanted)
{
	return len == strlen(wanted) && strncasecmp(map, wanted, len) == 0;
}

static void
hear_unknown_map(struct input *replies)
{
	static const char head[] = "PERM no map \"";
	const uint8_t *colon = memchr(replies->at, ':', input_left(replies));
	unsigned long len = strtoul((const char *)replies->at, NULL, 10);

	REQUIRE(colon != NULL && len < DIALECT_SHORT_MAX);
	replies->at = colon + 1;
	REQUIRE(input_left(replies) > len && len >= sizeof(head));
	REQUIRE(memcmp(replies->at, head, sizeof(head) - 1) == 0);
	REQUIRE(replies->at[len] == ',');
	replies->at += len + 1;
}

// True if the connection goes on.
static bool
check_request(const char *payload, size_t len, struct input *replies)
{
	const char *space = len == 0 ? NULL : memchr(payload, ' ', len);
	size_t map_len = space == NULL ? 0 : (size_t)(space - payload);
	bool fingerprint = map_is(payload, map_len, "fingerprint");

	if (space == NULL) {
		hear(replies, "PERM a request is a map name, a space, a key",
		    "");
		return false;
	}
	if (fingerprint || map_is(payload, map_len, "dane") ||
	    map_is(payload, map_len, "query") ||
	    map_is(payload, map_len, "querywithtlsrpt") ||
	    map_is(payload, map_len, "postfix"))
		check_key(space + 1, len - map_len - 1, fingerprint, replies);
	else
		hear_unknown_map(replies);
	return true;
}

// The number before the colon: its digits, or a fault.
static const char *
read_number(struct input *stream, size_t *ret)
{
	size_t number = 0, n = 0;
	bool zero = false;

	for (; input_left(stream) > 0; n++) {
		uint8_t c = *stream->at;
		if (c < '0' || c > '9')
			break;
		if (zero)
			return "PERM not a netstring";
		zero = n == 0 && c == '0';
		number = 10 * number + (size_t)(c - '0');
		if (number > 10000)
			return "PERM the request is too long";
		stream->at++;
	}
	if (input_left(stream) == 0)
		return "PERM the request is cut short";
	if (n == 0 || *stream->at++ != ':')
		return "PERM not a netstring";
	*ret = number;
	return NULL;
}

static void
check_stream(struct input *stream, struct input *replies)
{
	size_t len = 0, taken;

	while (input_left(stream) > 0) {
		const char *fault = read_number(stream, &len);
		if (fault == NULL && input_left(stream) <= len)
			fault = "PERM the request is cut short";
		if (fault == NULL && stream->at[len] != ',')
			fault = "PERM not a netstring";
		if (fault != NULL) {
			hear(replies, fault, "");
			return;
		}
		const uint8_t *payload = input_take(stream, len, &taken);
		stream->at++;
		if (!check_request((const char *)payload, len, replies))
			return;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, data + size };
	play.how = input_octet(&input);
	unsigned n_cuts = input_octet(&input);
	struct input stream = input;
	size_t skipped;

	if (size > STREAM_MAX)
		return 0;
	open_once();
	run(&input, n_cuts);
	if (play.how & VANISHES)
		return 0;
	struct input replies = { (uint8_t *)play.replies,
		(uint8_t *)play.replies + play.len };
	input_take(&stream, n_cuts, &skipped);
	check_stream(&stream, &replies);
	REQUIRE(input_left(&replies) == 0);
	return 0;
}
