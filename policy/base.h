/* SPDX-License-Identifier: Apache-2.0 */
/* base.h - the few helpers every part shares; header-only, no state. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(a)	  (sizeof(a) / sizeof((a)[0]))
#define _cleanup_(f)	  __attribute__((cleanup(f)))
#define _must_check_	  __attribute__((warn_unused_result))
#define _printf_(fmt, va) __attribute__((format(printf, fmt, va)))

/* Hands ownership over: yields the pointer and leaves NULL behind. */
#define STEAL(ptr)                                                                     \
	({                                                                             \
		__typeof__(ptr) *steal_p_ = &(ptr);                                    \
		__typeof__(ptr) steal_v_ = *steal_p_;                                  \
		*steal_p_ = NULL;                                                      \
		steal_v_;                                                              \
	})

static inline void base_freep(void *p)
{
	free(*(void **)p);
}

static inline void base_closep(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd); /* nothing was promised through this descriptor */
}

static inline void base_fclosep(FILE **f)
{
	if (*f)
		(void)fclose(*f); /* readers only; writers check their own fclose */
}

#define _cleanup_free_	 _cleanup_(base_freep)
#define _cleanup_close_	 _cleanup_(base_closep)
#define _cleanup_fclose_ _cleanup_(base_fclosep)

/* The longest secret that crosses this code: PAM_MAX_RESP_SIZE. */
#define SECRET_MAX 512

/* A short secret by value: never heap-allocated, wiped by secret_done(). */
struct secret {
	size_t len;
	uint8_t bytes[SECRET_MAX];
};

#define SECRET_INIT                                                                    \
	{                                                                              \
		0                                                                      \
	}

static inline void secret_done(struct secret *s)
{
	explicit_bzero(s, sizeof(*s));
}

#define _cleanup_secret_ _cleanup_(secret_done)

/*
 * str_eq() - the only string equality: same length, same bytes. NULL equals nothing.
 */
static inline bool str_eq(const char *a, const char *b)
{
	size_t len;

	if (!a || !b)
		return false;
	len = strlen(a);
	return len == strlen(b) && memcmp(a, b, len) == 0;
}

/* str_after() - what follows @prefix in @s, or NULL when @s does not start with it. */
static inline const char *str_after(const char *s, const char *prefix)
{
	size_t len = strlen(prefix);

	return strlen(s) >= len && memcmp(s, prefix, len) == 0 ? s + len : NULL;
}
