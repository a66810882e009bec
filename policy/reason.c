/* SPDX-License-Identifier: Apache-2.0 */
/* reason.c - the stable identifiers of reasons and methods, as the audit log has them.
 */
#include "policy/policy.h"

const char *policy_reason_name(enum policy_reason reason)
{
	switch (reason) {
	case POLICY_REASON_NONE:
		return "none";
	case POLICY_REASON_NO_POLICY:
		return "no_policy";
	case POLICY_REASON_VM_UNKNOWN:
		return "vm_unknown";
	case POLICY_REASON_SERVICE_UNKNOWN:
		return "service_unknown";
	case POLICY_REASON_UNKNOWN_USER:
		return "unknown_user";
	case POLICY_REASON_ACCT_DISABLED:
		return "acct_disabled";
	case POLICY_REASON_ACCT_EXPIRED:
		return "acct_expired";
	case POLICY_REASON_DENIED:
		return "denied";
	case POLICY_REASON_DIRECTORY_INCOMPLETE:
		return "directory_incomplete";
	case POLICY_REASON_NO_GRANT:
		return "no_grant";
	case POLICY_REASON_GRANT_EXPIRED:
		return "grant_expired";
	case POLICY_REASON_SRC_NOT_ALLOWED:
		return "src_not_allowed";
	case POLICY_REASON_MFA_REQUIRED:
	case POLICY_REASON_MFA_METHOD:
		return "mfa_required";
	case POLICY_REASON_MFA_STALE:
		return "mfa_stale";
	case POLICY_REASON_CLOCK_UNSYNCED:
		return "clock_unsynced";
	case POLICY_REASON_LOCKED:
		return "locked";
	case POLICY_REASON_OUTSIDE_HOURS:
		return "outside_hours";
	case POLICY_REASON_REVIEW_OVERDUE:
		return "review_overdue";
	case POLICY_REASON_SEPARATION:
		return "separation";
	case POLICY_REASON_SESSION_LIMIT:
		return "session_limit";
	case POLICY_REASON_DIRECTORY_STALE:
		return "directory_stale";
	}
	return "unknown";
}

const char *policy_method_name(enum policy_method method)
{
	switch (method) {
	case POLICY_METHOD_TOTP:
		return "totp";
	case POLICY_METHOD_RECOVERY:
		return "recovery";
	case POLICY_METHOD_SECURITY_KEY:
		return "security-key";
	}
	return "unknown";
}
