/* SPDX-License-Identifier: Apache-2.0 */
/* rule_time.c - reads what a rule says about time: `time:`, `valid:` and `review:`. */
#include "policy/load.h"

#define DAY_M (24 * 60)

static const char *const day_names[7] = {"mon", "tue", "wed", "thu",
					 "fri", "sat", "sun"};

/* Exactly @n digits. */
static bool read_digits(const char *s, int n, int *ret)
{
	*ret = 0;
	for (int i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		*ret = *ret * 10 + (s[i] - '0');
	}
	return true;
}

static bool date_ok(int y, int m, int d)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	return y >= 1971 && m >= 1 && m <= 12 && d >= 1 &&
	       d <= days[m - 1] + (m == 2 && leap);
}

static bool parse_date(const char *s, int *y, int *m, int *d)
{
	return strlen(s) >= 10 && read_digits(s, 4, y) && s[4] == '-' &&
	       read_digits(s + 5, 2, m) && s[7] == '-' && read_digits(s + 8, 2, d) &&
	       date_ok(*y, *m, *d);
}

/* HH:MM, up to @max_h:00. */
static bool parse_clock(const char *s, int max_h, int *ret_m)
{
	int h, m;

	if (strlen(s) < 5 || !read_digits(s, 2, &h) || s[2] != ':' ||
	    !read_digits(s + 3, 2, &m) || m > 59 || h * 60 + m > max_h * 60)
		return false;
	*ret_m = h * 60 + m;
	return true;
}

bool when_parse_instant(const char *text, int64_t *ret_s)
{
	int y, mo, d, minute, sec = 0, zone = 0;
	const char *s = text + 16;
	int sign;

	if (!parse_date(text, &y, &mo, &d) || text[10] != 'T' ||
	    !parse_clock(text + 11, 24, &minute) || minute == DAY_M)
		return false;
	if (*s == ':') {
		if (strlen(s) < 3 || !read_digits(s + 1, 2, &sec) || sec > 59)
			return false;
		s += 3;
	}
	sign = *s == '-' ? -1 : 1;
	if (*s == '+' || *s == '-') {
		if (!parse_clock(s + 1, 18, &zone) || s[6] != '\0')
			return false;
	} else if (!str_eq(s, "Z")) {
		return false;
	}
	*ret_s = tz_days(y, mo, d) * 86400 + (minute - sign * zone) * 60 + sec;
	return true;
}

/* ------------------------------------------------------------------ time */

static uint8_t read_day(struct loader *l, struct at at)
{
	for (int i = 0; i < 7 && at.node->kind == YAML_SCALAR; i++)
		if (str_eq(at.node->text, day_names[i]))
			return (uint8_t)(1u << i);
	loader_error(l, at, "must be mon, tue, wed, thu, fri, sat or sun");
	return 0;
}

static void read_days(struct loader *l, struct at at, struct model_time *t)
{
	t->days = 0;
	if (!check_kind(l, at, YAML_LIST, "days"))
		return;
	if (at.node->n_items == 0)
		loader_error(l, at, "'days' is empty: the rule would never hold");
	for (const struct yaml_node *i = at.node->first; i; i = i->next)
		t->days |= read_day(l, (struct at){at.doc, i});
}

static void read_between(struct loader *l, struct at at, struct model_time *t)
{
	const char *s = at.node->text;
	int from, until;

	if (at.node->kind != YAML_SCALAR || at.node->len != 11 ||
	    !parse_clock(s, 24, &from) || s[5] != '-' ||
	    !parse_clock(s + 6, 24, &until) || from == DAY_M || from == until ||
	    until == 0) {
		loader_error(l, at,
			     "must be two times of day such as 07:00-20:00 or "
			     "22:00-06:00; midnight as an end is 24:00");
		return;
	}
	t->from_m = (uint16_t)from;
	t->until_m = (uint16_t)until;
}

/* What reports show and the canonical form prints. */
static void name_time(struct loader *l, struct model_time *t)
{
	char days[32] = "", between[16];
	size_t n = 0;

	for (int i = 0; i < 7; i++)
		if (t->days >> i & 1)
			n += (size_t)snprintf(days + n, sizeof(days) - n, "%s%s",
					      n > 0 ? "," : "", day_names[i]);
	(void)snprintf(between, sizeof(between), "%02u:%02u-%02u:%02u", t->from_m / 60u,
		       t->from_m % 60u, t->until_m / 60u, t->until_m % 60u);
	t->days_text = loader_text(l, days);
	t->between_text = loader_text(l, between);
}

void when_read_time(struct loader *l, struct at at, struct rule *rule)
{
	static const char *const keys[] = {"tz", "days", "between", NULL};
	struct model_time *t = loader_alloc(l, 1, sizeof(*t));
	struct at item = at;

	if (!t || !check_kind(l, at, YAML_MAP, "time"))
		return;
	yaml_check_keys(at.doc, at.node, keys, l->diag);
	*t = (struct model_time){.zone = l->p->zone,
				 .tz = l->p->tz ? l->p->tz : "UTC",
				 .days = 0x7f,
				 .until_m = DAY_M};
	item.node = yaml_get(at.node, "tz");
	if (item.node && item.node->kind == YAML_SCALAR) {
		t->zone = loader_zone(l, item, item.node->text);
		t->tz = loader_text(l, item.node->text);
	} else if (item.node) {
		loader_error(l, item, "'tz' must be a time zone such as Europe/Berlin");
	}
	item.node = yaml_get(at.node, "days");
	if (item.node)
		read_days(l, item, t);
	item.node = yaml_get(at.node, "between");
	if (item.node)
		read_between(l, item, t);
	if (!yaml_get(at.node, "days") && !item.node)
		loader_error(l, at, "'time' needs 'days' or 'between'");
	name_time(l, t);
	rule->time = t;
}

/* ----------------------------------------------------------------- valid */

const char *when_read_date(struct loader *l, struct at at, int64_t *ret_s)
{
	int y, m, d;

	if (at.node->kind != YAML_SCALAR || at.node->len != 10 ||
	    !parse_date(at.node->text, &y, &m, &d)) {
		loader_error(l, at, "must be a date such as 2026-11-01, from 1971 on");
		return NULL;
	}
	*ret_s = tz_zone_day_start(l->p->zone, y, m, d);
	return loader_text(l, at.node->text);
}

void when_read_valid(struct loader *l, struct at at, struct rule *rule)
{
	static const char *const keys[] = {"from", "until", NULL};
	struct at item = at;

	if (!check_kind(l, at, YAML_MAP, "valid"))
		return;
	yaml_check_keys(at.doc, at.node, keys, l->diag);
	if (at.node->n_items == 0)
		loader_error(l, at, "'valid' needs 'from' or 'until'");
	item.node = yaml_get(at.node, "from");
	if (item.node)
		rule->from_text = when_read_date(l, item, &rule->valid_from_s);
	item.node = yaml_get(at.node, "until");
	if (item.node)
		rule->until_text = when_read_date(l, item, &rule->valid_until_s);
	if (rule->from_text && rule->until_text &&
	    rule->valid_until_s <= rule->valid_from_s)
		loader_error(l, item,
			     "'until' is the first day without access: it must be "
			     "after 'from'");
}

/* ---------------------------------------------------------------- review */

void when_read_review(struct loader *l, struct at at, struct rule *rule)
{
	static const char *const keys[] = {"every", "overdue", NULL};
	const struct yaml_node *n;

	if (!check_kind(l, at, YAML_MAP, "review"))
		return;
	yaml_check_keys(at.doc, at.node, keys, l->diag);
	n = yaml_get(at.node, "every");
	if (!n)
		loader_error(l, at, "'review' needs 'every', such as 90d");
	else if (yaml_get_duration(at.doc, n, &rule->review_every_s, l->diag) == 0 &&
		 rule->review_every_s < 86400)
		loader_error(l, (struct at){at.doc, n}, "must be a day or more");
	n = yaml_get(at.node, "overdue");
	rule->overdue = POLICY_OVERDUE_WARN;
	if (n && n->kind == YAML_SCALAR && str_eq(n->text, "suspend"))
		rule->overdue = POLICY_OVERDUE_SUSPEND;
	else if (n && (n->kind != YAML_SCALAR || !str_eq(n->text, "warn")))
		loader_error(l, (struct at){at.doc, n}, "must be warn or suspend");
}
