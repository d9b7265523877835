# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
#
# What configure asks of a machine, one macro a question.

# DM_REQUIRE(NAME, MODULE, DEBIAN-PACKAGE): a library we cannot do without.
AC_DEFUN([DM_REQUIRE], [
	PKG_CHECK_MODULES([$1], [$2], [],
		[AC_MSG_ERROR([$2 is missing. On Debian: apt-get install $3
$$1_PKG_ERRORS])])
])

AC_DEFUN([DM_C17], [
	dm_save_CFLAGS=$CFLAGS
	CFLAGS="$CFLAGS -std=gnu17"
	AC_MSG_CHECKING([whether $CC takes -std=gnu17])
	AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[]], [[]])],
		[AC_MSG_RESULT([yes]); DM_STD=-std=gnu17],
		[AC_MSG_RESULT([no])
		 AC_MSG_ERROR([a compiler for C17 is needed. On Debian: apt-get install gcc])])
	CFLAGS=$dm_save_CFLAGS
	AC_SUBST([DM_STD])
])

# Debian's libunbound.pc names the libraries of a static build, whose own .pc
# files libunbound-dev does not bring: what pkg-config then says is not asked.
AC_DEFUN([DM_UNBOUND], [
	PKG_CHECK_MODULES([UNBOUND], [libunbound >= 1.9], [], [
		AC_CHECK_HEADER([unbound.h], [],
			[AC_MSG_ERROR([unbound.h is missing. On Debian: apt-get install libunbound-dev])])
		AC_CHECK_LIB([unbound], [ub_ctx_create], [UNBOUND_LIBS=-lunbound],
			[AC_MSG_ERROR([libunbound is missing. On Debian: apt-get install libunbound-dev])])])
])

# libunbound may have been built without the event interface.
AC_DEFUN([DM_UNBOUND_EVENT], [
	dm_save_LIBS=$LIBS
	dm_save_CPPFLAGS=$CPPFLAGS
	LIBS="$UNBOUND_LIBS $EVENT_LIBS $LIBS"
	CPPFLAGS="$UNBOUND_CFLAGS $EVENT_CFLAGS $CPPFLAGS"
	AC_CHECK_HEADER([unbound-event.h], [],
		[AC_MSG_ERROR([unbound-event.h is missing. On Debian: apt-get install libunbound-dev])])
	AC_CHECK_FUNC([ub_ctx_create_event], [],
		[AC_MSG_ERROR([this libunbound lacks the event interface (built without --enable-event-api). On Debian: apt-get install libunbound-dev])])
	LIBS=$dm_save_LIBS
	CPPFLAGS=$dm_save_CPPFLAGS
])

AC_DEFUN([DM_SYSTEMD], [
	AC_ARG_WITH([systemd],
		[AS_HELP_STRING([--without-systemd],
			[build without libsystemd: no socket activation, readiness or journal])],
		[], [with_systemd=check])
	dm_have_systemd=no
	AS_IF([test "x$with_systemd" != xno], [
		PKG_CHECK_MODULES([SYSTEMD], [libsystemd >= 219],
			[dm_have_systemd=yes
			 AC_DEFINE([HAVE_SYSTEMD], [1], [Define where libsystemd is there])],
			[AS_IF([test "x$with_systemd" = xyes],
				[AC_MSG_ERROR([libsystemd is missing. On Debian: apt-get install libsystemd-dev, or configure --without-systemd])],
				[AC_MSG_WARN([libsystemd is missing (Debian: libsystemd-dev): building without])])])
	])
])

AC_DEFUN([DM_SECCOMP], [
	AC_ARG_WITH([seccomp],
		[AS_HELP_STRING([--without-seccomp],
			[build without libseccomp: processes keep the calls that they do not need])],
		[], [with_seccomp=yes])
	AS_IF([test "x$with_seccomp" != xno], [
		DM_REQUIRE([SECCOMP], [libseccomp >= 2.4], [libseccomp-dev, or configure --without-seccomp])
		AC_DEFINE([HAVE_SECCOMP], [1], [Define where libseccomp is there])])
	AC_CHECK_HEADERS([linux/landlock.h], [],
		[AC_MSG_ERROR([linux/landlock.h is missing (Linux 5.13). On Debian: apt-get install linux-libc-dev])])
])

# The ns_* family is in libresolv with glibc before 2.34. musl has a part of it,
# which writes names without escapes, so that a dot within a label would pass
# for the end of it: better no danemapd than one that reads names so.
AC_DEFUN([DM_RESOLV], [
	AC_CHECK_HEADERS([arpa/nameser.h], [],
		[AC_MSG_ERROR([arpa/nameser.h is missing. On Debian: apt-get install libc6-dev])])
	dm_save_LIBS=$LIBS
	AC_SEARCH_LIBS([ns_initparse], [resolv], [],
		[AC_SEARCH_LIBS([__ns_initparse], [resolv])])
	AC_MSG_CHECKING([for ns_name_pton and ns_name_ntop])
	AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <sys/types.h>
		#include <arpa/nameser.h>
		#include <resolv.h>]],
		[[unsigned char wire[NS_MAXCDNAME]; char text[NS_MAXDNAME];
		return ns_name_pton("a.", wire, sizeof(wire)) +
		    ns_name_ntop(wire, text, sizeof(text));]])],
		[AC_MSG_RESULT([yes])],
		[AC_MSG_RESULT([no])
		AC_MSG_ERROR([this C library cannot write names of the DNS as text (musl cannot): use one that can, as glibc])])
	AS_IF([test "x$LIBS" != "x$dm_save_LIBS"], [RESOLV_LIBS=-lresolv])
	LIBS=$dm_save_LIBS
	AC_SUBST([RESOLV_LIBS])
])

AC_DEFUN([DM_CMOCKA], [
	dm_have_cmocka=no
	PKG_CHECK_MODULES([CMOCKA], [cmocka >= 1.1],
		[dm_have_cmocka=yes],
		[AC_MSG_WARN([cmocka is missing (Debian: libcmocka-dev): "make check" will say so])])
	AM_CONDITIONAL([HAVE_CMOCKA], [test "$dm_have_cmocka" = yes])
])

# DM_FLAG(VARIABLE, FLAG): append FLAG where compiler and linker both take it.
AC_DEFUN([DM_FLAG], [
	dm_save_CFLAGS=$CFLAGS
	CFLAGS="$CFLAGS -Werror $2"
	AC_MSG_CHECKING([whether $CC takes $2])
	AC_LINK_IFELSE([AC_LANG_PROGRAM([[]], [[]])],
		[AC_MSG_RESULT([yes]); $1="$$1 $2"],
		[AC_MSG_RESULT([no])])
	CFLAGS=$dm_save_CFLAGS
])

AC_DEFUN([DM_HARDENING], [
	AC_ARG_ENABLE([hardening],
		[AS_HELP_STRING([--disable-hardening],
			[leave out PIE, RELRO, stack protector and _FORTIFY_SOURCE (for sanitizers)])],
		[], [enable_hardening=yes])
	DM_HARDEN_CFLAGS=
	DM_HARDEN_LDFLAGS=
	AS_IF([test "x$enable_hardening" = xyes], [
		DM_FLAG([DM_HARDEN_CFLAGS], [-fPIE])
		DM_FLAG([DM_HARDEN_CFLAGS], [-fstack-protector-strong])
		DM_FLAG([DM_HARDEN_CFLAGS], [-fstack-clash-protection])
		DM_FLAG([DM_HARDEN_CFLAGS], [-fcf-protection])
		DM_FLAG([DM_HARDEN_LDFLAGS], [-pie])
		DM_FLAG([DM_HARDEN_LDFLAGS], [-Wl,-z,relro])
		DM_FLAG([DM_HARDEN_LDFLAGS], [-Wl,-z,now])
		DM_FLAG([DM_HARDEN_LDFLAGS], [-Wl,-z,noexecstack])
		dm_save_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS -O2 -Werror -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"
		AC_MSG_CHECKING([whether $CC takes -D_FORTIFY_SOURCE=2])
		AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <string.h>]], [[]])],
			[AC_MSG_RESULT([yes])
			 AS_CASE([" $dm_save_CFLAGS "], [*" -O0 "*], [],
				[DM_HARDEN_CFLAGS="$DM_HARDEN_CFLAGS -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"])],
			[AC_MSG_RESULT([no])])
		CFLAGS=$dm_save_CFLAGS
	])
	AC_SUBST([DM_HARDEN_CFLAGS])
	AC_SUBST([DM_HARDEN_LDFLAGS])
])

AC_DEFUN([DM_WARNINGS], [
	AC_ARG_ENABLE([werror],
		[AS_HELP_STRING([--enable-werror], [turn warnings into errors])],
		[], [enable_werror=no])
	DM_WARN_CFLAGS=
	DM_FLAG([DM_WARN_CFLAGS], [-Wall])
	DM_FLAG([DM_WARN_CFLAGS], [-Wextra])
	DM_FLAG([DM_WARN_CFLAGS], [-Wshadow])
	DM_FLAG([DM_WARN_CFLAGS], [-Wconversion])
	DM_FLAG([DM_WARN_CFLAGS], [-Wno-sign-conversion])
	DM_FLAG([DM_WARN_CFLAGS], [-Wstrict-prototypes])
	DM_FLAG([DM_WARN_CFLAGS], [-Wmissing-prototypes])
	DM_FLAG([DM_WARN_CFLAGS], [-Wwrite-strings])
	DM_FLAG([DM_WARN_CFLAGS], [-Wvla])
	DM_FLAG([DM_WARN_CFLAGS], [-Wformat=2])
	AS_IF([test "x$enable_werror" = xyes], [DM_WARN_CFLAGS="$DM_WARN_CFLAGS -Werror"])
	AC_SUBST([DM_WARN_CFLAGS])
])

# DM_FUZZING: how to build what `make fuzzers` makes. Comes before
# DM_HARDENING, because _FORTIFY_SOURCE hides from sanitizers what they look
# for. AFL++ knows clang's -fsanitize=fuzzer for linking, and instruments by
# itself.
AC_DEFUN([DM_FUZZING], [
	AC_ARG_ENABLE([fuzzing],
		[AS_HELP_STRING([--enable-fuzzing],
			[build for `make fuzzers', with CC=clang (libFuzzer) or CC=afl-clang-fast (AFL++); --enable-fuzzing=coverage counts lines instead of looking for faults])],
		[], [enable_fuzzing=no])
	DM_FUZZ_CFLAGS=
	DM_FUZZ_LDFLAGS=
	AS_CASE([$enable_fuzzing], [yes|no|coverage], [],
		[AC_MSG_ERROR([--enable-fuzzing takes yes, no or coverage])])
	AS_IF([test "x$enable_fuzzing" != xno], [
		enable_hardening=no
		AC_MSG_CHECKING([whether $CC is that of AFL++])
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[
			#ifndef __AFL_COMPILER
			#error
			#endif]], [[]])],
			[dm_afl=yes], [dm_afl=no])
		AC_MSG_RESULT([$dm_afl])
		AS_CASE([$enable_fuzzing/$dm_afl],
			[coverage/*], [DM_FUZZ_CFLAGS="-fprofile-instr-generate -fcoverage-mapping"],
			[*/yes], [DM_FUZZ_CFLAGS="-fsanitize=address,undefined -fno-sanitize-recover=all"],
			[DM_FUZZ_CFLAGS="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all"])
		DM_FUZZ_LDFLAGS=-fsanitize=fuzzer
		dm_save_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS $DM_FUZZ_CFLAGS $DM_FUZZ_LDFLAGS"
		AC_MSG_CHECKING([whether $CC links fuzzers])
		AC_LINK_IFELSE([AC_LANG_SOURCE([[
			int LLVMFuzzerTestOneInput(const unsigned char *, unsigned long);
			int LLVMFuzzerTestOneInput(const unsigned char *data, unsigned long size)
			{ return data == 0 && size > 0; }]])],
			[AC_MSG_RESULT([yes])],
			[AC_MSG_RESULT([no])
			 AC_MSG_ERROR([--enable-fuzzing needs CC=clang or CC=afl-clang-fast with sanitizers (this is CC=$CC). On Debian: apt-get install clang libclang-rt-dev, or afl++])])
		CFLAGS=$dm_save_CFLAGS
	])
	AC_SUBST([DM_FUZZ_CFLAGS])
	AC_SUBST([DM_FUZZ_LDFLAGS])
	AM_CONDITIONAL([ENABLE_FUZZING], [test "x$enable_fuzzing" != xno])
])
