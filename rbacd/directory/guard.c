/* SPDX-License-Identifier: Apache-2.0 */
/* guard.c - the mass-change guard: what of an update waits for an administrator. */

#include "rbacd/directory/publish_internal.h"

#define WINDOW_S   600 /* new members of a guarded group are counted so long */
#define GAINS_MIN  10  /* fewer people with new groups are never a mass */
#define LOSSES_MIN 2
#define LEFT_MIN   10 /* the same for those who were in a group: not all of them */

static bool has_group(const uint32_t *v, size_t n, uint32_t g)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] == g)
			return true;
	return false;
}

/* Groups that the policy named only now are the administrator's doing, not a gain. */
static bool is_gain(const struct publish *p, const struct change *c, uint32_t g)
{
	return p->t[g].known && !has_group(c->old_groups, c->n_old, g);
}

static bool gains(const struct publish *p, const struct change *c)
{
	for (size_t i = 0; i < c->n_groups; i++)
		if (is_gain(p, c, c->groups[i]))
			return true;
	return false;
}

static bool loses(const struct change *c)
{
	if (c->gone)
		return true;
	for (size_t i = 0; i < c->n_old; i++)
		if (!has_group(c->groups, c->n_groups, c->old_groups[i]))
			return true;
	return false;
}

/* Keeps the groups that the account has already; and none of a frozen group is new. */
static void drop_gains(const struct publish *p, struct change *c, bool all)
{
	size_t n = 0;

	if (all && !c->known) {
		c->skip = true;
		return;
	}
	for (size_t i = 0; i < c->n_groups; i++)
		if (!is_gain(p, c, c->groups[i]) ||
		    (!all && !p->t[c->groups[i]].frozen))
			c->groups[n++] = c->groups[i];
	c->n_groups = n;
}

/* Keeps the groups that the account had; @c->groups has room for both lists. Somebody
 * else under the same login had none. */
static void undo_losses(struct change *c)
{
	if (c->other)
		return;
	if (c->gone) {
		c->skip = true;
		return;
	}
	for (size_t i = 0; i < c->n_old; i++) {
		size_t at = c->n_groups;

		if (has_group(c->groups, c->n_groups, c->old_groups[i]))
			continue;
		for (; at > 0 && c->groups[at - 1] > c->old_groups[i]; at--)
			c->groups[at] = c->groups[at - 1];
		c->groups[at] = c->old_groups[i];
		c->n_groups++;
	}
}

static bool over_share(const struct publish *p, size_t n, size_t total)
{
	return total > 0 && n * 100 > (size_t)p->config->guard_share * total;
}

struct share {
	size_t n, of; /* people; 0 of them: no mass */
};

/*
 * Too many of all people, or of those who are in a group: where a hundred of ten
 * thousand may log in, the loss of these hundred is nothing beside all, and everything.
 */
static struct share mass_loss(const struct publish *p, const struct changes *c,
			      size_t total)
{
	size_t lost = 0, left = 0, members;

	for (size_t i = 0; i < c->n; i++) {
		bool one = loses(&c->v[i]);

		lost += one;
		left += one && c->v[i].n_old > 0;
	}
	if (lost > 0 &&
	    (lost == total || (lost >= LOSSES_MIN && over_share(p, lost, total))))
		return (struct share){lost, total};
	if (left < LOSSES_MIN)
		return (struct share){0, total};
	members = publish_count_members(p);
	if (left == members || (left >= LEFT_MIN && over_share(p, left, members)))
		return (struct share){left, members};
	return (struct share){0, total};
}

/* The first guarded group that would grow too fast, or NULL. */
static const struct target *grown(struct publish *p, const struct changes *c,
				  int64_t now_s)
{
	const struct target *found = NULL;

	for (size_t g = 0; g < p->n_targets; g++) {
		struct target *t = &p->t[g];
		size_t n = 0;

		if (!t->guarded)
			continue;
		for (size_t i = 0; i < c->n; i++)
			n += has_group(c->v[i].groups, c->v[i].n_groups, (uint32_t)g) &&
			     is_gain(p, &c->v[i], (uint32_t)g);
		if (now_s - t->window_s >= WINDOW_S || now_s < t->window_s) {
			t->window_s = now_s;
			t->n_new = 0;
		}
		if (t->n_new + n > p->config->guard_growth)
			found = found ? found : t;
		else
			t->n_new += n;
	}
	return found;
}

static bool frozen_gain(const struct publish *p, const struct change *c)
{
	for (size_t i = 0; i < c->n_groups; i++)
		if (p->t[c->groups[i]].frozen && is_gain(p, c, c->groups[i]))
			return true;
	return false;
}

struct verdict {
	bool losses, gains;
	char text[192];
};

static struct verdict judge(struct publish *p, const struct changes *c,
			    enum publish_scope scope, size_t total, int64_t now_s)
{
	struct verdict v = {.text = ""};
	const struct target *g = grown(p, c, now_s);
	struct share lost = {0, total};
	size_t gained = 0;

	for (size_t i = 0; i < c->n; i++)
		gained += gains(p, &c->v[i]);
	if (scope == PUBLISH_SWEPT)
		lost = mass_loss(p, c, total);
	v.losses = lost.n > 0;
	v.gains = g || (gained >= GAINS_MIN && over_share(p, gained, total));
	if (v.losses)
		(void)snprintf(
			v.text, sizeof(v.text),
			"%zu of %zu people%s are missing or lost groups at once: "
			"they keep them",
			lost.n, lost.of, lost.of == total ? "" : " with groups");
	else if (g)
		(void)snprintf(v.text, sizeof(v.text),
			       "group '%.64s' got more than %u new members: they wait",
			       g->g.name, p->config->guard_growth);
	else if (v.gains)
		(void)snprintf(v.text, sizeof(v.text),
			       "%zu of %zu people got groups at once: they wait",
			       gained, total);
	return v;
}

/* A group that became another object, under the same name. */
static void judge_frozen(const struct publish *p, const struct changes *c,
			 struct verdict *v)
{
	for (size_t g = 0; g < p->n_targets && !*v->text; g++) {
		if (!p->t[g].frozen)
			continue;
		for (size_t i = 0; i < c->n; i++)
			if (frozen_gain(p, &c->v[i]))
				(void)snprintf(v->text, sizeof(v->text),
					       "group '%.64s' is now another object: "
					       "its new members wait",
					       p->t[g].g.name);
	}
}

static void remember(struct publish *p, const struct verdict *v,
		     enum publish_scope scope, struct publish_result *ret)
{
	bool was = *p->held != '\0';

	if (!*v->text && was)
		publish_event(ret, "release", "the directory is within bounds again");
	if (!*v->text)
		p->rejected = false;
	if (*v->text && !was)
		publish_event(ret, "guard",
			      "%s; see rbacctl directory accept or reject", v->text);
	memcpy(p->held, v->text, sizeof(v->text));
	/* What is held is compared again each time, as it was when it was held. */
	p->held_scope = v->losses ? PUBLISH_SWEPT : scope;
}

void guard_check(struct publish *p, struct changes *c, enum publish_scope scope,
		 size_t total, int64_t now_s, struct publish_result *ret)
{
	struct verdict v = {.text = ""};

	/* Nothing was published yet: there is nothing to compare with. */
	if (p->whole && !p->accept) {
		v = judge(p, c, scope, total, now_s);
		judge_frozen(p, c, &v);
		for (size_t i = 0; i < c->n; i++) {
			if (v.losses && !c->v[i].told)
				undo_losses(&c->v[i]);
			drop_gains(p, &c->v[i], v.gains);
		}
	} else if (p->accept && *p->held) {
		publish_event(ret, "accepted",
			      "%s: applied by order of an administrator", p->held);
		*p->held = '\0';
		return;
	}
	remember(p, &v, scope, ret);
}
