/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pack.h - all reports and what they were made from, in one new folder.
 *
 * The same snapshots, period and log give the same bytes. manifest.sha256 lists every
 * file as sha256sum -c reads it; manifest.note is its signature.
 */
#pragma once

#include "rbacd/report/write.h"
#include "rbacd/report/reports.h"

struct pack_input {
	struct report_input in; /* its strings and states are borrowed */
	struct store *store;	/* borrowed; for the checkpoints; NULL: none */
	/* pack_sign(): writes the signature of @sha256 over @n_files files. NULL: the
	 * pack is not signed, and says so. */
	int (*sign)(void *arg, const uint8_t sha256[32], size_t n_files, FILE *out);
	void *sign_arg;
	enum report_severity threshold;
	void (*step)(const char *what, void *arg); /* NULL, or told what comes */
	void *step_arg;
};

/*
 * pack_write() - @folder must not exist; it is made, mode 0700.
 * @ret: the worst of the reports' exits.
 * Return: 0; -EEXIST; negative errno: the folder is not complete.
 */
_must_check_ int pack_write(const struct pack_input *in, const char *folder,
			    enum report_exit *ret);
