/* SPDX-License-Identifier: Apache-2.0 */
/* ocsf.h - records as events of the Open Cybersecurity Schema Framework. */
#pragma once

#include <stdio.h>

#include "rbacd/audit/view.h"

#define OCSF_VERSION "1.8.0"

/*
 * audit_ocsf() - one record as one JSON object on a line of its own. The classes come
 * from one table; what no class has a place for is under "unmapped".
 * The caller asks ferror() when it is done.
 */
void audit_ocsf(const struct audit_view *view, FILE *out);
