/* SPDX-License-Identifier: Apache-2.0 */
/*
 * r_control_map.c - report control-map: requirements of six frameworks, in our own
 * words, each with the report that answers it and what that report says today.
 */
#include <errno.h>

#include "rbacd/report/write.h"
#include "rbacd/report/reports.h"

static const struct report_column columns[] = {
	{"framework", "Framework", REPORT_TEXT, true, false},
	{"control", "Control", REPORT_TEXT, false, false},
	{"asks", "What it asks", REPORT_TEXT, false, false},
	{"report", "Report", REPORT_TEXT, true, false},
	{"section", "Where in it", REPORT_TEXT, false, false},
	{"result", "Result", REPORT_TEXT, true, false},
};

struct control {
	const char *id, *asks, *report, *section;
};

static const struct control pci[] = {
	{"7.2.1", "a model of access by need", "access", "Who reaches what"},
	{"7.2.2", "least privilege by job", "access", "Who reaches what"},
	{"7.2.4", "review of all access at least every six months", "review", "Items"},
	{"7.2.5", "least privilege for system accounts", "privileged", "Holders"},
	{"7.3.3", "deny unless allowed", "access", "Who reaches what"},
	{"8.2.1", "one id a person", "access", "Who reaches what"},
	{"8.2.4", "changes of ids and credentials are authorised", "changes",
	 "Differences"},
	{"8.2.5", "leavers lose access at once", "changes", "Differences"},
	{"8.2.6", "accounts unused for 90 days are removed", "unused",
	 "Dormant people"},
	{"8.3.4", "lockout after at most ten wrong attempts", "activity", "Refusals"},
	{"8.3.6", "passwords of at least twelve characters", "passwords", "In force"},
	{"8.4.1", "a second factor for administration", "mfa", "Exemptions"},
	{"8.4.2", "a second factor for access to card data", "mfa", "Exemptions"},
	{"8.5.1", "a second factor that cannot be replayed", "mfa", "Second factors"},
	{"10.2.1.2", "what administrators do is logged", "changes", "Who did what"},
	{"10.2.1.4", "refused attempts are logged", "activity", "Refusals"},
	{"10.2.1.5", "changes of credentials are logged", "changes", "Who did what"},
	{"10.3.2", "the log cannot be changed", "integrity", "The log"},
	{"10.3.4", "a change of the log is detected", "integrity", "The log"},
	{"10.4.1", "the log is looked at daily", "activity", "Over time"},
	{"10.6.1", "clocks agree", "integrity", "Operation"},
	{"10.7.2", "failing controls are noticed", "integrity", "Operation"},
};
static const struct control iso[] = {
	{"A.5.3", "separation of duties", "separation", "Conflicts"},
	{"A.5.15", "rules for access", "access", "Who reaches what"},
	{"A.5.16", "identities through their life", "changes", "Differences"},
	{"A.5.17", "care for authentication secrets", "mfa", "Second factors"},
	{"A.5.18", "access rights are given, reviewed, taken away", "review", "Items"},
	{"A.5.28", "evidence that stands", "integrity", "The log"},
	{"A.5.33", "records are protected", "integrity", "The log"},
	{"A.8.2", "privileged rights are few and watched", "privileged", "Holders"},
	{"A.8.3", "access to information is limited", "access", "Who reaches what"},
	{"A.8.5", "secure authentication", "mfa", "Second factors"},
	{"A.8.15", "logging", "activity", "Over time"},
	{"A.8.16", "monitoring for anomalies", "activity", "Refusals"},
	{"A.8.17", "clocks agree", "integrity", "Operation"},
	{"A.8.32", "changes are managed", "changes", "Who did what"},
};
static const struct control soc2[] = {
	{"CC6.1", "logical access is restricted", "access", "Who reaches what"},
	{"CC6.2", "people are registered and removed", "changes", "Differences"},
	{"CC6.3", "roles, least privilege, separated duties", "separation",
	 "Conflicts"},
	{"CC6.6", "access from outside is guarded", "mfa", "Exemptions"},
	{"CC7.2", "anomalies are watched for", "activity", "Refusals"},
	{"CC7.3", "security events are judged", "integrity", "Operation"},
	{"CC8.1", "changes are authorised", "changes", "Who did what"},
	{"CC4.1", "controls are evaluated regularly", "review", "Items"},
};
static const struct control nist[] = {
	{"AC-2", "accounts are managed and reviewed", "review", "Items"},
	{"AC-2(3)", "unused accounts are disabled", "unused", "Dormant people"},
	{"AC-3", "access is enforced", "access", "Who reaches what"},
	{"AC-5", "separation of duties", "separation", "Conflicts"},
	{"AC-6", "least privilege", "privileged", "Holders"},
	{"AC-6(7)", "privileges are reviewed", "review", "Items"},
	{"AC-6(9)", "use of privileges is logged", "privileged", "Holders"},
	{"AC-7", "limits on failed logons", "activity", "Refusals"},
	{"AU-3", "content of records", "activity", "Over time"},
	{"AU-6", "records are reviewed", "activity", "Refusals"},
	{"AU-8", "time stamps", "integrity", "Operation"},
	{"AU-9", "the log is protected", "integrity", "The log"},
	{"AU-9(3)", "by cryptography", "integrity", "The log"},
	{"AU-11", "records are kept", "integrity", "The log"},
	{"CM-3", "changes are controlled", "changes", "Who did what"},
	{"IA-2(1)", "a second factor for privileged accounts", "mfa", "Exemptions"},
	{"IA-2(2)", "a second factor for other accounts", "mfa", "Exemptions"},
	{"IA-2(8)", "resistance to replay", "mfa", "Second factors"},
	{"IA-5", "authenticators are managed", "mfa", "Second factors"},
	{"IA-5(1)", "rules for passwords", "passwords", "In force"},
};
static const struct control hipaa[] = {
	{"164.308(a)(1)(ii)(D)", "activity is reviewed", "activity", "Over time"},
	{"164.308(a)(3)(ii)(C)", "access ends with employment", "changes",
	 "Differences"},
	{"164.308(a)(4)(ii)(C)", "access is set up, reviewed, changed", "review",
	 "Items"},
	{"164.308(a)(5)(ii)(C)", "logins are watched", "activity", "Refusals"},
	{"164.308(a)(5)(ii)(D)", "passwords are managed", "passwords", "In force"},
	{"164.312(a)(1)", "only those with rights get in", "access",
	 "Who reaches what"},
	{"164.312(a)(2)(i)", "one name a person", "access", "Who reaches what"},
	{"164.312(b)", "activity is recorded", "integrity", "The log"},
	{"164.312(c)(1)", "records are not altered", "integrity", "The log"},
	{"164.312(d)", "people prove who they are", "mfa", "Second factors"},
};
static const struct control cis[] = {
	{"5.1", "an inventory of accounts", "access", "Who reaches what"},
	{"5.3", "accounts unused for 45 days are disabled", "unused", "Dormant people"},
	{"5.4", "administration only by those who need it", "privileged", "Holders"},
	{"6.1", "a process that grants access", "changes", "Who did what"},
	{"6.2", "a process that revokes it", "changes", "Differences"},
	{"6.4", "a second factor for remote access", "mfa", "Exemptions"},
	{"6.5", "a second factor for administration", "mfa", "Exemptions"},
	{"6.8", "access by role, reviewed yearly", "review", "Items"},
	{"8.2", "logs are collected", "activity", "Over time"},
	{"8.4", "clocks agree", "integrity", "Operation"},
	{"8.5", "logs hold the details", "activity", "Refusals"},
	{"8.10", "logs are kept for 90 days", "integrity", "The log"},
	{"8.11", "logs are reviewed", "activity", "Refusals"},
};

static const struct framework {
	const char *name, *title;
	const struct control *controls;
	size_t n;
} frameworks[] = {
	{"pci", "PCI DSS 4.0.1", pci, ARRAY_SIZE(pci)},
	{"iso27001", "ISO/IEC 27001:2022", iso, ARRAY_SIZE(iso)},
	{"soc2", "SOC 2", soc2, ARRAY_SIZE(soc2)},
	{"nist800-53", "NIST SP 800-53 r5", nist, ARRAY_SIZE(nist)},
	{"hipaa", "HIPAA", hipaa, ARRAY_SIZE(hipaa)},
	{"cis", "CIS Controls v8", cis, ARRAY_SIZE(cis)},
};

#define KINDS_MAX 16

static size_t index_of(const char *report)
{
	size_t i = 0;

	while (!str_eq(report_kinds[i].name, report))
		i++; /* the tables above name reports that exist: tested */
	return i;
}

/* What a report says: its own result, without the report. */
static int ask(const struct report_kind_of *kind, const struct report_input *in,
	       struct report *r, const char **ret)
{
	_cleanup_report_ struct report answer = {0};
	size_t n = 0;
	int rc = report_make(kind, in, &answer);

	if (rc != 0)
		return rc;
	for (const struct report_finding *f = answer.first_finding; f; f = f->next)
		n += f->severity >= REPORT_MEDIUM;
	switch (report_exit(&answer, REPORT_MEDIUM)) {
	case REPORT_CLEAN:
		*ret = "no findings";
		break;
	case REPORT_FINDINGS:
		*ret = report_plural(r, n, "kind of finding", "kinds of findings");
		break;
	case REPORT_INCOMPLETE:
		*ret = "incomplete";
		break;
	case REPORT_INTEGRITY:
		*ret = "log damaged";
		break;
	}
	return 0;
}

static int ask_all(const struct report_input *in, struct report *r,
		   const char *results[KINDS_MAX])
{
	int rc = 0;

	for (size_t i = 0; report_kinds[i].name && rc == 0; i++)
		if (report_kinds[i].make != report_control_map)
			rc = ask(&report_kinds[i], in, r, &results[i]);
	return rc;
}

int report_control_map(const struct report_input *in, struct report *r)
{
	const char *results[KINDS_MAX] = {0};
	struct report_input all = *in;
	size_t n = 0, clean = 0;
	struct report_table *t;
	int rc;

	all.framework = NULL;
	rc = ask_all(&all, r, results);
	if (rc != 0)
		return rc;
	report_section(
		r, "Requirements",
		"The words are ours, not the standards'. A report is evidence for a "
		"requirement on this host; whether it suffices, an auditor says.");
	t = REPORT_TABLE(r, "control-map", "Requirement and answer", columns,
			 .none = "No such framework.");
	for (size_t i = 0; i < ARRAY_SIZE(frameworks); i++) {
		const struct framework *f = &frameworks[i];

		for (size_t k = 0; k < f->n; k++) {
			const char *result = results[index_of(f->controls[k].report)];

			if (in->framework && !str_eq(in->framework, f->name))
				continue;
			report_row(t);
			report_put(t, f->title);
			report_put(t, f->controls[k].id);
			report_put(t, f->controls[k].asks);
			report_put(t, f->controls[k].report);
			report_put(t, f->controls[k].section);
			report_put(t, result);
			n++;
			clean += str_eq(result, "no findings");
		}
	}
	report_figure(r, "requirements", "requirements", (int64_t)n, NULL, false);
	report_figure(r, "clean", "answered without findings", (int64_t)clean,
		      report_f(r, "of %zu", n), false);
	report_find(r, REPORT_LOW, "control-open", n - clean, "control-map",
		    report_f(r, "%s findings or missing data.",
			     report_plural(r, n - clean, "requirement is answered with",
					   "requirements are answered with")));
	report_limit(r, "Requirements that a login and its log cannot answer are not "
			"listed.");
	return n > 0 ? 0 : -ENOENT;
}
