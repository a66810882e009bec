/* SPDX-License-Identifier: Apache-2.0 */
/* ldap_fixture.h - entries, people and groups of a directory, shortly said. */
#pragma once

#include "rbacd/directory/ldap_map.h"

#define USERS  "ou=people,dc=x"
#define GROUPS "ou=groups,dc=x"

/* An entry under construction: texts are borrowed. */
struct made {
	struct ldap_entry e;
	struct ldap_attr attrs[24];
	struct ldap_value values[64];
	size_t n_values;
	struct ldap_id id;
};

static inline void made_attr(struct made *m, const char *name)
{
	m->attrs[m->e.n_attrs++] =
		(struct ldap_attr){.name = name, .values = &m->values[m->n_values]};
	m->e.attrs = m->attrs;
}

static inline void made_value(struct made *m, const void *p, size_t len)
{
	m->values[m->n_values++] = (struct ldap_value){.p = p, .len = len};
	m->attrs[m->e.n_attrs - 1].n_values++;
}

static inline void made_text(struct made *m, const char *name, const char *value)
{
	made_attr(m, name);
	if (value)
		made_value(m, value, strlen(value));
}

static inline struct ldap_id id_of(unsigned n)
{
	struct ldap_id id = {.v = {0}};

	id.v[0] = (uint8_t)(n >> 8);
	id.v[1] = (uint8_t)n;
	return id;
}

/* An entry that says no more than its DN; the id comes by LDAP sync. */
static inline void made_new(struct made *m, unsigned id, const char *dn)
{
	*m = (struct made){.id = id_of(id)};
	m->e.dn = dn;
	m->e.id = &m->id;
}

/* The snapshot of targets: names, or "name|dn" or "name||pin". */
static inline struct snapshot *targets_of(const char *const *list, size_t n)
{
	struct snapshot_builder *b = NULL;
	struct snapshot *s = NULL;
	void *block = NULL;
	size_t len = 0;
	int r = snapshot_builder_new("targets", 1, &b);

	for (size_t i = 0; r == 0 && i < n; i++) {
		char name[256], dn[512] = "", pin[256] = "";
		struct snapshot_group g = {.name = name,
					   .dn = dn,
					   .pin = pin,
					   .id = ""};
		const char *bar = strchr(list[i], '|');
		size_t end = bar ? (size_t)(bar - list[i]) : strlen(list[i]);

		(void)snprintf(name, sizeof(name), "%.*s", (int)end, list[i]);
		if (bar && bar[1] == '|')
			(void)snprintf(pin, sizeof(pin), "%s", bar + 2);
		else if (bar)
			(void)snprintf(dn, sizeof(dn), "%s", bar + 1);
		g.complete = true;
		r = snapshot_add_found(b, &g, NULL);
	}
	if (r == 0)
		r = snapshot_build_bytes(b, &block, &len);
	if (r == 0)
		r = snapshot_from_bytes(block, len, &s);
	free(block);
	snapshot_builder_free(b);
	return r == 0 ? s : NULL;
}

static inline struct snapshot *local_of(const char *login)
{
	struct snapshot_account a = {.login = login, .id = "unix:0", .uid = 0};
	struct snapshot_builder *b = NULL;
	struct snapshot *s = NULL;
	void *block = NULL;
	size_t len = 0;
	int r = snapshot_builder_new("local", 1, &b);

	a.flags = SNAPSHOT_LOCAL;
	if (r == 0)
		r = snapshot_add_account(b, &a);
	if (r == 0)
		r = snapshot_build_bytes(b, &block, &len);
	if (r == 0)
		r = snapshot_from_bytes(block, len, &s);
	free(block);
	snapshot_builder_free(b);
	return r == 0 ? s : NULL;
}
