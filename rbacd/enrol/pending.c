/* SPDX-License-Identifier: Apache-2.0 */
/* pending.c - the enrolments that wait for a code. */

#include "rbacd/enrol/pending.h"

#include <errno.h>

#include "rbacd/limits.h"

struct pending_table {
	struct pending *first;
	size_t n; /* not over: their keys could still become factors */
};

int pending_table_new(struct pending_table **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

void pending_table_free(struct pending_table *t)
{
	free(t);
}

static void end_all(struct pending_table *t, const char *person)
{
	for (struct pending *p = t->first; p; p = p->next) {
		if (p->over || !str_eq(p->person, person))
			continue;
		p->over = true;
		mfa_draft_done(&p->draft);
		t->n--;
	}
}

void pending_forget(struct pending_table *t, const char *person)
{
	if (t)
		end_all(t, person);
}

struct pending *pending_new(struct pending_table *t, const char *person,
			    uint64_t now_ns)
{
	struct pending *p;

	end_all(t, person);
	if (t->n >= LIMIT_ENROLMENTS)
		return NULL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	(void)snprintf(p->person, sizeof(p->person), "%s", person);
	p->ends_ns = now_ns + LIMIT_ENROL_MS * UINT64_C(1000000);
	p->table = t;
	p->next = t->first;
	if (p->next)
		p->next->prev = p;
	t->first = p;
	t->n++;
	return p;
}

void pending_free(struct pending *p)
{
	if (!p)
		return;
	if (p->prev)
		p->prev->next = p->next;
	else
		p->table->first = p->next;
	if (p->next)
		p->next->prev = p->prev;
	p->table->n -= p->over ? 0 : 1;
	mfa_draft_done(&p->draft);
	free(p);
}
