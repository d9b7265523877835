// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The parent: one loop over signals, children and a tick a second. Small and
// boring on purpose: whatever can crash is done by somebody else.
#include "config.h"

#include "parent/parent.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/rulefile.h"
#include "base/sandbox.h"
#include "base/services.h"
#include "base/status.h"
#include "base/systemd.h"
#include "parent/check.h"
#include "parent/expiry.h"
#include "parent/generation.h"
#include "parent/identity.h"
#include "parent/succession.h"
#include "policy/rules_day.h"
#include "resolver/trust.h"
#include "wire/order.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS       1000
// After the children's last moment, until the parent is gone.
#define STOP_EXTRA_MS 5000
// How long a new generation has to come to serve before a reload is given up.
#define READY_MAX_MS  15000
// Descriptors: libunbound's sockets, one more for each connection of two
// generations, and some.
#define FILES_WANTED  65536
// What a successor hears that should ask again.
#define WHY_BUSY      "it is starting or reloading"
#define WHY_STOPPING  "it is stopping"

struct parent {
	const struct parent_settings *settings;
	struct identity identity;
	struct status_page *pages;
	int signals;
	int successor;           // another danemapd has our sockets; -1: none
	struct generation *now;  // serves
	struct generation *next; // starting, to relieve now
	struct generation *old;  // finishing
	bool was_root;           // when it started
	bool stopping, reload_wanted, announced;
	uint64_t next_deadline_ms, tick_ms;
	int32_t expiry_day; // of the last report on rules that end
};

static int
open_signals(struct parent *parent)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	parent->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return parent->signals < 0 ? -errno : 0;
}

static void
each_generation(struct parent *parent,
    void (*each)(struct generation *gen, void *arg), void *arg)
{
	struct generation *all[] = { parent->now, parent->next, parent->old };
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i] != NULL)
			each(all[i], arg);
}

// In a new child of the generation `arg`: what is not its own is closed.
static void
leave_generation(struct generation *gen, void *arg)
{
	struct generation *mine = arg;
	for (unsigned i = 0; i < gen->n_children; i++)
		if (gen->children[i].channel >= 0)
			close(gen->children[i].channel);
	if (gen == mine)
		return;
	for (unsigned i = 0; i < gen->listeners.n; i++) {
		bool shared = false;
		for (unsigned j = 0; j < mine->listeners.n; j++)
			shared |=
			    mine->listeners.of[j].fd == gen->listeners.of[i].fd;
		if (!shared)
			close(gen->listeners.of[i].fd);
	}
	if (gen->listeners.has_control &&
	    !(mine->listeners.has_control &&
		mine->listeners.control.fd == gen->listeners.control.fd))
		close(gen->listeners.control.fd);
	if (gen->cache != mine->cache)
		cache_close(gen->cache);
	// As long as one process maps them, their memory is not free.
	rulefile_free(gen->rules);
}

static void
leave_parent(void *arg)
{
	struct generation *mine = arg;
	close(mine->parent->signals);
	if (mine->parent->successor >= 0)
		close(mine->parent->successor);
	each_generation(mine->parent, leave_generation, mine);
}

static int
open_cache(
    struct parent *parent, struct generation *gen, char error[CHECK_ERROR_MAX])
{
	char why[CACHE_ERROR_MAX] = "";
	enum cache_opened opened;
	struct cache_settings settings = {
		.path = gen->conf->cache_file,
		.size = gen->conf->cache_size,
		.owner = parent->identity.uid,
		.group = parent->identity.gid,
	};
	memcpy(settings.context, gen->context, sizeof(settings.context));
	identity_make_folder(settings.path, &parent->identity);
	int r = cache_open(&settings, &gen->cache, &opened, why, error);
	if (r == 0 && opened == CACHE_REPLACED)
		dlog(LOG_NOTICE, "cache %s starts empty: the file there was %s",
		    settings.path, why);
	return r;
}

static bool
same_cache(const struct generation *a, const struct generation *b)
{
	return strcmp(a->conf->cache_file, b->conf->cache_file) == 0 &&
	       a->conf->cache_size == b->conf->cache_size &&
	       memcmp(a->context, b->context, sizeof(a->context)) == 0;
}

// Somebody cut the file: whoever still reads it gets zeros.
static bool
cache_is_cut(const struct generation *gen)
{
	struct stat st;
	return cache_is_dead(gen->cache) ||
	       (fstat(cache_fd(gen->cache), &st) == 0 &&
		   (uint64_t)st.st_size < gen->conf->cache_size);
}

static void
free_generation(struct parent *parent, struct generation *gen)
{
	struct generation *keep = parent->now == gen ? NULL : parent->now;
	listen_close(&gen->listeners, keep == NULL ? NULL : &keep->listeners);
	if (gen->cache != NULL && (keep == NULL || keep->cache != gen->cache))
		cache_close(gen->cache);
	rulefile_free(gen->rules);
	dns_source_free(gen->source);
	conf_free(gen->conf);
	free(gen);
}

// In memory that all workers share.
static int
read_rules(struct generation *gen, char error[CHECK_ERROR_MAX])
{
	const char *file = gen->conf->policy_file;
	if (*file == '\0')
		return 0;
	return rulefile_read(file, &gen->rules, error);
}

static void
say_located(
    const struct conf *conf, int priority, const char *error, const char *then)
{
	char located[CHECK_ERROR_MAX];
	conf_locate(conf, error, located, sizeof(located));
	dlog(priority, "%s%s", located, then);
}

// Mail does not wait for administrators: without it the daemon serves.
static void
open_control(struct parent *parent, struct generation *gen,
    const struct generation *kept)
{
	char error[LISTEN_ERROR_MAX];
	listen_open_control(gen->conf, &parent->identity,
	    kept == NULL ? NULL : &kept->listeners, &gen->listeners, error);
	if (error[0] != '\0')
		say_located(gen->conf, LOG_WARNING, error,
		    "; danemap cannot reach this daemon");
}

// Root is gone for good: nobody else can be become any more.
static int
check_user(const struct parent *parent, const struct conf *conf,
    const struct generation *kept, char error[CHECK_ERROR_MAX])
{
	if (kept == NULL || !parent->was_root ||
	    strcmp(conf->user, kept->conf->user) == 0)
		return 0;
	snprintf(error, CHECK_ERROR_MAX, "user: %s instead of %s", conf->user,
	    kept->conf->user);
	return -EPERM;
}

static void
say_in_log(bool is_fault, const char *text)
{
	dlog(is_fault ? LOG_ERR : LOG_WARNING, "%s", text);
}

// Nothing but what it is to run on, checked; consumes conf. NULL: it has
// faults, which have been said.
static struct generation *
draft(struct parent *parent, struct conf *conf)
{
	char error[DNS_ERROR_MAX];
	struct generation *gen = calloc(1, sizeof(*gen));
	if (gen == NULL) {
		conf_free(conf);
		dlog(LOG_ERR, "out of memory");
		return NULL;
	}
	gen->parent = parent;
	gen->conf = conf;
	gen->dns_settings = check_dns_settings(conf);
	int r = dns_source_read(&gen->dns_settings, &gen->source, error);
	if (r != 0)
		say_located(conf, LOG_ERR, error, "");
	bool passed = parent->now == NULL
			  ? systemd_has_sockets()
			  : listen_are_passed(&parent->now->listeners);
	bool fine = check_conf_apart(conf, gen->source, passed, say_in_log);
	if (r == 0 && fine && trust_digest(gen->source, gen->context) == 0)
		return gen;
	free_generation(parent, gen);
	return NULL;
}

// Who answers on control_socket may be systemd, which says nothing.
static bool
replaces(const struct parent *parent)
{
	if (!parent->settings->replace || !systemd_has_sockets())
		return parent->settings->replace;
	dlog(LOG_WARNING,
	    "--replace: there are sockets from systemd: nobody is replaced");
	return false;
}

static int
open_sockets(struct parent *parent, struct generation *gen,
    const struct generation *kept, char error[CHECK_ERROR_MAX])
{
	if (kept == NULL && replaces(parent))
		return succession_take(
		    gen->conf, &parent->identity, &gen->listeners, error);
	return listen_open(gen->conf, &parent->identity,
	    kept == NULL ? NULL : &kept->listeners, &gen->listeners, error);
}

// Where it was written, and what would help, if anything.
static void
explain(
    const struct conf *conf, const char *remedy, char error[CHECK_ERROR_MAX])
{
	char located[CHECK_ERROR_MAX];
	conf_locate(conf, error, located, sizeof(located));
	snprintf(error, CHECK_ERROR_MAX, "%.*s%s", CHECK_ERROR_MAX - 48,
	    located, remedy);
}

// A start may do what a reload may not, unless it is about rules: each reload
// reads them, and so must `user`.
static const char *
remedy_of(const struct parent *parent, const struct generation *kept,
    bool rules_read, int error)
{
	if (error != -EACCES && error != -EPERM)
		return "";
	if (!rules_read)
		return ": danemapd's user must be able to";
	return kept != NULL && parent->was_root ? " (needs restart)" : "";
}

// What may need more rights than are left after a start.
static int
open_all(struct parent *parent, struct generation *gen,
    const struct generation *kept, char error[CHECK_ERROR_MAX])
{
	int r = check_user(parent, gen->conf, kept, error);
	if (r == 0)
		r = open_sockets(parent, gen, kept, error);
	if (r == 0 && kept != NULL && same_cache(gen, kept) &&
	    !cache_is_cut(kept))
		gen->cache = kept->cache;
	else if (r == 0)
		r = open_cache(parent, gen, error);
	if (r == 0)
		open_control(parent, gen, kept);
	else if (kept != NULL)
		listen_restore(&gen->listeners);
	return r;
}

// Everything that can fail, before a child is started. `kept` is the
// generation to take over from, or NULL at start.
static int
prepare(struct parent *parent, struct generation *gen,
    const struct generation *kept, char error[CHECK_ERROR_MAX])
{
	int r = read_rules(gen, error);
	bool rules_read = r == 0;
	if (rules_read)
		r = open_all(parent, gen, kept, error);
	if (r != 0)
		explain(
		    gen->conf, remedy_of(parent, kept, rules_read, r), error);
	return r;
}

// The two halves of the status pages are used in turn.
static void
launch(struct parent *parent, struct generation *gen)
{
	struct generation *other = parent->now;
	bool first_half =
	    other == NULL || other->children[0].page != parent->pages;
	generation_plan(
	    gen, parent->pages + (first_half ? 0 : GENERATION_CHILDREN_MAX));
	gen->world = (struct child_world){
		.conf = gen->conf,
		.cache = gen->cache,
		.source = gen->source,
		.rules = gen->rules,
		.listeners = &gen->listeners,
		.n_workers = gen->n_workers,
		.n_resolvers = gen->n_resolvers,
		.pages = parent->pages,
		.leave_parent = leave_parent,
		.arg = gen,
	};
}

static void
say_expiry(const char *text)
{
	static const struct dlog_fields fields = { .message_id =
						       DLOG_ID_EXPIRED };
	dlog_event(LOG_WARNING, &fields, "%s", text);
}

static void
report_rules(struct parent *parent, int32_t today)
{
	const struct generation *gen = parent->now;
	parent->expiry_day = today;
	if (gen->rules != NULL)
		expiry_report(
		    gen->rules, gen->conf->policy_file, today, say_expiry);
}

static void
say_rules(struct parent *parent)
{
	const struct generation *gen = parent->now;
	if (gen->rules != NULL)
		dlog(LOG_NOTICE, "%s: %zu rules in force",
		    gen->conf->policy_file, rules_count(gen->rules));
	report_rules(parent, rules_day(time(NULL)));
}

static void
reload_failed(struct parent *parent, const char *why)
{
	dlog(LOG_ERR, "reload: %s; the old configuration stays in force", why);
	generation_reloaded(parent->now, false);
	systemd_ready();
}

// One that has not said "go" yet must not: what it was offered may be ours no
// more after a reload, and a stop removes the files.
static void
take_back_offer(struct parent *parent, const char *why)
{
	if (parent->successor < 0 || parent->stopping)
		return;
	succession_refuse(parent->successor, true, why);
	close(parent->successor);
	parent->successor = -1;
}

static void
reload(struct parent *parent)
{
	char error[CHECK_ERROR_MAX] = "";
	struct conf *conf;
	parent->reload_wanted = false;
	take_back_offer(parent, WHY_BUSY);
	generation_heed(parent->now);
	systemd_reloading();
	if (conf_read(parent->settings->config_file,
		parent->settings->overrides, parent->settings->n_overrides,
		&conf, error) != 0) {
		reload_failed(parent, error);
		return;
	}
	struct generation *gen = draft(parent, conf);
	if (gen == NULL) {
		reload_failed(parent, "the new configuration has faults");
		return;
	}
	if (prepare(parent, gen, parent->now, error) != 0) {
		free_generation(parent, gen);
		reload_failed(parent, error);
		return;
	}
	parent->next = gen;
	launch(parent, gen);
	parent->next_deadline_ms = clock_boot_ms() + READY_MAX_MS;
	dlog(LOG_NOTICE, "reload: starting %u workers and %u resolvers",
	    parent->next->n_workers, parent->next->n_resolvers);
}

// The new generation serves: clients move over, the old one finishes. Whoever
// hears that the reload is done must not meet the old one any more.
static void
take_over(struct parent *parent, uint64_t now_ms)
{
	parent->old = parent->now;
	parent->now = parent->next;
	parent->next = NULL;
	generation_inherit(parent->now, parent->old, now_ms);
	dlog_open(parent->now->conf->log_target, parent->now->conf->log_level,
	    "parent");
}

static void
complete_reload(struct parent *parent)
{
	dlog(LOG_NOTICE, "reload: the new configuration is in force");
	say_rules(parent);
	generation_moved(parent->old);
	systemd_ready();
}

// It never took over; its processes end like those of one that was relieved.
static void
set_aside_next(struct parent *parent, uint64_t now_ms)
{
	listen_restore(&parent->next->listeners);
	parent->old = parent->next;
	parent->next = NULL;
	generation_finish(parent->old, now_ms);
}

static void
give_up_next(struct parent *parent, uint64_t now_ms)
{
	set_aside_next(parent, now_ms);
	reload_failed(parent, "the new processes did not come to serve");
}

static void
announce(struct parent *parent)
{
	parent->announced = true;
	dlog(LOG_NOTICE, "ready: %u workers, %u resolvers, %u sockets",
	    parent->now->n_workers, parent->now->n_resolvers,
	    parent->now->listeners.n);
	say_rules(parent);
	systemd_ready();
}

static void
advance(struct parent *parent, uint64_t now_ms)
{
	if (!parent->announced && generation_is_ready(parent->now))
		announce(parent);
	if (parent->next != NULL && generation_is_ready(parent->next))
		take_over(parent, now_ms);
	else if (parent->next != NULL && now_ms >= parent->next_deadline_ms)
		give_up_next(parent, now_ms);
	if (parent->old != NULL && parent->old->moving &&
	    generation_has_moved(parent->old, now_ms))
		complete_reload(parent);
	if (parent->old != NULL && !parent->now->owns &&
	    generation_has_left_cache(parent->old))
		generation_own(parent->now);
	if (parent->old != NULL && generation_is_gone(parent->old)) {
		struct generation *gone = parent->old;
		parent->old = NULL;
		free_generation(parent, gone);
	}
	if (parent->reload_wanted && !parent->stopping && parent->announced &&
	    parent->next == NULL && parent->old == NULL)
		reload(parent);
}

static void
finish(struct generation *gen, void *arg)
{
	if (!gen->finishing)
		generation_finish(gen, *(uint64_t *)arg);
}

static void
stop(struct parent *parent, uint64_t now_ms)
{
	if (parent->stopping)
		return;
	parent->stopping = true;
	dlog(LOG_NOTICE, "stopping");
	if (parent->next != NULL)
		set_aside_next(parent, now_ms);
	each_generation(parent, finish, &now_ms);
	systemd_stopping(parent->now->end_ms - now_ms + STOP_EXTRA_MS);
}

static void
leave_files(struct generation *gen, void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < gen->listeners.n; i++)
		gen->listeners.of[i].ino = 0;
}

static bool
offer(const struct parent *parent, int fd)
{
	if (parent->stopping)
		succession_refuse(fd, true, WHY_STOPPING);
	else if (parent->successor >= 0)
		succession_refuse(fd, false, "another one takes them over");
	else if (!parent->announced || parent->next != NULL ||
		 parent->old != NULL)
		succession_refuse(fd, true, WHY_BUSY);
	else
		return succession_offer(fd, &parent->now->listeners);
	return false;
}

static void
offer_sockets(struct parent *parent, int fd)
{
	if (offer(parent, fd))
		parent->successor = fd;
	else
		close(fd);
}

// The descriptor stays open: that it ends tells the successor that we are gone.
static void
hear_successor(struct parent *parent, uint64_t now_ms)
{
	if (succession_is_wanted(parent->successor)) {
		dlog(LOG_NOTICE, "another danemapd serves on our sockets");
		each_generation(parent, leave_files, NULL);
		stop(parent, now_ms);
	} else if (!parent->stopping) {
		close(parent->successor);
		parent->successor = -1;
	}
}

struct ending {
	pid_t pid;
	int status;
	uint64_t now_ms;
};

static void
note_end(struct generation *gen, void *arg)
{
	const struct ending *ending = arg;
	struct child *child = generation_find(gen, ending->pid);
	if (child == NULL)
		return;
	child_ended(child, ending->status, gen->finishing, ending->now_ms);
	generation_settle(gen);
}

static void
reap(struct parent *parent, uint64_t now_ms)
{
	struct ending ending = { .now_ms = now_ms };
	while ((ending.pid = waitpid(-1, &ending.status, WNOHANG)) > 0)
		each_generation(parent, note_end, &ending);
}

static void
take_signals(struct parent *parent, uint64_t now_ms)
{
	struct signalfd_siginfo info;
	while (read(parent->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			parent->reload_wanted = true;
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) {
			take_back_offer(parent, WHY_STOPPING);
			stop(parent, now_ms);
		}
	}
	reap(parent, now_ms);
}

// The descriptor is taken care of.
static void
heed(struct parent *parent, struct child *child, const struct order *order)
{
	if (order->kind == ORDER_REPLACE)
		offer_sockets(parent, order->fd);
	else if (order->fd >= 0)
		close(order->fd);
	if (order->kind == ORDER_READY)
		child->ready = true;
	if (order->kind == ORDER_LEFT)
		child->left = true;
	if (order->kind == ORDER_RELOAD)
		child->wish = order->index;
	if (order->kind == ORDER_RELOAD || order->kind == ORDER_REMAP)
		parent->reload_wanted = true;
}

static void
take_orders_of(struct parent *parent, struct child *child)
{
	struct order order;
	while (
	    child->channel >= 0 && order_receive(child->channel, &order) == 1) {
		if (child_may_say(child, order.kind))
			heed(parent, child, &order);
		else if (order.fd >= 0)
			close(order.fd);
	}
}

static void
tell_systemd(const struct parent *parent, bool fine)
{
	char text[STATUS_TEXT_MAX];
	status_describe(parent->pages, fine, text);
	systemd_status(text);
	if (fine)
		systemd_watchdog();
}

static void
tick(struct parent *parent, uint64_t now_ms)
{
	bool fine = generation_watch(parent->now);
	parent->tick_ms = now_ms + TICK_MS;
	if (parent->next != NULL)
		generation_watch(parent->next);
	if (parent->old != NULL)
		generation_enforce(parent->old, now_ms);
	generation_enforce(parent->now, now_ms);
	if (!parent->reload_wanted && parent->next == NULL &&
	    cache_is_cut(parent->now)) {
		dlog(LOG_ERR, "cache %s was cut by somebody: making a new one",
		    parent->now->conf->cache_file);
		parent->reload_wanted = true;
	}
	int32_t today = rules_day(time(NULL));
	if (parent->announced && today != parent->expiry_day)
		report_rules(parent, today);
	tell_systemd(parent, fine);
}

// Signals and a successor first, then children.
#define POLL_SIGNALS   0
#define POLL_SUCCESSOR 1
#define POLL_CHILDREN  2

struct polling {
	struct pollfd fds[POLL_CHILDREN + STATUS_CHILDREN_MAX];
	struct child *children[POLL_CHILDREN + STATUS_CHILDREN_MAX];
	nfds_t n;
};

static void
poll_generation(struct generation *gen, void *arg)
{
	struct polling *polling = arg;
	for (unsigned i = 0; i < gen->n_children; i++) {
		if (gen->children[i].pid == 0)
			continue;
		polling->fds[polling->n] =
		    (struct pollfd){ .fd = gen->children[i].channel,
			    .events = POLLIN };
		polling->children[polling->n++] = &gen->children[i];
	}
}

static void
start_due(struct generation *gen, void *arg)
{
	uint64_t *wake_ms = arg, next;
	next = generation_start_due(gen, clock_boot_ms());
	if (next != 0 && next < *wake_ms)
		*wake_ms = next;
}

// A child that hung up is about to be reaped: its channel is not polled to
// death meanwhile.
static void
take_orders(struct parent *parent, struct polling *polling)
{
	for (nfds_t i = POLL_CHILDREN; i < polling->n; i++) {
		if (polling->fds[i].revents & POLLIN)
			take_orders_of(parent, polling->children[i]);
		if (polling->fds[i].revents & (POLLHUP | POLLERR))
			poll(NULL, 0, 1);
	}
}

static void
wait_for_something(struct parent *parent)
{
	struct polling polling = { .n = POLL_CHILDREN };
	uint64_t wake_ms = parent->tick_ms, now_ms;
	each_generation(parent, start_due, &wake_ms);
	polling.fds[POLL_SIGNALS] =
	    (struct pollfd){ .fd = parent->signals, .events = POLLIN };
	polling.fds[POLL_SUCCESSOR] =
	    (struct pollfd){ .fd = parent->stopping ? -1 : parent->successor,
		    .events = POLLIN };
	each_generation(parent, poll_generation, &polling);
	now_ms = clock_boot_ms();
	poll(polling.fds, polling.n,
	    wake_ms > now_ms ? (int)(wake_ms - now_ms) : 0);
	now_ms = clock_boot_ms();
	// First: one that has gone away makes room for the next.
	if (polling.fds[POLL_SUCCESSOR].revents != 0)
		hear_successor(parent, now_ms);
	take_orders(parent, &polling);
	now_ms = clock_boot_ms();
	take_signals(parent, now_ms);
	if (now_ms >= parent->tick_ms)
		tick(parent, now_ms);
	advance(parent, now_ms);
}

static bool
all_gone(const struct parent *parent)
{
	return parent->stopping && parent->old == NULL &&
	       parent->next == NULL && generation_is_gone(parent->now);
}

static int
exit_status(int r)
{
	switch (-r) {
	case EINVAL:
	case ENOENT:
	case EEXIST:
		return EX_CONFIG;
	case EADDRINUSE:
	case EBUSY:
	case EAGAIN: // of a predecessor, as the next two
	case EINTR:
	case ETIMEDOUT:
		return EX_UNAVAILABLE;
	case EACCES:
	case EPERM:
		return EX_NOPERM;
	default:
		return EX_OSERR;
	}
}

// Sockets and cache while still root, then the identity, then children.
static int
set_up(struct parent *parent)
{
	char error[CHECK_ERROR_MAX] = "";
	const char *user = parent->now->conf->user;
	int r = identity_find(user, &parent->identity, error);
	if (r == 0)
		r = prepare(parent, parent->now, NULL, error);
	if (r == 0)
		r = identity_drop(user, &parent->identity, error);
	if (r != 0) {
		dlog(LOG_ERR, "%s", error);
		systemd_errno(-r);
		return exit_status(r);
	}
	return EX_OK;
}

// Whoever starts children that are confined better shows where that fails.
static void
confine(const struct parent *parent)
{
	static const struct sandbox_settings settings = {
		.kind = SANDBOX_PARENT, .log_fd = -1
	};
	struct sandbox_got got;
	if (!parent->now->conf->sandbox)
		return;
	sandbox_enter(&settings, &got);
	if (!got.seccomp)
		dlog(LOG_WARNING,
		    "sandbox: no filter of system calls can be had (%s): "
		    "processes keep calls that they do not need",
		    sandbox_version());
}

static int
serve(struct parent *parent)
{
	confine(parent);
	launch(parent, parent->now);
	parent->now->owns = true;
	parent->tick_ms = clock_boot_ms() + TICK_MS;
	while (!all_gone(parent))
		wait_for_something(parent);
	return EX_OK;
}

int
parent_run(const struct parent_settings *settings, struct conf *conf)
{
	struct parent parent = {
		.settings = settings,
		.was_root = geteuid() == 0,
		.signals = -1,
		.successor = -1,
	};
	dlog_open(conf->log_target, conf->log_level, "parent");
	parent.now = draft(&parent, conf);
	if (parent.now == NULL) {
		systemd_errno(EINVAL);
		return EX_CONFIG;
	}
	identity_raise_files(FILES_WANTED);
	services_read();
	parent.pages = status_new();
	int status = EX_OSERR;
	if (parent.pages == NULL || open_signals(&parent) != 0)
		dlog(LOG_ERR, "no memory or descriptors to start with");
	else
		status = set_up(&parent);
	if (status == EX_OK)
		status = serve(&parent);
	free_generation(&parent, parent.now);
	close(parent.signals);
	dlog(LOG_NOTICE, "stopped");
	return status;
}
