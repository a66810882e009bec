/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_blocklist.c - blocklist build, check and info; they work without rbacd. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

#include "rbacd/ctl/ctl.h"
#include "rbacd/ctl/prompt.h"
#include "rbacd/password/blocklist_build.h"
#include "rbacd/password/quality.h"

#define LINE_MAX_LEN 1024

/* Return: 0 and *ret_path, --file's or in @buf; CTL_NO, told. */
static int find_path(struct ctl *ctl, const struct ctl_args *args, char *buf,
		     size_t cap, const char **ret_path)
{
	*ret_path = ctl_arg(args, "file");
	if (*ret_path)
		return 0;
	if (ctl_need_config(ctl) != 0)
		return CTL_NO;
	*ret_path = config_blocklist_path(ctl->config, buf, cap);
	return 0;
}

static int open_list(struct ctl *ctl, const struct ctl_args *args,
		     struct blocklist **ret)
{
	_cleanup_diags_ struct diags diag = DIAGS_INIT;
	const char *path;
	char buf[4096];
	int r = find_path(ctl, args, buf, sizeof(buf), &path);

	if (r != 0)
		return r;
	r = blocklist_open(path, ret, &diag);
	diags_print(&diag, ctl->err);
	return r == 0 ? 0 : ctl_fail(ctl, CTL_NO, "there is no usable blocklist.");
}

/* -------------------------------------------------------------------- info */

static int show_info(struct ctl *ctl, const struct blocklist *b)
{
	struct blocklist_info i;
	bool whole = blocklist_verify(b);

	blocklist_info(b, &i);
	if (ctl->json)
		(void)fprintf(ctl->out,
			      "{\"entries\": %" PRIu64 ", \"words\": %" PRIu64
			      ", \"hashes\": %" PRIu64 ", \"bytes\": %" PRIu64
			      ", \"whole\": %s}\n",
			      i.n_entries, i.n_words, i.n_hashes, i.n_bytes,
			      whole ? "true" : "false");
	else
		(void)fprintf(ctl->out,
			      "%" PRIu64 " entries from %" PRIu64 " words and %" PRIu64
			      " hashes, %" PRIu64 " bytes, %.2f an entry.\n"
			      "One password in 65,536 that is in no list is taken for "
			      "one that is.\n",
			      i.n_entries, i.n_words, i.n_hashes, i.n_bytes,
			      (double)i.n_bytes / (double)i.n_entries);
	return whole ? CTL_OK
		     : ctl_fail(ctl, CTL_NO,
				"the file is damaged: its checksum is wrong. Build it "
				"again.");
}

int cmd_blocklist_info(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_blocklist_ struct blocklist *b = NULL;
	int r = open_list(ctl, args, &b);

	return r == 0 ? show_info(ctl, b) : r;
}

/* ------------------------------------------------------------------- build */

static int read_list(struct ctl *ctl, struct blocklist_builder *b, const char *path)
{
	_cleanup_fclose_ FILE *in = fopen(path, "re");
	int r = in ? blocklist_builder_read(b, in) : -errno;

	return r == 0 ? 0
		      : ctl_fail(ctl, CTL_NO, "%s cannot be read: %s.", path,
				 strerror(-r));
}

static int read_lists(struct ctl *ctl, const struct ctl_args *args,
		      struct blocklist_builder *b)
{
	int r = 0;

	if (args->n_pos == 0) {
		r = blocklist_builder_read(b, ctl->in);
		if (r != 0)
			r = ctl_fail(ctl, CTL_NO, "standard input: %s.", strerror(-r));
	}
	for (size_t i = 0; i < args->n_pos && r == 0; i++)
		r = read_list(ctl, b, args->pos[i]);
	if (r == 0 && blocklist_builder_foreign(b) > 0)
		(void)ctl_fail(ctl, CTL_OK,
			       "%" PRIu64
			       " lines look like hashes, but not SHA-1: they "
			       "were taken for passwords.",
			       blocklist_builder_foreign(b)); /* only a warning */
	return r;
}

int cmd_blocklist_build(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_builder_ struct blocklist_builder *builder = NULL;
	_cleanup_blocklist_ struct blocklist *b = NULL;
	const char *path;
	char buf[4096];
	int r = find_path(ctl, args, buf, sizeof(buf), &path);

	if (r != 0)
		return r;
	if (args->n_pos == 0 && ctl->in_tty)
		return ctl_fail(
			ctl, CTL_USAGE,
			"name a list, or send one: %s | rbacctl blocklist build",
			VMSEC_DATADIR "/common-passwords");
	if (blocklist_builder_new(&builder) != 0)
		return ctl_fail(ctl, CTL_NO, "out of memory.");
	r = read_lists(ctl, args, builder);
	if (r != 0)
		return r;
	r = blocklist_builder_write(builder, path);
	if (r == -ENODATA)
		return ctl_fail(ctl, CTL_NO,
				"the lists hold no password; %s is as it "
				"was.",
				path);
	if (r != 0)
		return ctl_fail(ctl, CTL_NO, "%s could not be written: %s.", path,
				strerror(-r));
	r = open_list(ctl, args, &b); /* as rbacd will */
	return r == 0 ? show_info(ctl, b) : r;
}

/* ------------------------------------------------------------------- check */

static int check_line(struct ctl *ctl, const struct blocklist *b, const char *line,
		      bool *ret)
{
	int r = quality_listed(b, line, strlen(line), ret);

	return r == 0 ? 0 : ctl_fail(ctl, CTL_NO, "it could not be checked.");
}

static int check_one(struct ctl *ctl, const struct blocklist *b)
{
	char line[LINE_MAX_LEN];
	bool listed = true;
	int r;

	if (!prompt_read(ctl->in, ctl->out, "Password (not shown): ", false, line,
			 sizeof(line)))
		return ctl_fail(ctl, CTL_NO, "nothing was typed.");
	r = check_line(ctl, b, line, &listed);
	explicit_bzero(line, sizeof(line));
	if (r == 0)
		(void)fputs(listed ? "It is in the list.\n"
				   : "It is not in the list.\n",
			    ctl->out);
	return r == 0 && !listed ? CTL_OK : CTL_NO;
}

/* Numbers of lines, never what stands in them. */
static int check_lines(struct ctl *ctl, const struct blocklist *b)
{
	char line[LINE_MAX_LEN];
	uint64_t n = 0, n_listed = 0;
	bool listed = true;
	int r = 0;

	while (r == 0 && prompt_read(ctl->in, ctl->out, "", true, line, sizeof(line))) {
		n++;
		r = check_line(ctl, b, line, &listed);
		if (r != 0 || !listed)
			continue;
		n_listed++;
		if (!ctl->json)
			(void)fprintf(ctl->out, "line %" PRIu64 " is in the list\n", n);
	}
	explicit_bzero(line, sizeof(line));
	if (r != 0)
		return r;
	(void)fprintf(ctl->out,
		      ctl->json ? "{\"listed\": %" PRIu64 ", \"of\": %" PRIu64 "}\n"
				: "%" PRIu64 " of %" PRIu64 " are in the list.\n",
		      n_listed, n);
	return n_listed == 0 ? CTL_OK : CTL_NO;
}

int cmd_blocklist_check(struct ctl *ctl, const struct ctl_args *args)
{
	_cleanup_blocklist_ struct blocklist *b = NULL;
	int r = open_list(ctl, args, &b);

	if (r != 0)
		return r;
	return ctl->in_tty && !ctl->json ? check_one(ctl, b) : check_lines(ctl, b);
}
