// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// Orders and bequests with their descriptors. Promises never to block, and
// that no descriptor is lost or left open whatever arrives; refuses to know
// what an order makes its receiver do. Both ends are the same program on the
// same machine, so numbers travel in its own byte order.
#include "config.h"

#include "wire/order.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

struct packet_order {
	uint32_t kind, index, count;
};

struct packet_bequest {
	uint32_t len; // of the leftover that follows; never an empty packet,
		      // which could not be told from end of file
};

union control {
	char octets[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

static bool
carries_descriptor(uint32_t kind)
{
	return kind == ORDER_RESOLVER || kind == ORDER_WORKER ||
	       kind == ORDER_HEIR || kind == ORDER_BEQUEST ||
	       kind == ORDER_REPLACE;
}

static int
send_packet(int channel, struct iovec *parts, size_t n_parts, int fd)
{
	union control control;
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = n_parts };

	if (fd >= 0) {
		memset(&control, 0, sizeof(control));
		message.msg_control = control.octets;
		message.msg_controllen = sizeof(control.octets);
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	}
	if (sendmsg(channel, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	// More descriptors under way than a process may have open: they will be
	// taken out at the other end.
	return errno == ETOOMANYREFS ? -EAGAIN : -errno;
}

// The descriptor that came along, or -1. The control buffer has room for two
// where int is half a word: of more than one, none is wanted.
static int
take_descriptor(struct msghdr *message, bool *ret_odd)
{
	int fd = -1;

	*ret_odd = (message->msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
	for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL;
	     header = CMSG_NXTHDR(message, header)) {
		if (header->cmsg_level != SOL_SOCKET ||
		    header->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			if (fd >= 0) {
				*ret_odd = true;
				close(fd);
			}
			memcpy(&fd, CMSG_DATA(header) + i * sizeof(fd),
			    sizeof(fd));
		}
	}
	return fd;
}

// As order_receive; ret_len is that of the whole packet.
static int
receive_packet(int channel, struct iovec *parts, size_t n_parts, int *ret_fd,
    size_t *ret_len)
{
	union control control;
	struct msghdr message = {
		.msg_iov = parts,
		.msg_iovlen = n_parts,
		.msg_control = control.octets,
		.msg_controllen = sizeof(control.octets),
	};
	bool odd;

	ssize_t n = recvmsg(channel, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	// Reset: the other end went without having read all that we sent.
	if (n < 0)
		return errno == ECONNRESET ? 0 : -errno;
	int fd = take_descriptor(&message, &odd);
	// An empty packet that carries one is not the end of file.
	if (n == 0 && fd < 0 && !odd)
		return 0;
	if (odd) {
		if (fd >= 0)
			close(fd);
		return -EINVAL;
	}
	*ret_fd = fd;
	*ret_len = (size_t)n;
	return 1;
}

int
order_send(int channel, const struct order *order)
{
	struct packet_order packet = { order->kind, order->index,
		order->count };
	struct iovec part = { &packet, sizeof(packet) };

	if (carries_descriptor(order->kind) != (order->fd >= 0))
		return -EINVAL;
	return send_packet(channel, &part, 1, order->fd);
}

int
order_receive(int channel, struct order *ret)
{
	struct packet_order packet;
	struct iovec part = { &packet, sizeof(packet) };
	size_t len = 0;
	int fd = -1;

	int got = receive_packet(channel, &part, 1, &fd, &len);
	if (got <= 0)
		return got;
	if (len != sizeof(packet) || packet.kind == ORDER_NOTHING ||
	    packet.kind > ORDER_REPLACE ||
	    carries_descriptor(packet.kind) != (fd >= 0)) {
		if (fd >= 0)
			close(fd);
		return -EINVAL;
	}
	*ret = (struct order){ packet.kind, packet.index, packet.count, fd };
	return 1;
}

bool
order_take(
    int channel, void (*obey)(void *arg, const struct order *order), void *arg)
{
	static const struct order nothing = { .fd = -1 };
	struct order order;

	for (int i = 0; i < ORDER_ROUND_MAX; i++) {
		int got = order_receive(channel, &order);
		if (got == -EAGAIN)
			return true;
		if (got <= 0 && got != -EINVAL)
			return false;
		obey(arg, got == 1 ? &order : &nothing);
	}
	return true;
}

int
order_bequeath(int channel, int client, const char *leftover, uint32_t len)
{
	struct packet_bequest packet = { len };
	struct iovec parts[] = {
		{ &packet, sizeof(packet) },
		{ (char *)(uintptr_t)leftover, len },
	};

	if (len > ORDER_LEFTOVER_MAX)
		return -EINVAL;
	return send_packet(channel, parts, 2, client);
}

int
order_inherit(int channel, int *ret_client, char leftover[ORDER_LEFTOVER_MAX],
    uint32_t *ret_len)
{
	struct packet_bequest packet;
	struct iovec parts[] = {
		{ &packet, sizeof(packet) },
		{ leftover, ORDER_LEFTOVER_MAX },
	};
	size_t len = 0;
	int fd = -1;

	int got = receive_packet(channel, parts, 2, &fd, &len);
	if (got <= 0)
		return got;
	if (fd < 0)
		return -EINVAL;
	if (len < sizeof(packet) || len - sizeof(packet) != packet.len) {
		close(fd);
		return -EINVAL;
	}
	*ret_client = fd;
	*ret_len = packet.len;
	return 1;
}
