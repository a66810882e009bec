/* SPDX-License-Identifier: Apache-2.0 */
/* service.c - which privilege a PAM service asks for: the policy's table, then ours. */
#include "policy/service.h"

#include "policy/model.h"

static const struct {
	const char *service;
	const char *privilege;
} builtin[] = {
	{"atd", "batch"},
	{"cockpit", "web"},
	{"cron", "batch"},
	{"crond", "batch"},
	{"login", "console"},
	{"sshd", "ssh"},
	{"su", "su"},
	{"su-l", "su"},
	{"sudo", "sudo"},
	{"sudo-i", "sudo"},
	{"systemd-user", "batch"},
};

static const char *const privileges[] = {"batch", "console", "desktop", "ssh",
					 "su",	  "sudo",    "web"};

const char *service_builtin(const char *service)
{
	for (size_t i = 0; i < ARRAY_SIZE(builtin); i++)
		if (str_eq(builtin[i].service, service))
			return builtin[i].privilege;
	return str_after(service, "gdm-") ? "desktop" : NULL;
}

const char *service_builtin_privilege(unsigned index)
{
	return index < ARRAY_SIZE(privileges) ? privileges[index] : NULL;
}

bool policy_privilege_session(const char *privilege)
{
	return privilege && !str_eq(privilege, "batch") && !str_eq(privilege, "su") &&
	       !str_eq(privilege, "sudo");
}

int policy_service_privilege(const struct policy *policy, const char *service,
			     const char **ret_privilege)
{
	const char *found = NULL;
	uint32_t i;

	if (!service)
		return POLICY_E_UNKNOWN;
	i = policy ? names_find(&policy->services, service) : NAMES_NONE;
	if (i != NAMES_NONE)
		found = policy->privileges.v[policy->service_privilege[i]];
	else
		found = service_builtin(service);
	if (!found)
		return POLICY_E_UNKNOWN;
	*ret_privilege = found;
	return 0;
}
