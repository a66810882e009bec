/* SPDX-License-Identifier: Apache-2.0 */
/* otpauth.h - a factor as the otpauth:// address that phones read. */
#pragma once

#include "rbacd/store/store.h"

#define OTPAUTH_MAX 512

/*
 * otpauth_uri() - type, label, secret, issuer, and what differs from SHA-1, 6 digits
 * and 30 s. @ret is a secret. Return: 0; -EMSGSIZE.
 */
_must_check_ int otpauth_uri(const struct store_factor *f, const char *login,
			     const char *issuer, const struct secret *seed,
			     char ret[OTPAUTH_MAX]);
