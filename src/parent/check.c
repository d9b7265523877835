// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// What a configuration needs of the machine: users, folders, sockets, trust
// anchors.
#include "config.h"

#include "parent/check.h"

#include "base/rulefile.h"
#include "base/services.h"
#include "base/systemd.h"
#include "parent/expiry.h"
#include "parent/identity.h"
#include "parent/listen.h"
#include "parent/parent.h"
#include "policy/rules_day.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define CHECK_WAIT_MS  10000
#define CHECK_PAUSE_MS 5

// Whose faults are told, and to whom: libunbound's warnings come through a
// function that has no word of its own.
static const struct conf *conf_now;
static check_say *say_now;

static const char *
or_null(const char *text)
{
	return *text == '\0' ? NULL : text;
}

struct dns_settings
check_dns_settings(const struct conf *conf)
{
	return (struct dns_settings){
		.trust_anchor_file = or_null(conf->trust_anchor_file),
		.root_hints_file = or_null(conf->root_hints_file),
		.resolver_config = or_null(conf->resolver_config),
		.forward = or_null(conf->forward),
		.concurrency = conf->query_concurrency,
	};
}

static void
tell(bool is_fault, const char *text)
{
	char located[CHECK_ERROR_MAX];
	conf_locate(conf_now, text, located, sizeof(located));
	say_now(is_fault, located);
}

static void
tell_warning(const char *text)
{
	tell(false, text);
}

// The last folder of the path may be made at start; the one above must exist.
static bool
check_cache_folder(const struct conf *conf, char error[CHECK_ERROR_MAX])
{
	char folder[4096];
	struct stat st;
	snprintf(folder, sizeof(folder), "%s", conf->cache_file);
	for (int up = 0; up < 2; up++) {
		char *slash = strrchr(folder, '/');
		if (slash == NULL || slash == folder)
			return true;
		*slash = '\0';
		if (stat(folder, &st) == 0 && S_ISDIR(st.st_mode))
			return true;
	}
	snprintf(error, CHECK_ERROR_MAX,
	    "cache_file: %s: there is no folder %.300s: make it, or name "
	    "another place",
	    conf->cache_file, folder);
	return false;
}

// One that starts in another's place must know before the other has gone.
static bool
check_cache_file(const struct conf *conf, char error[CHECK_ERROR_MAX])
{
	struct stat st;
	if (lstat(conf->cache_file, &st) != 0 || S_ISREG(st.st_mode) ||
	    S_ISLNK(st.st_mode))
		return true;
	snprintf(error, CHECK_ERROR_MAX,
	    "cache_file: %s: is there already and is not a regular file: "
	    "remove it or choose another path",
	    conf->cache_file);
	return false;
}

static bool
check_user(const struct conf *conf)
{
	char error[IDENTITY_ERROR_MAX];
	struct identity identity;
	if (identity_find(conf->user, &identity, error) != 0) {
		tell(true, error);
		return false;
	}
	if (identity.uid == 0)
		tell(false, "user: the daemon would keep running as root");
	return true;
}

// A control_socket that cannot be is no fault: Postfix is answered without.
static bool
check_sockets(const struct conf *conf, bool passed)
{
	char error[LISTEN_ERROR_MAX];
	if (listen_check_control(conf, error) != 0)
		tell(false, error);
	if (passed || listen_check(conf, error) == 0)
		return true;
	tell(true, error);
	return false;
}

static bool
check_cache(const struct conf *conf)
{
	char error[CHECK_ERROR_MAX];
	if (check_cache_folder(conf, error) && check_cache_file(conf, error))
		return true;
	tell(true, error);
	return false;
}

static bool
check_dns(const struct dns_source *source)
{
	char error[DNS_ERROR_MAX];
	if (source == NULL || dns_check(source, tell_warning, error) == 0)
		return true;
	tell(true, error);
	return false;
}

bool
check_conf(const struct conf *conf, const struct dns_source *source,
    bool passed, check_say *say)
{
	conf_now = conf;
	say_now = say;
	bool fine = check_user(conf);
	if (!conf->sandbox)
		tell(false, "sandbox: no: each process keeps rights that it "
			    "does not need");
	fine &= check_sockets(conf, passed);
	fine &= check_cache(conf);
	fine &= check_dns(source);
	return fine;
}

// No orphan may hold the parent's sockets: alone it would not even be seen.
static void
die_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EX_OSERR);
}

// Its exit status, or minus the signal that ended it. One that does not end,
// stopped or kept by a file system that hangs, is ended: the parent has others
// to look after.
static int
wait_for(pid_t pid, bool *ret_hangs)
{
	int status;
	pid_t ended = 0;
	for (int ms = 0; ended == 0 && ms < CHECK_WAIT_MS;
	     ms += CHECK_PAUSE_MS) {
		ended = waitpid(pid, &status, WNOHANG);
		if (ended == 0)
			poll(NULL, 0, CHECK_PAUSE_MS);
	}
	*ret_hangs = ended == 0;
	if (*ret_hangs)
		kill(pid, SIGKILL);
	while (ended == 0 || (ended < 0 && errno == EINTR))
		ended = waitpid(pid, &status, 0);
	if (ended < 0)
		return EX_OSERR;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

// Faults that it has found it has said itself.
static void
say_end(int status, bool hangs, check_say *say)
{
	char text[CHECK_ERROR_MAX];
	if (hangs) {
		say(true,
		    "the check of the configuration did not end: does a file "
		    "that it names lie on a file system that hangs?");
	} else if (status < 0) {
		snprintf(text, sizeof(text),
		    "the check of the configuration was ended by signal %d: "
		    "libunbound, over resolver_config?",
		    -status);
		say(true, text);
	} else if (status != EX_OK && status != EX_CONFIG) {
		say(true, "libunbound ended the check of trust anchors and "
			  "resolver_config");
	}
}

bool
check_conf_apart(const struct conf *conf, const struct dns_source *source,
    bool passed, check_say *say)
{
	pid_t parent = getpid(), pid = fork();
	if (pid == 0) {
		die_with(parent);
		_exit(
		    check_conf(conf, source, passed, say) ? EX_OK : EX_CONFIG);
	}
	if (pid < 0) {
		say(true, "cannot fork to check the configuration");
		return false;
	}
	bool hangs;
	int status = wait_for(pid, &hangs);
	say_end(status, hangs, say);
	return status == EX_OK;
}

static void
say_on_stderr(bool is_fault, const char *text)
{
	fprintf(stderr, "danemapd: %s%s\n", is_fault ? "" : "warning: ", text);
}

static void
say_expiry(const char *text)
{
	say_on_stderr(false, text);
}

// Not part of check_conf: a start and a reload read the file anyway, and it
// may be a large one.
static bool
check_rules(const struct conf *conf)
{
	const char *file = conf->policy_file;
	char error[RULES_ERROR_MAX];
	struct rules *rules;
	if (*file == '\0')
		return true;
	services_read();
	if (rulefile_read(file, &rules, error) != 0) {
		tell(true, error);
		return false;
	}
	expiry_report(rules, file, rules_day(time(NULL)), say_expiry);
	rulefile_free(rules);
	return true;
}

// Nobody here can know whether systemd will pass sockets, which would leave a
// `listen` that nobody wrote without a meaning.
static void
warn_of_default_listen(const struct conf *conf)
{
	char error[LISTEN_ERROR_MAX], text[LISTEN_ERROR_MAX + 64];
	if (listen_check(conf, error) == 0)
		return;
	snprintf(text, sizeof(text),
	    "%s; where systemd passes sockets, never mind", error);
	tell(false, text);
}

int
parent_check(const struct conf *conf)
{
	struct dns_settings settings = check_dns_settings(conf);
	struct dns_source *source = NULL;
	char error[DNS_ERROR_MAX];
	conf_now = conf;
	say_now = say_on_stderr;
	bool fine = dns_source_read(&settings, &source, error) == 0;
	if (!fine)
		tell(true, error);
	bool needed =
	    conf_is_written(conf, "listen") || !systemd_may_pass_sockets();
	fine &= check_conf(conf, source, !needed, say_on_stderr);
	if (!needed)
		warn_of_default_listen(conf);
	fine &= check_rules(conf);
	dns_source_free(source);
	return fine ? EX_OK : EX_CONFIG;
}
