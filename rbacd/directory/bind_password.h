/* SPDX-License-Identifier: Apache-2.0 */
/* bind_password.h - the password of the directory's bind, from its file. */
#pragma once

#include "policy/base.h"
#include "policy/diag.h"

/*
 * bind_password_read() - the first line of @path, 1 to SECRET_MAX bytes without NUL.
 * The file must be regular, no link, owned by root or by @uid, and nobody else's to
 * read or write. Return: 0; -EINVAL or negative errno with a diagnostic that does not
 * tell the content.
 */
_must_check_ int bind_password_read(const char *path, uint32_t uid, struct secret *ret,
				    struct diags *diag);
