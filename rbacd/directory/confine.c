/* SPDX-License-Identifier: Apache-2.0 */
/* confine.c - which files and ports are left to rbacd-dir, before it asks anybody. */

#include "rbacd/directory/confine.h"

#include <errno.h>

#include "rbacd/directory/ldap_connect.h"
#include "rbacd/log.h"

#define PORT_DNS 53 /* an answer too long for a datagram */

struct places {
	char people[512], ca[512], cert[512], key[512]; /* their folders */
};

static void add_read(struct sandbox *box, const char *path)
{
	for (size_t i = 0; i + 1 < SANDBOX_PATHS_MAX; i++)
		if (!box->read[i]) {
			box->read[i] = path;
			return;
		}
}

static int add_port(struct sandbox *box, uint16_t port)
{
	for (size_t i = 0; i + 1 < SANDBOX_PORTS_MAX; i++)
		if (box->ports[i] == 0 || box->ports[i] == port) {
			box->ports[i] = port;
			return 0;
		}
	return -E2BIG;
}

static void add_parent(struct sandbox *box, const char *path, char *buf, size_t cap)
{
	if (path)
		add_read(box, sandbox_parent(path, buf, cap));
}

static int for_ldap(const struct config_ldap *c, struct sandbox *box, struct places *at)
{
	struct ldap_place place;
	int rc = add_port(box, PORT_DNS);

	/* Libraries, resolver, and where its configuration is kept by whom. */
	add_read(box, "/usr");
	add_read(box, "/run/systemd/resolve");
	add_read(box, "/run/NetworkManager");
	add_read(box, "/run/resolvconf");
	add_parent(box, c->ca, at->ca, sizeof(at->ca));
	add_parent(box, c->cert, at->cert, sizeof(at->cert));
	add_parent(box, c->key, at->key, sizeof(at->key));
	for (size_t i = 0; rc == 0 && i < c->n_uris; i++)
		if (ldap_place_parse(c->uris[i], &place) && !place.local)
			rc = add_port(box, (uint16_t)strtoul(place.port, NULL, 10));
	return rc;
}

int confine(const struct config *c, struct diags *diag)
{
	struct sandbox box = {.profile = SANDBOX_DIRECTORY, .mode = c->sandbox};
	struct sandbox_state state;
	struct places at;
	char text[64];
	int rc = 0;

	switch (c->source) {
	case CONFIG_SOURCE_NSS:
		add_read(&box, "/");
		box.any_port = true;
		break;
	case CONFIG_SOURCE_FILE:
		box.profile = SANDBOX_LOCAL;
		add_read(&box, "/etc"); /* passwd, which is replaced by rename */
		add_parent(&box, c->people, at.people, sizeof(at.people));
		break;
	case CONFIG_SOURCE_LDAP:
		add_read(&box, "/etc");
		rc = for_ldap(&c->ldap, &box, &at);
		break;
	}
	if (rc == 0)
		rc = sandbox_enter(&box, &state, diag);
	if (rc == 0)
		log_notice("sandbox: %s; %s", config_sandbox_name(c->sandbox),
			   sandbox_describe(&state, text, sizeof(text)));
	return rc;
}
