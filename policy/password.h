/* SPDX-License-Identifier: Apache-2.0 */
/* password.h - the `password:` section in its canonical form. */
#pragma once

#include "policy/model.h"

/* password_print() - the preset and what the policy sets itself; nothing without a
 * section. */
void password_print(const struct model_password *password, FILE *out);
