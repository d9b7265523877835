# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors

noinst_LIBRARIES += src/x509/libx509.a
src_x509_libx509_a_SOURCES = \
	src/x509/x509.c src/x509/x509.h
src_x509_libx509_a_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
