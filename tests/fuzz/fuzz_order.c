// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What a process of ours that has been taken over may send to another: any
// packets, with any number of descriptors. Each must be judged as its octets
// say, come out the same when it is sent on, and leave no descriptor open but
// the one that is handed out.
//
// A packet: an octet of how it is read and of its descriptors, two of its
// length, its octets.
//
// Under test: src/wire/order.c
#include "config.h"

#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wire/order.h"

#define FDS_MAX    4
#define PACKET_MAX (ORDER_LEFTOVER_MAX + 64)

struct packet {
	bool as_bequest;
	unsigned n_fds;
	const uint8_t *octets;
	size_t len;
};

static int pair[2] = { -1, -1 };
static struct stat sent_stat; // of the descriptor that is sent

static void
open_once(void)
{
	REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
	REQUIRE(fstat(pair[0], &sent_stat) == 0);
}

// The number that the next descriptor would get: it rises if one stays open.
static int
lowest_free(void)
{
	int fd = dup(pair[0]);

	REQUIRE(fd >= 0);
	close(fd);
	return fd;
}

static void
attach(struct msghdr *message, unsigned n_fds)
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);
	size_t len = n_fds * sizeof(int);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(len);
	for (unsigned i = 0; i < n_fds; i++)
		memcpy(
		    CMSG_DATA(header) + i * sizeof(int), &pair[0], sizeof(int));
	message->msg_controllen = CMSG_SPACE(len);
}

static void
send_packet(const struct packet *packet)
{
	static union {
		char octets[CMSG_SPACE(FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec part = { (void *)(uintptr_t)packet->octets, packet->len };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.octets,
		.msg_controllen = sizeof(control.octets),
	};

	if (packet->n_fds > 0)
		attach(&message, packet->n_fds);
	else
		message.msg_controllen = 0;
	REQUIRE(
	    sendmsg(pair[0], &message, MSG_DONTWAIT) == (ssize_t)packet->len);
}

static void
check_descriptor(int fd, int expected)
{
	struct stat st;

	REQUIRE(fd == expected);
	REQUIRE(fstat(fd, &st) == 0 && st.st_ino == sent_stat.st_ino);
	REQUIRE((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
}

// An empty packet with nothing in it is the end of file.
static int
refusal(const struct packet *packet)
{
	return packet->len == 0 && packet->n_fds == 0 ? 0 : -EINVAL;
}

static bool
order_is_right(const struct packet *packet, uint32_t numbers[3])
{
	if (packet->len != 3 * sizeof(uint32_t))
		return false;
	memcpy(numbers, packet->octets, packet->len);
	switch (numbers[0]) {
	case ORDER_RESOLVER:
	case ORDER_WORKER:
	case ORDER_HEIR:
	case ORDER_BEQUEST:
	case ORDER_REPLACE:
		return packet->n_fds == 1;
	case ORDER_OWN:
	case ORDER_FINISH:
	case ORDER_RELOADED:
	case ORDER_READY:
	case ORDER_LEFT:
	case ORDER_ANCHORED:
	case ORDER_REMAP:
	case ORDER_RELOAD:
		return packet->n_fds == 0;
	default:
		return false;
	}
}

static void
send_on(const struct packet *packet, const struct order *order)
{
	uint8_t again[PACKET_MAX];
	struct order odd = *order;

	REQUIRE(order_send(pair[0], order) == 0);
	REQUIRE(recv(pair[1], again, sizeof(again), MSG_DONTWAIT) ==
		(ssize_t)packet->len);
	REQUIRE(memcmp(again, packet->octets, packet->len) == 0);
	odd.fd = order->fd < 0 ? pair[0] : -1;
	REQUIRE(order_send(pair[0], &odd) == -EINVAL);
}

static void
check_order(const struct packet *packet, int free_fd)
{
	struct order order;
	uint32_t numbers[3];
	int got = order_receive(pair[1], &order);

	if (!order_is_right(packet, numbers)) {
		REQUIRE(got == refusal(packet));
		return;
	}
	REQUIRE(got == 1 && order.kind == numbers[0]);
	REQUIRE(order.index == numbers[1] && order.count == numbers[2]);
	if (packet->n_fds == 1)
		check_descriptor(order.fd, free_fd);
	else
		REQUIRE(order.fd == -1);
	send_on(packet, &order);
	if (order.fd >= 0)
		close(order.fd);
}

static bool
bequest_is_right(const struct packet *packet)
{
	uint32_t len;

	if (packet->len < sizeof(len) || packet->n_fds != 1)
		return false;
	memcpy(&len, packet->octets, sizeof(len));
	return len <= ORDER_LEFTOVER_MAX && packet->len == sizeof(len) + len;
}

static void
bequeath_again(const struct packet *packet, const char *leftover, uint32_t len)
{
	static uint8_t again[PACKET_MAX];

	REQUIRE(order_bequeath(pair[0], pair[0], leftover, len) == 0);
	REQUIRE(recv(pair[1], again, sizeof(again), MSG_DONTWAIT) ==
		(ssize_t)packet->len);
	REQUIRE(memcmp(again, packet->octets, packet->len) == 0);
}

static void
check_bequest(const struct packet *packet, int free_fd)
{
	static char leftover[ORDER_LEFTOVER_MAX];
	uint32_t len = 0;
	int client = -1;
	int got = order_inherit(pair[1], &client, leftover, &len);

	if (!bequest_is_right(packet)) {
		REQUIRE(got == refusal(packet));
		return;
	}
	REQUIRE(got == 1 && len == packet->len - sizeof(len));
	REQUIRE(memcmp(leftover, packet->octets + sizeof(len), len) == 0);
	check_descriptor(client, free_fd);
	bequeath_again(packet, leftover, len);
	close(client);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, data + size };
	struct order none;

	if (pair[0] < 0)
		open_once();
	int free_fd = lowest_free();
	while (input_left(&input) > 0) {
		uint8_t how = input_octet(&input);
		size_t len = input_number(&input, 2) % PACKET_MAX;
		struct packet packet = { .as_bequest = (how & 1) != 0,
			.n_fds = (how >> 1) % (FDS_MAX + 1) };
		packet.octets = input_take(&input, len, &packet.len);
		send_packet(&packet);
		if (packet.as_bequest)
			check_bequest(&packet, free_fd);
		else
			check_order(&packet, free_fd);
		REQUIRE(lowest_free() == free_fd);
	}
	REQUIRE(order_receive(pair[1], &none) == -EAGAIN);
	return 0;
}
