// SPDX-License-Identifier: MIT
// Copyright (c) the danemap authors

// The SIGBUS handler and its list of mappings. Knows nothing of what they hold.
#include "config.h"

#include "cache/guard.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>

// The base is written last and cleared first: the handler sees whole rows.
struct row {
	_Atomic uintptr_t base; // 0: free
	_Atomic size_t len;
	_Atomic bool dead;
};

static struct row rows[GUARD_MAPPINGS_MAX];

static bool
cover(struct row *row, uintptr_t address)
{
	uintptr_t base = atomic_load(&row->base);
	size_t len = atomic_load(&row->len);

	if (base == 0 || address - base >= len)
		return false;
	// Writable even for a reader: a writer may be in the middle of a page,
	// and whose mapping it was makes no difference now.
	if (mmap((void *)base, len, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1,
		0) == MAP_FAILED)
		return false;
	atomic_store(&row->dead, true);
	return true;
}

static void
on_sigbus(int number, siginfo_t *info, void *context)
{
	int saved = errno;

	(void)context;
	for (size_t i = 0; info->si_code > 0 && i < GUARD_MAPPINGS_MAX; i++)
		if (cover(&rows[i], (uintptr_t)info->si_addr)) {
			errno = saved;
			return;
		}
	// Taken when the handler returns, or else by the fault that repeats.
	signal(number, SIG_DFL);
	raise(number);
}

static int
install(void)
{
	struct sigaction action = { .sa_sigaction = on_sigbus,
		.sa_flags = SA_SIGINFO | SA_RESTART };

	sigemptyset(&action.sa_mask);
	return sigaction(SIGBUS, &action, NULL) == 0 ? 0 : -errno;
}

int
guard_add(void *base, size_t len)
{
	int r = install();

	if (r != 0)
		return r;
	for (int i = 0; i < GUARD_MAPPINGS_MAX; i++) {
		if (atomic_load(&rows[i].base) != 0)
			continue;
		atomic_store(&rows[i].dead, false);
		atomic_store(&rows[i].len, len);
		atomic_store(&rows[i].base, (uintptr_t)base);
		return i;
	}
	return -EMFILE;
}

void
guard_remove(int number)
{
	atomic_store(&rows[number].base, 0);
}

bool
guard_is_dead(int number)
{
	return atomic_load_explicit(&rows[number].dead, memory_order_relaxed);
}
