// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Orders and bequests over real socket pairs: descriptors arrive whole, and
// none is left open, whatever is sent.
#include "config.h"

#include "table.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "wire/order.h"

#include "refusal.h"

REFUSABLE(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags),
    (fd, message, flags), -1)

static int pair[2];

static void
open_pair(void)
{
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
}

static void
close_pair(void)
{
	close(pair[0]);
	close(pair[1]);
}

static unsigned
count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

struct trip_row {
	const char *sentence;
	enum order_kind kind;
	bool carries;
};

static const struct trip_row trip_rows[] = {
	{ "a resolver's channel arrives", ORDER_RESOLVER, true },
	{ "a worker's channel arrives", ORDER_WORKER, true },
	{ "an heir arrives", ORDER_HEIR, true },
	{ "a bequest arrives", ORDER_BEQUEST, true },
	{ "the order to own arrives", ORDER_OWN, false },
	{ "the order to finish arrives", ORDER_FINISH, false },
	{ "readiness arrives", ORDER_READY, false },
	{ "the anchor's news arrives", ORDER_ANCHORED, false },
	{ "the wish for a new segment arrives", ORDER_REMAP, false },
	{ "the wish for a reload arrives", ORDER_RELOAD, false },
	{ "a successor arrives", ORDER_REPLACE, true },
	{ "the outcome of a reload arrives", ORDER_RELOADED, false },
};

static void
check_trip(void **state)
{
	const struct trip_row *row = *state;
	struct order order = { row->kind, 3, 7, -1 }, got = { .fd = -1 };
	int pipe_ends[2];
	char octet = 0;

	open_pair();
	assert_int_equal(pipe(pipe_ends), 0);
	if (row->carries)
		order.fd = pipe_ends[1];
	assert_int_equal(order_send(pair[0], &order), 0);
	assert_int_equal(order_receive(pair[1], &got), 1);
	assert_int_equal(got.kind, row->kind);
	assert_int_equal(got.index, 3);
	assert_int_equal(got.count, 7);
	if (row->carries) {
		assert_true(fcntl(got.fd, F_GETFD) & FD_CLOEXEC);
		assert_int_equal(write(got.fd, "x", 1), 1);
		assert_int_equal(read(pipe_ends[0], &octet, 1), 1);
		close(got.fd);
	} else {
		assert_int_equal(got.fd, -1);
	}
	close(pipe_ends[0]);
	close(pipe_ends[1]);
	close_pair();
}

static void
check_unfit(void **state)
{
	struct order bare = { ORDER_HEIR, 0, 0, -1 };
	struct order loaded = { ORDER_FINISH, 0, 0, 0 };

	(void)state;
	open_pair();
	assert_int_equal(order_send(pair[0], &bare), -EINVAL);
	assert_int_equal(order_send(pair[0], &loaded), -EINVAL);
	assert_int_equal(order_receive(pair[1], &bare), -EAGAIN);
	close_pair();
}

// What a peer of ours would never send.
struct odd_row {
	const char *sentence;
	uint32_t words[4];
	size_t len;
	unsigned n_fds;
};

static const struct odd_row odd_rows[] = {
	{ "half an order is refused", { ORDER_FINISH }, 6, 0 },
	{ "an order and a half is refused", { ORDER_FINISH }, 16, 0 },
	{ "no order is refused", { ORDER_NOTHING }, 12, 0 },
	{ "an unknown order is refused", { ORDER_REPLACE + 1 }, 12, 0 },
	{ "an unknown order's descriptor is closed", { 99 }, 12, 1 },
	{ "a descriptor that does not belong is closed", { ORDER_FINISH }, 12,
	    1 },
	{ "a missing descriptor is noticed", { ORDER_HEIR }, 12, 0 },
	{ "two descriptors are one too many", { ORDER_HEIR }, 12, 2 },
	{ "eight descriptors are closed", { ORDER_HEIR }, 12, 8 },
	{ "a short packet's descriptor is closed", { ORDER_HEIR }, 6, 1 },
	{ "a long packet's descriptor is closed", { ORDER_HEIR }, 16, 1 },
	{ "an empty packet's descriptor is closed", { 0 }, 0, 1 },
};

static void
send_raw(const void *data, size_t len, unsigned n_fds)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))];
	struct iovec part = { (void *)(uintptr_t)data, len };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	int fds[8] = { 0 };

	memset(control, 0, sizeof(control));
	if (n_fds > 0) {
		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(header), fds, n_fds * sizeof(int));
	}
	assert_int_equal(sendmsg(pair[0], &message, 0), (ssize_t)len);
}

static void
check_odd(void **state)
{
	const struct odd_row *row = *state;
	struct order got = { .fd = 1234 };

	open_pair();
	unsigned before = count_descriptors();
	send_raw(row->words, row->len, row->n_fds);
	assert_int_equal(order_receive(pair[1], &got), -EINVAL);
	assert_int_equal(got.fd, 1234);
	assert_int_equal(count_descriptors(), before);
	close_pair();
}

// A receiver that wants to know who sends, by some slip, has no room for that.
static void
check_credentials(void **state)
{
	const uint32_t words[] = { ORDER_HEIR, 0, 0 };
	struct order got = { .fd = 1234 };
	int on = 1;

	(void)state;
	open_pair();
	assert_int_equal(
	    setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
	unsigned before = count_descriptors();
	send_raw(words, sizeof(words), 1);
	assert_int_equal(order_receive(pair[1], &got), -EINVAL);
	assert_int_equal(got.fd, 1234);
	assert_int_equal(count_descriptors(), before);
	close_pair();
}

static struct {
	unsigned n_orders, n_odd;
	uint32_t last_index;
} obeyed;

static void
obey(void *arg, const struct order *order)
{
	assert_ptr_equal(arg, &obeyed);
	assert_int_equal(order->fd, -1);
	obeyed.n_odd += order->kind == ORDER_NOTHING;
	obeyed.n_orders += order->kind == ORDER_READY;
	obeyed.last_index = order->index;
}

static void
send_ready(uint32_t index)
{
	struct order order = { ORDER_READY, index, 0, -1 };

	assert_int_equal(order_send(pair[0], &order), 0);
}

static void
check_take(void **state)
{
	const uint32_t words[] = { 99, 0, 0 };

	(void)state;
	memset(&obeyed, 0, sizeof(obeyed));
	open_pair();
	send_ready(1);
	send_raw(words, sizeof(words), 0);
	send_ready(2);
	assert_true(order_take(pair[1], obey, &obeyed));
	assert_int_equal(obeyed.n_orders, 2);
	assert_int_equal(obeyed.n_odd, 1);
	assert_int_equal(obeyed.last_index, 2);
	close_pair();
}

static void
check_take_a_round(void **state)
{
	(void)state;
	memset(&obeyed, 0, sizeof(obeyed));
	open_pair();
	for (uint32_t i = 1; i <= ORDER_ROUND_MAX + 1; i++)
		send_ready(i);
	assert_true(order_take(pair[1], obey, &obeyed));
	assert_int_equal(obeyed.last_index, ORDER_ROUND_MAX);
	assert_true(order_take(pair[1], obey, &obeyed));
	assert_int_equal(obeyed.last_index, ORDER_ROUND_MAX + 1);
	close_pair();
}

static void
check_take_to_the_end(void **state)
{
	(void)state;
	memset(&obeyed, 0, sizeof(obeyed));
	open_pair();
	send_ready(1);
	close(pair[0]);
	assert_false(order_take(pair[1], obey, &obeyed));
	assert_int_equal(obeyed.n_orders, 1);
	close(pair[1]);
}

static void
check_end(void **state)
{
	struct order got;

	(void)state;
	open_pair();
	assert_int_equal(order_receive(pair[1], &got), -EAGAIN);
	close(pair[0]);
	assert_int_equal(order_receive(pair[1], &got), 0);
	close(pair[1]);
}

static void
check_end_with_unread(void **state)
{
	struct order order = { ORDER_FINISH, 0, 0, -1 };

	(void)state;
	open_pair();
	assert_int_equal(order_send(pair[1], &order), 0);
	close(pair[0]);
	assert_int_equal(order_receive(pair[1], &order), 0);
	close(pair[1]);
}

static void
check_to_nobody(void **state)
{
	struct order order = { ORDER_FINISH, 0, 0, -1 };

	(void)state;
	open_pair();
	close(pair[0]);
	assert_int_equal(order_send(pair[1], &order), -EPIPE);
	close(pair[1]);
}

static void
check_full(void **state)
{
	struct order order = { ORDER_FINISH, 0, 0, -1 };
	int error = 0;

	(void)state;
	open_pair();
	for (unsigned i = 0; i < 1000000 && error == 0; i++)
		error = order_send(pair[0], &order);
	assert_int_equal(error, -EAGAIN);
	assert_int_equal(order_receive(pair[1], &order), 1);
	close_pair();
}

// The kernel counts descriptors under way by user, and spares root.
static void
check_many_under_way(void **state)
{
	struct order order = { ORDER_HEIR, 0, 0, 0 };

	(void)state;
	open_pair();
	refuse("sendmsg", 1, ETOOMANYREFS);
	assert_int_equal(order_send(pair[0], &order), -EAGAIN);
	assert_true(refuse_no_more());
	assert_int_equal(order_send(pair[0], &order), 0);
	close_pair();
}

struct bequest_row {
	const char *sentence;
	uint32_t len;
	int error;
};

static const struct bequest_row bequest_rows[] = {
	{ "a connection without leftovers arrives", 0, 0 },
	{ "a connection with one octet arrives", 1, 0 },
	{ "a connection with all octets allowed arrives", ORDER_LEFTOVER_MAX,
	    0 },
	{ "more leftovers than allowed are refused", ORDER_LEFTOVER_MAX + 1,
	    -EINVAL },
};

static void
check_bequest(void **state)
{
	static char leftover[ORDER_LEFTOVER_MAX + 1], got[ORDER_LEFTOVER_MAX];
	const struct bequest_row *row = *state;
	uint32_t len = 99;
	int client = -1;

	memset(leftover, 'x', sizeof(leftover));
	leftover[0] = 'a';
	open_pair();
	assert_int_equal(
	    order_bequeath(pair[0], 0, leftover, row->len), row->error);
	if (row->error != 0) {
		close_pair();
		return;
	}
	assert_int_equal(order_inherit(pair[1], &client, got, &len), 1);
	assert_true(client > 2);
	assert_true(fcntl(client, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(len, row->len);
	assert_memory_equal(got, leftover, len);
	close(client);
	close_pair();
}

static const struct odd_row odd_bequest_rows[] = {
	{ "a bequest without a connection is refused", { 0 }, 4, 0 },
	{ "a bequest that lies about its length is refused", { 5, 0 }, 8, 1 },
	{ "a bequest without a length is refused", { 0 }, 2, 1 },
	{ "a bequest of two connections is refused", { 0 }, 4, 2 },
	{ "a connection in an empty packet is closed", { 0 }, 0, 1 },
};

static void
check_odd_bequest(void **state)
{
	static char leftover[ORDER_LEFTOVER_MAX];
	const struct odd_row *row = *state;
	uint32_t len = 99;
	int client = -7;

	open_pair();
	unsigned before = count_descriptors();
	send_raw(row->words, row->len, row->n_fds);
	assert_int_equal(
	    order_inherit(pair[1], &client, leftover, &len), -EINVAL);
	assert_int_equal(client, -7);
	assert_int_equal(len, 99);
	assert_int_equal(count_descriptors(), before);
	close_pair();
}

int
main(void)
{
	TABLE_ADD(trip_rows, check_trip);
	table_add("a descriptor is sent where one belongs and nowhere else",
	    check_unfit, NULL);
	TABLE_ADD(odd_rows, check_odd);
	table_add("credentials in place of a descriptor are refused, and it is "
		  "closed",
	    check_credentials, NULL);
	table_add("all orders are taken, one that is unknown as none",
	    check_take, NULL);
	table_add("no more than a round of orders is taken at once",
	    check_take_a_round, NULL);
	table_add("the last orders of an end that is gone are taken",
	    check_take_to_the_end, NULL);
	table_add(
	    "the other end's close is told from silence", check_end, NULL);
	table_add("the other end's death with orders unread is its end",
	    check_end_with_unread, NULL);
	table_add(
	    "an order to nobody fails without a signal", check_to_nobody, NULL);
	table_add("a full channel does not block", check_full, NULL);
	table_add("too many descriptors under way are a slow other end",
	    check_many_under_way, NULL);
	TABLE_ADD(bequest_rows, check_bequest);
	TABLE_ADD(odd_bequest_rows, check_odd_bequest);
	return table_run("order");
}
