// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// danemapd(8): reads its command line and configuration, then hands over to
// the parent. The only place that exits.
#include "config.h"

#include "base/conf.h"
#include "base/sandbox.h"
#include "base/systemd.h"
#include "dns/dns.h"
#include "parent/parent.h"
#include "x509/x509.h"

#include <event2/event.h>

#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define OVERRIDES_MAX 256

static const char usage_text[] =
    "usage: danemapd [-c FILE] [-o NAME=VALUE]... [-r] [-t] [-n] [-V]\n"
    "                [-h]\n"
    "  -c, --config FILE     read this file (default " CONF_DEFAULT_FILE ")\n"
    "  -o, --set NAME=VALUE  override a parameter of the file; repeatable\n"
    "  -r, --replace         take the sockets of a danemapd that runs, and "
    "its\n"
    "                        place\n"
    "  -t, --test            check configuration and trust anchor, and exit\n"
    "  -n, --print           print the parameters that differ from their\n"
    "                        defaults; twice: all of them\n"
    "  -V, --version         print versions\n"
    "  -h, --help            print this\n"
    "See danemapd(8) and danemapd.conf(5).\n";

struct command {
	const char *config_file;
	const char *overrides[OVERRIDES_MAX];
	size_t n_overrides;
	bool test, replace;
	int print;
};

static void
print_version(void)
{
	printf("danemapd %s\n%s\n%s\nlibevent %s\n%s\n%s\n", PACKAGE_VERSION,
	    dns_version(), x509_version(), event_get_version(),
	    systemd_version(), sandbox_version());
}

static void
add_override(struct command *command, const char *text)
{
	if (command->n_overrides == OVERRIDES_MAX) {
		fprintf(
		    stderr, "danemapd: more than %d times -o\n", OVERRIDES_MAX);
		exit(EX_USAGE);
	}
	command->overrides[command->n_overrides++] = text;
}

static void
read_options(struct command *command, int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "set", required_argument, NULL, 'o' },
		{ "replace", no_argument, NULL, 'r' },
		{ "test", no_argument, NULL, 't' },
		{ "print", no_argument, NULL, 'n' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;
	while (
	    (c = getopt_long(argc, argv, "c:o:rtnVh", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			command->config_file = optarg;
			break;
		case 'o':
			add_override(command, optarg);
			break;
		case 'r':
			command->replace = true;
			break;
		case 't':
			command->test = true;
			break;
		case 'n':
			command->print++;
			break;
		case 'V':
			print_version();
			exit(EX_OK);
		case 'h':
			fputs(usage_text, stdout);
			exit(EX_OK);
		default:
			fputs(usage_text, stderr);
			exit(EX_USAGE);
		}
	}
	if (optind < argc) {
		fprintf(stderr, "danemapd: \"%s\": takes no arguments\n%s",
		    argv[optind], usage_text);
		exit(EX_USAGE);
	}
}

// A descriptor below 3 that is closed would be given to a socket, and what is
// meant for stderr would go to a client.
static void
open_standard_fds(void)
{
	int fd;
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

// Whoever starts us may not care how its own children end, and that is
// inherited: nobody would tell how ours do.
static void
want_ends_of_children(void)
{
	signal(SIGCHLD, SIG_DFL);
}

int
main(int argc, char **argv)
{
	static struct command command;
	char error[CONF_ERROR_MAX];
	struct conf *conf;
	open_standard_fds();
	want_ends_of_children();
	read_options(&command, argc, argv);
	if (conf_read(command.config_file, command.overrides,
		command.n_overrides, &conf, error) != 0) {
		fprintf(stderr, "danemapd: %s\n", error);
		return EX_CONFIG;
	}
	if (command.print > 0)
		conf_print(conf, command.print > 1, stdout);
	if (command.test) {
		int status = parent_check(conf);
		conf_free(conf);
		return status;
	}
	if (command.print > 0) {
		conf_free(conf);
		return EX_OK;
	}
	struct parent_settings settings = {
		.config_file = command.config_file,
		.overrides = command.overrides,
		.n_overrides = command.n_overrides,
		.replace = command.replace,
	};
	return parent_run(&settings, conf);
}
