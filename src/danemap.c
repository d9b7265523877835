// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// danemap(1): the table of commands, and nothing else.
#include "config.h"

#include "tool/tool.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
	{ "query", query_command, "ask the running daemon as Postfix would" },
	{ "explain", explain_command, "resolve here and now, and show why" },
	{ "policy", policy_command, "list the rules, or find one for a key" },
	{ "reload", reload_command, "check the configuration, then apply it" },
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

// What getopt has to say begins with it, as all other errors do.
static char program[] = "danemap";

static void
print_usage(FILE *out)
{
	fputs("usage: danemap COMMAND [OPTION]... [ARGUMENT]...\n", out);
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(
		    out, "  %-10s %s\n", commands[i].name, commands[i].summary);
	fputs("See danemap(1).\n", out);
}

static int
run_command(int argc, char **argv)
{
	const char *name = argv[0];

	argv[0] = program;
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(name, commands[i].name) == 0)
			return commands[i].run(argc, argv);
	print_usage(stderr);
	return EX_USAGE;
}

int
main(int argc, char **argv)
{
	if (argc >= 2 &&
	    (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0)) {
		print_usage(stdout);
		return EX_OK;
	}
	if (argc >= 2 &&
	    (strcmp(argv[1], "-V") == 0 || strcmp(argv[1], "--version") == 0)) {
		puts("danemap " PACKAGE_VERSION);
		return EX_OK;
	}
	if (argc >= 2)
		return run_command(argc - 1, argv + 1);
	print_usage(stderr);
	return EX_USAGE;
}
