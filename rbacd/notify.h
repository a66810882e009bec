/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify.h - which records a person should hear of: a factor came, went or was reset,
 * a recovery or bypass code was used, wrong codes disabled the factor.
 */
#pragma once

#include "rbacd/audit/audit.h"
#include "rbacd/audit/view.h"

/* notify_event() - is this event one of them? */
bool notify_event(const struct audit_event *ev);
/* notify_record() - the same of its record. */
bool notify_record(const struct audit_view *view);
