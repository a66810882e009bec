/* SPDX-License-Identifier: Apache-2.0 */
/* text.h - text from outside made safe for a terminal, JSON and CSV; times as text. */
#pragma once

#include <stdio.h>

#include "policy/base.h"

/*
 * text_next() - one code point of UTF-8 at @p (@len bytes are left).
 * Return: its length in bytes and *ret_cp; for malformed input 1 and UINT32_MAX.
 */
size_t text_next(const char *p, size_t len, uint32_t *ret_cp);

/* text_unsafe() - controls, bidi, zero-width and line separators: never shown raw. */
bool text_unsafe(uint32_t cp);

/*
 * text_print() - for people: unsafe code points become \xNN or \u{NNNN}.
 * Return: the columns it takes (a code point is one column). @out NULL only measures.
 */
size_t text_print(const char *p, size_t len, FILE *out);
/* text_line() - @before as it is, @text as text_print() does, and the end of the line.
 */
void text_line(const char *before, const char *text, FILE *out);
/* text_json() - a JSON string with its quotes; malformed bytes become U+FFFD. */
void text_json(const char *p, size_t len, FILE *out);
/* text_json_whole() - JSON that somebody else wrote: the same bytes where they are
 * safe. */
void text_json_whole(const char *p, size_t len, FILE *out);
/*
 * text_csv() - an RFC 4180 field of one line, unsafe code points as text_print() shows
 * them; one that a spreadsheet would run gets a leading '.
 */
void text_csv(const char *p, size_t len, FILE *out);

#define TEXT_TIME_MAX 32
/* text_time() - seconds UTC as RFC 3339 in @buf; years beyond 9999 as a number. */
const char *text_time(int64_t s, char buf[TEXT_TIME_MAX]);

/*
 * text_parse_duration() - "90", "15m", "2h", "1d" to seconds.
 * text_parse_time() - "2026-11-21", "2026-11-21T10:00", the same with :SS and Z (UTC),
 * or a duration back from @now_s, to seconds UTC. Return: 0; -EINVAL, also for a
 * day that the month does not have.
 */
_must_check_ int text_parse_duration(const char *text, int64_t *ret);
_must_check_ int text_parse_time(const char *text, int64_t now_s, int64_t *ret);
