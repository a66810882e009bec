/* SPDX-License-Identifier: Apache-2.0 */
/*
 * coalesce.c - strangers' failures by (source, reason): one record, then a count a
 * minute.
 *
 * The table is bounded: a stranger with many addresses fills it, and shares one entry
 * from then on; the log grows by at most AUDIT_STRANGERS_MAX + 1 records twice a
 * minute.
 */
#include "rbacd/audit/audit_internal.h"

#include <errno.h>

struct coalesce {
	struct coalesce_entry v[AUDIT_STRANGERS_MAX];
	struct coalesce_entry other;
	bool dirty; /* this turn looked something up: else the turn's end costs nothing
		     */
};

int coalesce_new(struct coalesce **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

void coalesce_free(struct coalesce *co)
{
	free(co);
}

static uint32_t hash_key(const char *src, const char *reason)
{
	uint32_t h = 2166136261u; /* FNV-1a; a bad spread costs a longer scan only */

	for (; *src; src++)
		h = (h ^ (uint8_t)*src) * 16777619u;
	for (; *reason; reason++)
		h = (h ^ (uint8_t)*reason) * 16777619u;
	return h;
}

static void copy_cut(char *dst, size_t cap, const char *src)
{
	size_t len = src ? strnlen(src, cap - 1) : 0;

	if (len > 0)
		memcpy(dst, src, len);
	dst[len] = '\0';
}

static void start(struct coalesce_entry *e, const struct audit_event *ev,
		  const char *reason, int64_t now_us)
{
	*e = (struct coalesce_entry){.used = true,
				     .reason = reason,
				     .since_us = now_us};
	copy_cut(e->ev, sizeof(e->ev), ev->ev);
	copy_cut(e->src, sizeof(e->src), reason ? ev->src : "other");
}

/* Linear probing over 8 places: entries end every minute, so no tombstones are needed.
 */
struct coalesce_entry *coalesce_find(struct coalesce *co, const struct audit_event *ev,
				     int64_t now_us, bool *ret_first)
{
	const char *reason = audit_reason(ev->reason);
	struct coalesce_entry *free_entry = NULL;
	char src[sizeof(co->other.src)];
	uint32_t h;

	co->dirty = true;
	copy_cut(src, sizeof(src), ev->src);
	h = hash_key(src, reason);
	*ret_first = false;
	for (uint32_t i = 0; i < 8; i++) {
		struct coalesce_entry *e = &co->v[(h + i) % AUDIT_STRANGERS_MAX];

		if (e->used && e->reason == reason && str_eq(e->src, src))
			return e;
		if (!e->used && !free_entry)
			free_entry = e;
	}
	if (!free_entry && co->other.used)
		return &co->other;
	*ret_first = true;
	start(free_entry ? free_entry : &co->other, ev, free_entry ? reason : NULL,
	      now_us);
	return free_entry ? free_entry : &co->other;
}

static struct coalesce_entry *entry_at(struct coalesce *co, size_t pos)
{
	return pos < AUDIT_STRANGERS_MAX ? &co->v[pos] : &co->other;
}

struct coalesce_entry *coalesce_due(struct coalesce *co, int64_t now_us, size_t *pos)
{
	while (*pos <= AUDIT_STRANGERS_MAX) {
		struct coalesce_entry *e = entry_at(co, (*pos)++);

		/* A clock set back must not keep a count for hours. */
		if (e->used && !e->closing &&
		    (now_us - e->since_us >= AUDIT_STRANGER_US ||
		     now_us < e->since_us)) {
			co->dirty = true;
			return e;
		}
	}
	return NULL;
}

void coalesce_committed(struct coalesce *co)
{
	if (!co->dirty)
		return;
	co->dirty = false;
	for (size_t i = 0; i <= AUDIT_STRANGERS_MAX; i++) {
		struct coalesce_entry *e = entry_at(co, i);

		e->unsaved = 0;
		if (e->closing && e->count == 0)
			e->used = false;
		e->closing = false;
	}
}

/* What the lost turn had recorded is owed again. */
void coalesce_rolled_back(struct coalesce *co)
{
	if (!co->dirty)
		return;
	co->dirty = false;
	for (size_t i = 0; i <= AUDIT_STRANGERS_MAX; i++) {
		struct coalesce_entry *e = entry_at(co, i);

		e->count += e->unsaved;
		e->unsaved = 0;
		e->closing = false;
	}
}
