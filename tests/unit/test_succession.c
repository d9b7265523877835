// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What a successor makes of predecessors that answer oddly: a child of the test
// is the predecessor, on a control_socket in a folder of the test's own. How
// two that are sound follow each other is a matter of tests/life.
#include "config.h"

#include "parent/succession.h"

#include "base/log.h"
#include "table.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

static char folder[] = "/tmp/dmsucc.XXXXXX";
static char list_text[256], control_path[128], policy_path[128];
static struct conf conf = { .listen = list_text,
	.control_socket = control_path };
static struct identity identity;
static char error[LISTEN_ERROR_MAX];

static int
listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	unlink(path);
	assert_int_equal(
	    0, bind(fd, (struct sockaddr *)&address, sizeof(address)));
	assert_int_equal(0, listen(fd, 8));
	return fd;
}

static unsigned
count_fds(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

struct answer {
	const char *sentence;
	const char *text;  // %s: where the socket file really is
	unsigned n_fds;    // that go with it
	bool in_two_parts; // the text
	int wanted;        // of succession_take()
	const char *words; // in its error
};

// What a predecessor says to "go"; NULL: nothing.
static const char *last_word;

static const struct answer answers[] = {
	{ "the sockets that are offered are taken", "sockets 1 1\n%s\n", 1,
	    false, 0, NULL },
	{ "an offer that comes in two parts is one offer", "sockets 1 1\n%s\n",
	    1, true, 0, NULL },
	{ "an offer of no socket makes the own ones", "sockets 1 0\n", 0, false,
	    -EADDRINUSE, "another process answers" },
	{ "a refusal is told with its reason",
	    "error another one takes them over\n", 0, false, -EBUSY,
	    "keeps its sockets: another one takes them over" },
	{ "an older danemapd that cannot hand over is said to keep its sockets",
	    "error no such request: there are status, reload\n", 0, false,
	    -EBUSY, "no such request" },
	{ "another language is a refusal", "sockets 2 1\n", 1, false, -EBUSY,
	    "keeps its sockets: sockets 2 1" },
	{ "fewer descriptors than names are refused",
	    "sockets 1 2\n%s\n0:0:0 inet:127.0.0.1:1\n", 1, false, -EPROTO,
	    "did not hand its sockets over" },
	{ "more descriptors than names are refused", "sockets 1 1\n%s\n", 2,
	    false, -EPROTO, "did not hand its sockets over" },
	{ "a socket whose file is another by now is not taken",
	    "sockets 1 1\n0:0:99 unix:/nowhere\n", 1, false, -EADDRINUSE,
	    "another process answers" },
	{ "a line that names no socket is not taken", "sockets 1 1\nnonsense\n",
	    1, false, -EADDRINUSE, "another process answers" },
};

// The names as a predecessor writes them.
static size_t
write_answer(const struct answer *answer, char text[1024])
{
	struct stat st;
	char name[256];

	assert_int_equal(0, lstat(policy_path, &st));
	snprintf(name, sizeof(name), "%u:%u:%ju unix:%s", major(st.st_dev),
	    minor(st.st_dev), (uintmax_t)st.st_ino, policy_path);
	const char *gap = strstr(answer->text, "%s");
	if (gap == NULL)
		return (size_t)snprintf(text, 1024, "%s", answer->text);
	return (size_t)snprintf(text, 1024, "%.*s%s%s",
	    (int)(gap - answer->text), answer->text, name, gap + 2);
}

static void
send_with_fds(int client, const char *text, size_t len, int fd, unsigned n)
{
	char octets[CMSG_SPACE(2 * sizeof(int))] = { 0 };
	int fds[2] = { fd, fd };
	struct iovec part = { (char *)(uintptr_t)text, len };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (n > 0) {
		message.msg_control = octets;
		message.msg_controllen = CMSG_SPACE(n * sizeof(int));
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(header), fds, n * sizeof(int));
	}
	if (len > 0)
		sendmsg(client, &message, MSG_NOSIGNAL);
}

// Answers one successor, hears its "go" if there is one, and is gone.
static void
be_predecessor(const struct answer *answer, int control, int policy)
{
	char text[1024], octets[64];
	size_t len = write_answer(answer, text), first = len;

	int client = accept(control, NULL, NULL);
	if (recv(client, octets, sizeof(octets), 0) <= 0)
		_exit(1);
	if (answer->in_two_parts)
		first = 5;
	send_with_fds(client, text, first, policy, answer->n_fds);
	send(client, text + first, len - first, MSG_NOSIGNAL);
	bool is_told = answer->wanted == 0 || last_word != NULL;
	if (is_told && recv(client, octets, 3, MSG_WAITALL) != 3)
		_exit(1);
	if (last_word != NULL)
		send(client, last_word, strlen(last_word), MSG_NOSIGNAL);
	_exit(0);
}

static void
test_answer(void **state)
{
	const struct answer *answer = *state;
	struct listeners got = { .n = 77 };
	int status = -1, policy = listen_at(policy_path);
	int control = listen_at(control_path);

	pid_t pid = fork();
	if (pid == 0)
		be_predecessor(answer, control, policy);
	close(control);
	unsigned before = count_fds();
	int r = succession_take(&conf, &identity, &got, error);
	assert_int_equal(answer->wanted, r);
	assert_int_equal(pid, waitpid(pid, &status, 0));
	assert_int_equal(0, status);
	if (r != 0) {
		assert_non_null(strstr(error, answer->words));
		assert_int_equal(77, got.n);
		assert_int_equal(0, access(policy_path, F_OK));
	} else {
		assert_int_equal(1, got.n);
		listen_close(&got, NULL);
		assert_int_equal(-1, access(policy_path, F_OK));
	}
	assert_int_equal(before, count_fds());
	close(policy);
}

// What it names is removed once it is not wanted any more.
static void
test_no_socket(void **state)
{
	char path[256], text[512];
	struct stat st;
	struct answer answer = { .text = text, .n_fds = 2 };
	void *arg = &answer;

	(void)state;
	snprintf(path, sizeof(path), "%s/plain", folder);
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_int_equal(0, fstat(fd, &st));
	snprintf(text, sizeof(text), "sockets 1 2\n%%s\n%u:%u:%ju unix:%s\n",
	    major(st.st_dev), minor(st.st_dev), (uintmax_t)st.st_ino, path);
	test_answer(&arg);
	assert_int_equal(0, access(path, F_OK));
	close(fd);
	unlink(path);
}

static void
test_rights_given_back(void **state)
{
	struct answer answer = { .text = "sockets 1 1\n%s\n",
		.n_fds = 1,
		.wanted = -EBUSY,
		.words = "it stays" };
	void *arg = &answer;
	struct stat st;

	(void)state;
	snprintf(list_text, sizeof(list_text), "unix:%s:0612", policy_path);
	last_word = "error it stays\n";
	test_answer(&arg);
	last_word = NULL;
	snprintf(list_text, sizeof(list_text), "unix:%s", policy_path);
	assert_int_equal(0, stat(policy_path, &st));
	assert_int_not_equal(0612, st.st_mode & 07777);
}

// What predecessors say in turn, each to one connection, and then they are
// gone. After a "go" comes `last`, if there is one.
struct turn {
	const char *sentence;
	const char *first[2];
	const char *last;
	int wanted; // of succession_take()
	const char *words;
};

static const struct turn turns[] = {
	{ "silence and an end mean that nobody runs: it starts as ever", { "" },
	    NULL, 0, NULL },
	{ "half an offer and an end mean that nobody runs",
	    { "sockets 1 1\n0:0:1 unix" }, NULL, 0, NULL },
	{ "who is busy is asked again", { "again it is busy\n", "" }, NULL, 0,
	    NULL },
	{ "an offer that was taken back is asked for again",
	    { "sockets 1 0\n", "" }, "again it is reloading\n", 0, NULL },
	{ "a predecessor that changes its mind keeps its sockets",
	    { "sockets 1 0\n" }, "error it does not want to\n", -EBUSY,
	    "keeps its sockets: it does not want to" },
};

static void
answer_in_turn(const struct turn *turn, int control)
{
	char octets[64];

	for (int i = 0; i < 2 && turn->first[i] != NULL; i++) {
		const char *said = turn->first[i];
		int client = accept(control, NULL, NULL);
		if (recv(client, octets, sizeof(octets), 0) <= 0)
			_exit(1);
		send(client, said, strlen(said), MSG_NOSIGNAL);
		if (i == 0 && turn->last != NULL &&
		    recv(client, octets, 3, MSG_WAITALL) != 3)
			_exit(2);
		if (i == 0 && turn->last != NULL)
			send(client, turn->last, strlen(turn->last),
			    MSG_NOSIGNAL);
		close(client);
	}
	_exit(0);
}

static void
test_turn(void **state)
{
	const struct turn *turn = *state;
	struct listeners got = { .n = 77 };
	int status = -1, control = listen_at(control_path);

	unlink(policy_path);
	pid_t pid = fork();
	if (pid == 0)
		answer_in_turn(turn, control);
	close(control);
	unsigned before = count_fds();
	int r = succession_take(&conf, &identity, &got, error);
	assert_int_equal(pid, waitpid(pid, &status, 0));
	assert_int_equal(0, status);
	assert_int_equal(turn->wanted, r);
	if (r == 0) {
		assert_int_equal(1, got.n);
		listen_close(&got, NULL);
	} else {
		assert_non_null(strstr(error, turn->words));
		assert_int_equal(77, got.n);
	}
	assert_int_equal(-1, access(policy_path, F_OK));
	assert_int_equal(before, count_fds());
}

// A signal that means an end, while nobody answers.
static void
test_told_to_stop(void **state)
{
	struct listeners got = { .n = 77 };
	struct timespec none = { .tv_sec = 0 };
	sigset_t set, before;
	int control = listen_at(control_path);

	(void)state;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &before);
	raise(SIGTERM);
	assert_int_equal(
	    -EINTR, succession_take(&conf, &identity, &got, error));
	assert_int_equal(77, got.n);
	assert_int_equal(SIGTERM, sigtimedwait(&set, NULL, &none));
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(control);
}

static void
test_nobody(void **state)
{
	struct listeners got;

	(void)state;
	unlink(policy_path);
	unlink(control_path);
	assert_int_equal(0, succession_take(&conf, &identity, &got, error));
	assert_int_equal(1, got.n);
	listen_close(&got, NULL);
}

static void
test_no_control_socket(void **state)
{
	struct conf without = conf;
	struct listeners got;

	(void)state;
	without.control_socket = "";
	assert_int_equal(
	    -EINVAL, succession_take(&without, &identity, &got, error));
	assert_non_null(strstr(error, "control_socket"));
}

static void
test_systemd(void **state)
{
	struct listeners theirs = { .n = 1, .of = { { .name = "systemd:0" } } };
	char said[128] = "";
	int pair[2];

	(void)state;
	assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	assert_false(succession_offer(pair[0], &theirs));
	assert_true(recv(pair[1], said, sizeof(said) - 1, 0) > 0);
	assert_string_equal(
	    "error its sockets are its supervisor's: restart it there\n", said);
	close(pair[0]);
	close(pair[1]);
}

static void
test_wanted(void **state)
{
	int pair[2];

	(void)state;
	assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	assert_int_equal(3, send(pair[1], "go\n", 3, 0));
	assert_true(succession_is_wanted(pair[0]));
	assert_false(succession_is_wanted(pair[0]));
	close(pair[1]);
	assert_false(succession_is_wanted(pair[0]));
	close(pair[0]);
}

int
main(void)
{
	assert_non_null(mkdtemp(folder));
	snprintf(control_path, sizeof(control_path), "%s/control", folder);
	snprintf(policy_path, sizeof(policy_path), "%s/policy", folder);
	snprintf(list_text, sizeof(list_text), "unix:%s", policy_path);
	identity = (struct identity){ .uid = geteuid(), .gid = getegid() };
	dlog_open(CONF_LOG_STDERR, LOG_ERR, "test");
	TABLE_ADD(answers, test_answer);
	table_add(
	    "a file that is no socket is left alone", test_no_socket, NULL);
	table_add("a socket that is kept after all keeps its mode",
	    test_rights_given_back, NULL);
	TABLE_ADD(turns, test_turn);
	table_add(
	    "whoever is told to stop waits no longer", test_told_to_stop, NULL);
	table_add("where none runs it starts as ever", test_nobody, NULL);
	table_add(
	    "without control_socket it says so", test_no_control_socket, NULL);
	table_add(
	    "sockets of a supervisor are not given away", test_systemd, NULL);
	table_add("a successor that hangs up is not wanted", test_wanted, NULL);
	int failed = table_run("succession");
	unlink(control_path);
	unlink(policy_path);
	rmdir(folder);
	return failed;
}
