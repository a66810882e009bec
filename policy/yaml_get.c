/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_get.c - values out of the tree of yaml.c: by key, and as what they must be. */
#include "policy/yaml.h"

#define DURATION_MAX_S (366 * 24 * 3600LL) /* a longer one is a mistake */

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
	if (!map || map->kind != YAML_MAP)
		return NULL;
	for (const struct yaml_node *i = map->first; i; i = i->next)
		if (str_eq(i->key, key))
			return i;
	return NULL;
}

void yaml_check_keys(const struct yaml_doc *doc, const struct yaml_node *map,
		     const char *const *known, struct diags *diag)
{
	for (const struct yaml_node *i = map->first; i; i = i->next) {
		struct diag_nearest near;
		bool found = false;

		diag_nearest_init(&near, i->key);
		for (size_t k = 0; known[k] && !found; k++) {
			found = str_eq(known[k], i->key);
			diag_nearest_try(&near, known[k]);
		}
		if (found)
			continue;
		if (near.found)
			yaml_error_key(doc, i, diag,
				       "unknown key '%s'; did you mean '%s'?", i->key,
				       near.found);
		else
			yaml_error_key(doc, i, diag, "unknown key '%s'", i->key);
	}
}

int yaml_get_bool(const struct yaml_doc *doc, const struct yaml_node *n, bool *ret,
		  struct diags *diag)
{
	if (n->kind == YAML_SCALAR && str_eq(n->text, "true")) {
		*ret = true;
		return 0;
	}
	if (n->kind == YAML_SCALAR && str_eq(n->text, "false")) {
		*ret = false;
		return 0;
	}
	yaml_error(doc, n, diag, "must be true or false");
	return YAML_E_INVALID;
}

/* Digits only: no sign, no blank, no base. Return: the first byte that is no digit. */
static const char *read_digits(const char *s, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	if (*s < '0' || *s > '9')
		return NULL;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v) || v > max)
			return NULL;
	*ret = v;
	return s;
}

int yaml_get_u64(const struct yaml_doc *doc, const struct yaml_node *n, uint64_t max,
		 uint64_t *ret, struct diags *diag)
{
	uint64_t v;
	const char *end;

	if (n->kind == YAML_SCALAR) {
		end = read_digits(n->text, max, &v);
		if (end && *end == '\0') {
			*ret = v;
			return 0;
		}
	}
	yaml_error(doc, n, diag, "must be a whole number from 0 to %llu",
		   (unsigned long long)max);
	return YAML_E_INVALID;
}

static int64_t unit_seconds(const char *unit)
{
	if (str_eq(unit, "s"))
		return 1;
	if (str_eq(unit, "m"))
		return 60;
	if (str_eq(unit, "h"))
		return 3600;
	return str_eq(unit, "d") ? 86400 : 0;
}

int yaml_get_duration(const struct yaml_doc *doc, const struct yaml_node *n,
		      int64_t *ret_s, struct diags *diag)
{
	const char *end = NULL;
	uint64_t v = 0;
	int64_t unit = 0;

	if (n->kind == YAML_SCALAR)
		end = read_digits(n->text, (uint64_t)DURATION_MAX_S, &v);
	if (end)
		unit = *end == '\0' && v == 0 ? 1 : unit_seconds(end);
	if (unit == 0) {
		yaml_error(doc, n, diag,
			   "must be a duration such as 90s, 15m, 8h or 30d, or 0");
		return YAML_E_INVALID;
	}
	if ((int64_t)v > DURATION_MAX_S / unit) {
		yaml_error(doc, n, diag, "is longer than 366d");
		return YAML_E_INVALID;
	}
	*ret_s = (int64_t)v * unit;
	return 0;
}
