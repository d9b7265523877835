# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
