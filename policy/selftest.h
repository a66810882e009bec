/* SPDX-License-Identifier: Apache-2.0 */
/* selftest.h - the tests that a policy carries; all must pass or it is not loaded. */
#pragma once

#include "policy/model.h"

/*
 * selftest_run() - run every test, say which ones fail, with what was expected and got.
 * Return: 0; POLICY_E_INVALID with diagnostics.
 */
_must_check_ int selftest_run(const struct policy *p, struct diags *diag);
