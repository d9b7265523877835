#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
#
# Copies this checkout to a folder that it makes: files that git knows or would
# take; all of them where there is no git.
#
#	copy-source.sh FOLDER

set -eu

mkdir "$1"
copy=$(cd "$1" && pwd)
cd "$(dirname "$0")/.."
files=$(mktemp)
trap 'rm -f "$files"' EXIT
if git -c safe.directory='*' ls-files -z -co --exclude-standard \
	>"$files" 2>/dev/null; then
	tar -cf - --ignore-failed-read --null -T "$files"
else
	tar -cf - --exclude=.git .
fi | tar -xf - -C "$copy"
