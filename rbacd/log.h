/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h - operational messages of rbacd and rbacd-dir to standard error or syslog.
 *
 * Not the audit log. Text from outside must go through log_quote() first. errno is
 * kept.
 */
#pragma once

#include "policy/base.h"

enum log_level {
	LOG_LEVEL_ERR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7
};

/*
 * log_open() - set where messages go; the only mutable state outside main.c.
 * @ident:  static program name.
 * @syslog: true: /dev/log, authpriv; false: standard error with <level> prefixes.
 */
void log_open(const char *ident, bool to_syslog, enum log_level level);

/* log_write() - one line, no newline needed. err: someone must act; warning: degraded,
 * continuing; notice: lifecycle; info: one line a request; debug: free. */
void log_write(enum log_level level, const char *fmt, ...) _printf_(2, 3);

#define log_err(...)	 log_write(LOG_LEVEL_ERR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...)	 log_write(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...)	 log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	 log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#define LOG_QUOTED_MAX 280
/*
 * log_quote() - hostile text as a printable, quoted, length-capped string in @buf:
 * controls, quotes and bytes over 0x7e become \xNN. Returns @buf.
 */
const char *log_quote(const char *text, char buf[LOG_QUOTED_MAX]);
