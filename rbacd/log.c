/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - operational messages; beside main.c the only file with mutable state. */

#include "rbacd/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>

static struct {
	bool to_syslog;
	bool to_journal; /* standard error is the journal's socket, which takes <level>
			  */
	enum log_level level;
} log_state = {.to_syslog = false, .to_journal = true, .level = LOG_LEVEL_INFO};

void log_open(const char *ident, bool to_syslog, enum log_level level)
{
	struct stat st;

	log_state.to_syslog = to_syslog;
	log_state.to_journal = fstat(STDERR_FILENO, &st) == 0 && S_ISSOCK(st.st_mode);
	log_state.level = level;
	if (to_syslog)
		openlog(ident, LOG_PID | LOG_NDELAY, LOG_AUTHPRIV);
}

/* For a terminal or a file: when, and how bad. */
static void write_plain(enum log_level level, const char *line)
{
	static const char *const names[] = {[LOG_LEVEL_ERR] = "error",
					    [LOG_LEVEL_WARNING] = "warning",
					    [LOG_LEVEL_NOTICE] = "notice",
					    [LOG_LEVEL_INFO] = "info",
					    [LOG_LEVEL_DEBUG] = "debug"};
	char when[32] = "";
	time_t now = time(NULL);
	struct tm tm;

	if (gmtime_r(&now, &tm))
		(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ ",
			       &tm);				       /* fits */
	(void)fprintf(stderr, "%s%s: %s\n", when, names[level], line); /* as below */
}

void log_write(enum log_level level, const char *fmt, ...)
{
	int saved = errno;
	char line[1024];
	va_list ap;

	if (level > log_state.level)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap); /* a cut line is still a line */
	va_end(ap);
	if (log_state.to_syslog)
		syslog((int)level, "%s", line);
	else if (!log_state.to_journal)
		write_plain(level, line);
	else
		(void)fprintf(stderr, "<%d>%s\n", (int)level,
			      line); /* nowhere to report */
	errno = saved;
}

const char *log_quote(const char *text, char buf[LOG_QUOTED_MAX])
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	buf[n++] = '\'';
	for (const char *p = text ? text : ""; *p && n < LOG_QUOTED_MAX - 6; p++) {
		unsigned char c = (unsigned char)*p;

		if (c >= 0x20 && c < 0x7f && c != '\'' && c != '\\') {
			buf[n++] = *p;
			continue;
		}
		buf[n++] = '\\';
		buf[n++] = 'x';
		buf[n++] = hex[c >> 4];
		buf[n++] = hex[c & 15];
	}
	buf[n++] = '\'';
	buf[n] = '\0';
	return buf;
}
