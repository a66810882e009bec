/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hook_process.h - the process that runs the alert hook. rbacd gives up starting
 * programs; this child is made before that, knows one program and no secret, and hears
 * one record at a time.
 */
#pragma once

#include "policy/base.h"
#include "policy/diag.h"

struct hook_process;

/*
 * hook_process_start() - before the key is read. A child of root becomes @uid:@gid.
 * @path: the program, copied; what runs cannot be changed later.
 */
_must_check_ int hook_process_start(const char *path, uint32_t uid, uint32_t gid,
				    struct hook_process **ret);
/* hook_process_free() - ends the child and what it runs; does not wait. */
void hook_process_free(struct hook_process *process);

/*
 * hook_process_run() - have the program run with @json (borrowed) as its input.
 * Return: 0; -EAGAIN: HOOK_RUNNING_MAX are running; other negative errno.
 */
_must_check_ int hook_process_run(struct hook_process *process, const char *json,
				  size_t len);

/* hook_process_failed() - how many ended badly, were killed or could not be started. */
uint64_t hook_process_failed(struct hook_process *process);
