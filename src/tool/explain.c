// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// danemap explain: resolves here and now with the daemon's configuration and
// the daemon's own code, and shows everything that led to the answer. Needs no
// daemon.
#include "config.h"

#include "base/rulefile.h"
#include "tool/render.h"
#include "tool/setup.h"
#include "tool/tool.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct explain {
	struct setup setup;
	bool json, colour;
	struct scene *scene;
	int status;
};

static int
print_usage(void)
{
	fputs("usage: danemap explain [--json] [-c FILE] [-o NAME=VALUE] "
	      "KEY...\n",
	    stderr);
	return EX_USAGE;
}

static int
read_options(struct explain *explain, int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "set", required_argument, NULL, 'o' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(
		    argc, argv, SETUP_OPTIONS "j", options, NULL)) != -1) {
		if (c == 'j')
			explain->json = true;
		else if (!setup_take(&explain->setup, c, optarg))
			return print_usage();
	}
	return optind < argc ? EX_OK : print_usage();
}

// The worst status of all keys is that of the command.
static void
note(struct explain *explain, const struct story *story)
{
	int status = TOOL_YES;

	if (story->not_found)
		status = TOOL_NO;
	else if (story->deferred)
		status = TOOL_CANNOT_TELL;
	if (status > explain->status)
		explain->status = status;
}

static int
explain_key(struct explain *explain, const char *key)
{
	struct story *story;
	int r = story_find(explain->scene, key, &story);

	if (r == 0) {
		note(explain, story);
		if (explain->json)
			r = render_object(story, stdout);
		else
			render_tree(story, explain->colour, stdout);
		fflush(stdout);
		story_free(story);
	}
	if (r == 0)
		return EX_OK;
	fprintf(stderr, "danemap: %s: %s\n", key, strerror(-r));
	return EX_OSERR;
}

static int
explain_keys(struct explain *explain, char **keys, const struct conf *conf)
{
	struct story_world world = { .conf = conf, .today = setup_today() };
	char error[DNS_ERROR_MAX];
	struct rules *rules;
	int status = setup_rules(conf, &rules);

	if (status != EX_OK)
		return status;
	world.rules = rules;

	if (scene_open(&world, &explain->scene, error) != 0)
		status = setup_fail(conf, error);
	for (; status == EX_OK && *keys != NULL; keys++) {
		status = explain_key(explain, *keys);
		if (!explain->json && keys[1] != NULL)
			putchar('\n');
	}
	scene_close(explain->scene);
	rulefile_free(rules);
	return status != EX_OK ? status : explain->status;
}

int
explain_command(int argc, char **argv)
{
	struct explain explain = { .colour = render_wants_colour(stdout) };
	struct conf *conf;
	int status = read_options(&explain, argc, argv);

	if (status == EX_OK)
		status = setup_read(&explain.setup, &conf);
	if (status != EX_OK)
		return status;
	status = explain_keys(&explain, argv + optind, conf);
	conf_free(conf);
	return status;
}
