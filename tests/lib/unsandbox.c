/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unsandbox.c - test only: an LD_PRELOAD library that lets sshd's network child run
 * under valgrind, whose own system calls its seccomp filter and its zero limits would
 * forbid.
 */
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT int prctl(int option, ...)
{
	unsigned long arg[4];
	va_list ap;

	va_start(ap, option);
	for (int i = 0; i < 4; i++)
		arg[i] = va_arg(ap, unsigned long);
	va_end(ap);
	if (option == PR_SET_SECCOMP)
		return 0;
	return (int)syscall(SYS_prctl, option, arg[0], arg[1], arg[2], arg[3]);
}

EXPORT int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
	if (limit->rlim_max == 0 || limit->rlim_max == 1)
		return 0; /* the sandbox's */
	return (int)syscall(SYS_prlimit64, 0, resource, limit, NULL);
}
