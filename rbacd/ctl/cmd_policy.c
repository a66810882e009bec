/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_policy.c - policy check and print: local, as rbacd would load it. */

#include <errno.h>
#include <inttypes.h>
#include <sys/utsname.h>

#include "rbacd/ctl/ctl.h"

/* The host a policy is loaded for; without a configuration this one without labels. */
static int read_host(struct ctl *ctl, const struct ctl_args *args, struct utsname *uts,
		     struct policy_host *ret, const char **ret_path)
{
	if (*ret_path && !ctl_arg(args, "config") &&
	    access(ctl->config_path, F_OK) != 0) {
		if (uname(uts) != 0)
			return ctl_fail(ctl, CTL_NO, "the host name is unknown: %m");
		*ret = (struct policy_host){.name = uts->nodename};
		return 0;
	}
	if (ctl_need_config(ctl) != 0)
		return CTL_NO;
	*ret = (struct policy_host){.name = ctl->config->vm,
				    .labels = ctl->config->labels,
				    .n_labels = ctl->config->n_labels};
	if (!*ret_path)
		*ret_path = ctl->config->policy;
	return 0;
}

static int json_diags(struct ctl *ctl, const struct diags *diag)
{
	struct out_set set = OUT_SET_INIT;
	struct out_row *row;
	int r = 0;

	for (size_t i = 0; i < diag->n && r == 0; i++) {
		const struct diag *d = &diag->v[i];
		const char *file = d->file ? d->file : "";

		row = out_add_row(&set, "diagnostics");
		if (!row || out_add_text(row, "file", file, strlen(file)) != 0 ||
		    out_add_number(row, "line", WIRE_CELL_INT, d->line) != 0 ||
		    out_add_number(row, "column", WIRE_CELL_INT, d->column) != 0 ||
		    out_add_text(row, "message", d->msg, strlen(d->msg)) != 0)
			r = -ENOMEM;
	}
	if (r == 0)
		out_json_set(&set, "diagnostics", ctl->out);
	out_set_done(&set);
	return r;
}

int ctl_policy_load(struct ctl *ctl, const struct ctl_args *args, const char *path,
		    struct policy **ret, const char **ret_path)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	struct utsname uts;
	struct policy_host host;
	int r;

	*ret_path = path;
	r = read_host(ctl, args, &uts, &host, ret_path);
	if (r != 0)
		return r;
	r = policy_load(*ret_path, &host, ret, &diag);
	if (!ctl->json)
		diags_print(&diag, ctl->err);
	else if (r != 0 && json_diags(ctl, &diag) != 0)
		return ctl_fail(ctl, CTL_NO, "out of memory.");
	if (r == 0)
		return 0;
	if (access(*ret_path, R_OK) != 0 && errno == EACCES)
		return ctl_fail(ctl, CTL_NO,
				"%s is not readable for you: run me as root.",
				*ret_path);
	if (r == POLICY_E_INVALID)
		return ctl_fail(
			ctl, CTL_NO,
			"%s would be refused: %zu thing%s wrong. A running rbacd "
			"keeps the policy it has.",
			*ret_path, diag.n + diag.n_dropped,
			diag.n + diag.n_dropped == 1 ? "" : "s");
	return ctl_fail(ctl, CTL_NO, "%s could not be read: %s.", *ret_path,
			strerror(-r));
}

int cmd_policy_check(struct ctl *ctl, const struct ctl_args *args)
{
	const struct diags none = DIAGS_INIT;
	_cleanup_policy_ struct policy *policy = NULL;
	const char *path;
	int r = ctl_policy_load(ctl, args, args->pos[0], &policy, &path);

	if (r != 0)
		return r;
	if (ctl->json)
		return json_diags(ctl, &none) == 0
			       ? CTL_OK
			       : ctl_fail(ctl, CTL_NO, "out of memory.");
	(void)fprintf(ctl->out,
		      "%s is valid: serial %" PRIu64
		      ", %zu groups, %zu VMs, sha256 %s\n",
		      path, policy_serial(policy), policy_group_count(policy),
		      policy_vm_count(policy), policy_sha256(policy));
	return CTL_OK;
}

int cmd_policy_print(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_policy_ struct policy *policy = NULL;
	const char *path;
	int r;

	if (ctl->json)
		return ctl_fail(ctl, CTL_USAGE, "a policy is printed as YAML only.");
	r = ctl_policy_load(ctl, args, args->pos[0], &policy, &path);
	if (r != 0)
		return r;
	r = policy_print(policy, ctl->out);
	return r == 0 ? CTL_OK : ctl_fail(ctl, CTL_NO, "printing failed: error %d.", r);
}
