// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The commands of danemap(1): one file each, entered through one function that
// reads its own options (argv[0] is the program's name: getopt's errors begin
// with it) and returns the exit status.
#pragma once

// Exit codes that all commands share, beside those of sysexits.h.
#define TOOL_YES         0
#define TOOL_NO          1 // not found, does not verify
#define TOOL_CANNOT_TELL 2 // could not find out

int query_command(int argc, char **argv);
int explain_command(int argc, char **argv);
int policy_command(int argc, char **argv);
int reload_command(int argc, char **argv);
