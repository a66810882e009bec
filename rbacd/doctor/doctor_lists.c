/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_lists.c - the lists that a new password is held against: one that is
 * missing refuses them all. */
#include "rbacd/doctor/doctor.h"
#include "rbacd/password/blocklist.h"
#include "rbacd/password/quality.h"

static void check_blocklist(struct doctor *d)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	_cleanup_blocklist_ struct blocklist *b = NULL;
	char path[4096];
	const char *what = NULL;

	(void)config_blocklist_path(d->config, path, sizeof(path)); /* returns path */
	d->n_checks++;
	if (blocklist_open(path, &b, &diag) != 0)
		what = diag.n > 0 ? diag.v[0].msg : "cannot be opened";
	else if (!blocklist_verify(b))
		what = "is damaged: its checksum is wrong";
	if (what)
		doctor_add(
			d, DOCTOR_ERROR, "blocklist", path, what,
			"the policy's preset holds every new password against it, so "
			"nobody can change one",
			VMSEC_DATADIR "/common-passwords | rbacctl blocklist build");
}

void doctor_lists(struct doctor *d, const struct password_rules *rules)
{
	char folder[256];

	if (rules->blocklist)
		check_blocklist(d);
	if (!rules->dictionary)
		return;
	d->n_checks++;
	if (quality_find_dictionary() != 0)
		doctor_add(
			d, DOCTOR_ERROR, "dictionary",
			quality_dictionary_folder(folder, sizeof(folder)),
			"libcrack's dictionary is not there",
			"the policy's preset holds every new password against it, so "
			"nobody can change one",
			"apt-get install cracklib-runtime");
}
