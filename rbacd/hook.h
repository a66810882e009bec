/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook.h - the program that an alert starts: JSON on its standard input, no shell, no
 * terminal, no environment, a deadline of its own. The loop never waits for it.
 */
#pragma once

#include "policy/base.h"

#define HOOK_RUNNING_MAX 4
#define HOOK_MS		 10000
#define HOOK_INPUT_MAX	 4096

struct hook;

_must_check_ int hook_new(struct hook **ret);
void hook_free(struct hook *hook); /* ends what still runs */

/*
 * hook_run() - start @path with @json (borrowed, HOOK_INPUT_MAX bytes at most) as its
 * input. The file must be regular, root's, and not writable by others. Return:
 * 0; -EAGAIN: HOOK_RUNNING_MAX are running; other negative errno.
 */
_must_check_ int hook_run(struct hook *hook, const char *path, const char *json,
			  size_t len, int64_t now_ms);
/* hook_tick() - once a second: collect those that ended, with all they left behind,
 * and kill those that should have. */
void hook_tick(struct hook *hook, int64_t now_ms);
/* hook_running() - how many run, or wait to be collected. */
size_t hook_running(const struct hook *hook);
/* hook_failed() - how many ended badly, were killed or could not be started. */
uint64_t hook_failed(const struct hook *hook);
