/* SPDX-License-Identifier: Apache-2.0 */
/* compile.h - builds the index that decisions walk. */
#pragma once

#include "policy/model.h"

/*
 * compile_index() - fill vm_class and the rules' lists of a checked policy.
 * Return: 0; POLICY_E_INVALID with a diagnostic when it is too large; -ENOMEM.
 */
_must_check_ int compile_index(struct policy *p, struct diags *diag);
