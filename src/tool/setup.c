// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The options that all commands share. Knows no parameter.
#include "config.h"

#include "tool/setup.h"

#include "base/rulefile.h"
#include "base/services.h"
#include "policy/rules_day.h"

#include <stdio.h>
#include <sysexits.h>
#include <time.h>

bool
setup_take(struct setup *setup, int option, const char *value)
{
	if (option == 'c') {
		setup->config_file = value;
		return true;
	}
	if (option != 'o' || setup->n_overrides == SETUP_OVERRIDES_MAX)
		return false;
	setup->overrides[setup->n_overrides++] = value;
	return true;
}

int
setup_read(const struct setup *setup, struct conf **ret)
{
	char error[CONF_ERROR_MAX];

	if (conf_read(setup->config_file, setup->overrides, setup->n_overrides,
		ret, error) == 0)
		return EX_OK;
	fprintf(stderr, "danemap: %s\n", error);
	return EX_CONFIG;
}

int
setup_fail(const struct conf *conf, const char *error)
{
	char located[CONF_ERROR_MAX];

	conf_locate(conf, error, located, sizeof(located));
	fprintf(stderr, "danemap: %s\n", located);
	return EX_CONFIG;
}

int
setup_rules(const struct conf *conf, struct rules **ret)
{
	char error[RULES_ERROR_MAX];

	*ret = NULL;
	services_read();
	if (conf->policy_file[0] == '\0' ||
	    rulefile_read(conf->policy_file, ret, error) == 0)
		return EX_OK;
	return setup_fail(conf, error);
}

int32_t
setup_today(void)
{
	return rules_day(time(NULL));
}
