/* SPDX-License-Identifier: Apache-2.0 */
/* set_back.h - what a database that was set back costs: everything that could have been
 * used since. */
#pragma once

struct server;

/*
 * set_back_check() - compare the database with its anchor, at the start. Set back: each
 * factor's last step becomes the last time that is known, counters and codes are void,
 * proofs and sessions forgotten; budgets stay as they are. Recorded, an alert.
 * Return: 0; otherwise rbacd must not start.
 */
int set_back_check(struct server *server) __attribute__((warn_unused_result));
