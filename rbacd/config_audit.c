/* SPDX-License-Identifier: Apache-2.0 */
/* config_audit.c - the section `audit:`: evidence, retention, detections. */
#include "rbacd/config_internal.h"

#include "rbacd/audit/note.h"

#define DAY_S	  86400
#define COUNT_MAX 1000000

enum kind { COUNT, SECONDS };

/* The thresholds of `audit: alerts:`; one line each, read and printed alike. */
static const struct {
	const char *key;
	size_t at; /* in struct config_alerts */
	enum kind kind;
	int64_t value;
} thresholds[] = {
#define T(key, kind, value)                                                            \
	{                                                                              \
#key, offsetof(struct config_alerts, key), kind, value                 \
	}
	T(spray_users, COUNT, 10),
	T(spray_failures, COUNT, 30),
	T(spray_window, SECONDS, 300),
	T(account_failures, COUNT, 5),
	T(account_failures_high, COUNT, 10),
	T(account_window, SECONDS, 600),
	T(wrong_codes, COUNT, 10),
	T(dormant, SECONDS, 45 * DAY_S),
	T(dormant_high, SECONDS, 90 * DAY_S),
	T(first_use, SECONDS, 90 * DAY_S),
	T(clock_off, SECONDS, 10),
	T(clock_off_high, SECONDS, 30),
	T(directory_down, SECONDS, 60),
	T(policy_widened, COUNT, 10),
	T(quiet, SECONDS, 600),
#undef T
};

static int64_t *threshold(struct config_alerts *a, size_t i)
{
	return (int64_t *)(void *)((char *)a + thresholds[i].at);
}

void config_audit_defaults(struct config_reader *r)
{
	struct config_audit *a = &r->config->audit;

	a->keep_days = 400;
	a->online_days = 185;
	for (size_t i = 0; i < ARRAY_SIZE(thresholds); i++)
		*threshold(&a->alerts, i) = thresholds[i].value;
}

static const char *bad_origin(const char *text)
{
	return note_origin_ok(text) ? NULL
				    : "must be 1 to 160 printable bytes without '+' "
				      "or space";
}

static void read_seconds(struct config_reader *r, const struct yaml_node *map,
			 const char *key, int64_t min_s, int64_t *dst)
{
	const struct yaml_node *n = yaml_get(map, key);
	int64_t s;

	if (!n || yaml_get_duration(r->doc, n, &s, r->diag) != 0)
		return; /* absent, or reported */
	if (s < min_s)
		yaml_error(r->doc, n, r->diag, "must be at least %llds",
			   (long long)min_s);
	else
		*dst = s;
}

static void read_count(struct config_reader *r, const struct yaml_node *map,
		       const char *key, int64_t *dst)
{
	const struct yaml_node *n = yaml_get(map, key);
	uint64_t v;

	if (!n || yaml_get_u64(r->doc, n, COUNT_MAX, &v, r->diag) != 0)
		return;
	if (v == 0)
		yaml_error(r->doc, n, r->diag, "must be at least 1");
	else
		*dst = (int64_t)v;
}

static void read_alerts(struct config_reader *r, const struct yaml_node *audit)
{
	const char *known[ARRAY_SIZE(thresholds) + 2] = {"hook"};
	struct config_audit *a = &r->config->audit;
	const struct yaml_node *alerts;

	for (size_t i = 0; i < ARRAY_SIZE(thresholds); i++)
		known[i + 1] = thresholds[i].key;
	alerts = config_section(r, audit, "alerts", known);
	config_read_text(r, alerts, "hook", config_bad_path, &a->hook);
	for (size_t i = 0; alerts && i < ARRAY_SIZE(thresholds); i++)
		if (thresholds[i].kind == COUNT)
			read_count(r, alerts, thresholds[i].key,
				   threshold(&a->alerts, i));
		else
			read_seconds(r, alerts, thresholds[i].key, 1,
				     threshold(&a->alerts, i));
}

void config_audit_read(struct config_reader *r, const struct yaml_node *root)
{
	static const char *const known[] = {"origin",	   "key",    "keep_days",
					    "online_days", "alerts", NULL};
	struct config_audit *a = &r->config->audit;
	const struct yaml_node *audit = config_section(r, root, "audit", known);

	config_read_text(r, audit, "origin", bad_origin, &a->origin);
	config_read_text(r, audit, "key", config_bad_path, &a->key);
	read_count(r, audit, "keep_days", &a->keep_days);
	read_count(r, audit, "online_days", &a->online_days);
	if (audit)
		read_alerts(r, audit);
}

/* What defaults to other keys; `key` unset is the key that rbacd makes itself. */
void config_audit_finish(struct config_reader *r)
{
	struct config *c = r->config;
	struct config_audit *a = &c->audit;
	char buf[1024];

	(void)snprintf(buf, sizeof(buf), "%s/audit", c->state_dir); /* 512 at most */
	config_set_string(r, &a->dir, buf);
	(void)snprintf(buf, sizeof(buf), "%s/audit.key", c->state_dir);
	a->make_key = !a->key;
	if (!a->key)
		config_set_string(r, &a->key, buf);
	if (!a->origin && c->vm) {
		/* A name may have 253 characters, an origin 160. */
		(void)snprintf(buf, sizeof(buf), "%.150s/vmsec", c->vm);
		config_set_string(r, &a->origin, buf);
	}
	if (a->online_days > a->keep_days)
		diags_add(r->diag, c->path, 0, 0, NULL,
			  "audit: online_days must not be more than keep_days");
}

void config_audit_free(struct config *c)
{
	free(c->audit.origin);
	free(c->audit.key);
	free(c->audit.dir);
	free(c->audit.hook);
}

void config_audit_print(const struct config *c, FILE *out)
{
	const struct config_audit *a = &c->audit;
	struct config_alerts alerts = a->alerts;

	(void)fprintf(out, "audit:\n");
	config_print_setting(out, "  origin", a->origin);
	if (!a->make_key)
		config_print_setting(out, "  key", a->key);
	(void)fprintf(out, "  keep_days: %lld\n  online_days: %lld\n  alerts:\n",
		      (long long)a->keep_days, (long long)a->online_days);
	if (a->hook)
		config_print_setting(out, "    hook", a->hook);
	for (size_t i = 0; i < ARRAY_SIZE(thresholds); i++)
		(void)fprintf(out, "    %s: %lld%s\n", thresholds[i].key,
			      (long long)*threshold(&alerts, i),
			      thresholds[i].kind == SECONDS ? "s" : "");
}
