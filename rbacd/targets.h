/* SPDX-License-Identifier: Apache-2.0 */
/* targets.h - what the policy wants to know of a directory, as a block without people.
 */
#pragma once

#include "policy/policy.h"

/*
 * targets_build() - a sealed snapshot of source "targets": every group that the policy
 * names, and those of @also (NULL: none). @pins: the directory knows DNs and ids
 * (source ldap): groups that are bound to one are asked for, too, and the people whom
 * the policy pins are listed as accounts; otherwise those groups stay unknown. A group
 * whose pin no directory can have is left out. Return: 0 and *ret_fd; negative errno.
 */
_must_check_ int targets_build(const struct policy *policy, const struct policy *also,
			       bool pins, int *ret_fd);
