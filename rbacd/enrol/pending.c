/* SPDX-License-Identifier: Apache-2.0 */
/* pending.c - the enrolments that wait for a code. */

#include "rbacd/enrol/pending.h"

#include <errno.h>

#include "rbacd/limits.h"

struct pending_table {
	struct pending *first;
	size_t n;
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

void pending_forget(struct pending_table *t, const char *person)
{
	for (struct pending *p = t ? t->first : NULL; p; p = p->next)
		p->over = p->over || str_eq(p->person, person);
}

struct pending *pending_new(struct pending_table *t, const char *person,
			    uint64_t now_ns)
{
	struct pending *p;

	pending_forget(t, person);
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
	p->table->n--;
	mfa_draft_done(&p->draft);
	free(p);
}
