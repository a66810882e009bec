/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enrol.h - pipeline stage "mfa", for people without a factor: making the first one
 * inside the login conversation, where the policy offers it.
 *
 * The key lives here, bound to one connection, in memory alone. A right code stores it
 * in the transaction that also holds its record; before that nothing exists, so an end
 * at any point leaves nothing behind.
 */
#pragma once

#include "rbacd/wire/wire.h"

struct request;

/*
 * enrol_begin() - show a new key to the person of @r, if the policy offers that now.
 * Only in auth, behind a proven first factor, at ssh and console, for a known person
 * without any factor whom a code would let in, and who is neither disabled, expired nor
 * dormant. What cannot be found out is a no. @r->dormant tells when only that was why.
 * Return: true: the question is queued; false: go on as always.
 */
bool enrol_begin(struct request *r);

/*
 * enrol_answer() - what the person said to it.
 * Return: true: there is another question; false: the outcome is queued.
 */
bool enrol_answer(struct request *r, const struct wire_answer *a);

/*
 * enrol_skippable() - the person of @r may still put it off. Asked in account about
 * what was put off in auth; the handle between the two stands for the first factor.
 */
bool enrol_skippable(struct request *r);
