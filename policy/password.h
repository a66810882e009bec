/* SPDX-License-Identifier: Apache-2.0 */
/* password.h - the `password:` section in its canonical form. */
#pragma once

#include "policy/model.h"

/* password_print() - the preset and what the policy sets itself; nothing without a
 * section. */
void password_print(const struct model_password *password, FILE *out);

/* password_terms() - every number in force, as a key, @after_key, its value and a NUL.
 */
void password_terms(const struct model_password *password, FILE *out, char after_key);
