/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sink_syslog.c - one line a record to journald or syslog, after the commit.
 *
 * Datagrams, never waiting: a reader that is slow or gone costs a counter, not a login.
 */
#include "rbacd/audit/audit_internal.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>

#define RETRY_US (1 * INT64_C(1000000)) /* between two attempts to connect */

struct sink {
	const char *journal; /* borrowed; NULL: none */
	const char *dev_log; /* borrowed; NULL: none */
	int fd;
	bool is_journal;
	int64_t retry_us; /* no attempt to connect before */
	uint64_t dropped;
};

int sink_new(const char *journal, const char *dev_log, struct sink **ret)
{
	struct sink *sink = calloc(1, sizeof(*sink));

	if (!sink)
		return -ENOMEM;
	*sink = (struct sink){.journal = journal, .dev_log = dev_log, .fd = -1};
	*ret = sink;
	return 0;
}

void sink_free(struct sink *sink)
{
	if (!sink)
		return;
	if (sink->fd >= 0)
		(void)close(sink->fd); /* datagrams: nothing is pending */
	free(sink);
}

static int connect_path(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = -1;
	size_t len = path ? strlen(path) : sizeof(sa.sun_path);
	int ret;

	if (len >= sizeof(sa.sun_path))
		return -1;
	memcpy(sa.sun_path, path, len + 1);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0)
		return -1;
	ret = fd;
	fd = -1;
	return ret;
}

static bool sink_connect(struct sink *sink, int64_t now_us)
{
	if (sink->fd >= 0)
		return true;
	if (now_us < sink->retry_us && sink->retry_us - now_us <= RETRY_US)
		return false;
	sink->retry_us = now_us + RETRY_US;
	sink->fd = connect_path(sink->journal);
	sink->is_journal = sink->fd >= 0;
	if (sink->fd < 0)
		sink->fd = connect_path(sink->dev_log);
	return sink->fd >= 0;
}

static int level_of(enum audit_sev sev)
{
	switch (sev) {
	case AUDIT_INFO:
		return LOG_INFO;
	case AUDIT_NOTICE:
		return LOG_NOTICE;
	case AUDIT_WARNING:
		return LOG_WARNING;
	case AUDIT_ALERT:
		return LOG_ALERT;
	}
	return LOG_ALERT;
}

static void add_field(char *buf, size_t cap, const char *name, const char *value)
{
	size_t len = strlen(buf);
	char esc[96];

	if (!value || value[0] == '\0')
		return;
	(void)audit_escape(value, strnlen(value, sizeof(esc)), esc, sizeof(esc));
	(void)snprintf(buf + len, cap - len, " %s=\"%s\"", name, esc); /* cut: a copy */
}

void sink_describe(const struct audit_event *ev, const struct store_head *head,
		   struct sink_message *msg)
{
	static const char *const outcome[] = {"failure", "success", "unknown"};
	char prefix[17];
	size_t cap = sizeof(msg->text);

	audit_hex(head->hash, 8, prefix);
	/* Ours first: text from outside may be cut, these never. */
	(void)snprintf(msg->text, cap, "seq=%llu head=%s id=%s outcome=%s",
		       (unsigned long long)head->seq, prefix, msg->id,
		       (unsigned)ev->outcome < ARRAY_SIZE(outcome)
			       ? outcome[ev->outcome]
			       : "failure");
	add_field(msg->text, cap, "ev", ev->ev);
	if (ev->reason && ev->reason[0] != '\0')
		add_field(msg->text, cap, "reason", audit_reason(ev->reason));
	add_field(msg->text, cap, "user", ev->user);
	add_field(msg->text, cap, "vm", ev->vm);
	add_field(msg->text, cap, "priv", ev->priv);
	add_field(msg->text, cap, "src", ev->src);
}

/* journald: NAME=value lines; the text holds no newline, controls are escaped. */
static int format_journal(const struct sink_message *msg, char *buf, size_t cap)
{
	return snprintf(buf, cap,
			"MESSAGE=%s\nPRIORITY=%d\nSYSLOG_FACILITY=%d\n"
			"SYSLOG_IDENTIFIER=rbacd\nVMSEC_ID=%s\n",
			msg->text, level_of(msg->sev), LOG_AUTHPRIV >> 3, msg->id);
}

static int format_syslog(const struct sink_message *msg, char *buf, size_t cap)
{
	char ts[AUDIT_TIME_LEN + 1] = "-";

	if (audit_time(msg->now_us, ts) != 0)
		(void)snprintf(ts, sizeof(ts), "-"); /* RFC 5424's NILVALUE */
	return snprintf(buf, cap, "<%d>1 %s - rbacd %d audit - %s",
			LOG_AUTHPRIV | level_of(msg->sev), ts, (int)getpid(),
			msg->text);
}

void sink_send(struct sink *sink, const struct sink_message *msg)
{
	char buf[AUDIT_MESSAGE_MAX + 160];
	int len;

	if (!sink->journal && !sink->dev_log)
		return;
	if (!sink_connect(sink, msg->now_us)) {
		sink->dropped++;
		return;
	}
	len = sink->is_journal ? format_journal(msg, buf, sizeof(buf))
			       : format_syslog(msg, buf, sizeof(buf));
	if (len < 0 || (size_t)len >= sizeof(buf)) {
		sink->dropped++;
		return;
	}
	if (send(sink->fd, buf, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL) == len)
		return;
	sink->dropped++;
	if (errno != EAGAIN && errno != ENOBUFS) {
		(void)close(sink->fd); /* the reader went away: connect anew */
		sink->fd = -1;
	}
}

uint64_t sink_dropped(const struct sink *sink)
{
	return sink->dropped;
}

void sink_count_dropped(struct sink *sink, uint64_t n)
{
	sink->dropped += n;
}
