/* SPDX-License-Identifier: Apache-2.0 */
/* text.h - text from outside, made fit for a log line or a terminal. */
#pragma once

#include <stddef.h>

/* What the module itself asks; every other question is rbacd's. */
#define TEXT_COMBINED "Password and one-time code: "

/* Room for one escaped field of a log line, with its end. */
#define TEXT_LOG_MAX 128

/* text_escape() - printable ASCII; all else, quotes and backslashes as \xNN; cut to
 * fit. */
void text_escape(char dst[TEXT_LOG_MAX], const char *src);

/*
 * text_clean() - drop what moves a cursor or reorders text: C0 but newline, DEL, C1,
 * invisible and bidirectional controls; bytes that are no UTF-8 become '?'.
 * @dst: len + 1 bytes; may not overlap @src.
 */
void text_clean(char *dst, const char *src, size_t len);
