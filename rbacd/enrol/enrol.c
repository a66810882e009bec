/* SPDX-License-Identifier: Apache-2.0 */
/* enrol.c - a first factor, from the offer to the recovery codes. */

#include "rbacd/enrol/enrol.h"

#include <errno.h>

#include "rbacd/alert.h"
#include "rbacd/clock/clock.h"
#include "rbacd/enrol/page.h"
#include "rbacd/enrol/pending.h"
#include "rbacd/limits.h"
#include "rbacd/log.h"
#include "rbacd/request_internal.h"
#include "rbacd/wire/client.h"

/* ---------------------------------------------------------------- the offer */

/* Seen before, but not for long. Not being able to tell counts as that. */
static bool is_dormant(const struct request *r)
{
	int64_t idle_s;

	return alerts_idle(r->server->alerts, r->person.id, server_now_s(), &idle_s) !=
		       0 ||
	       (idle_s != INT64_MAX &&
		idle_s >= r->server->config->audit.alerts.dormant);
}

/* What the policy offers this person here, whatever is stored of him. */
static struct policy_offer read_offer(struct request *r)
{
	struct policy_mfa assumed = {.state = POLICY_MFA_ASSUMED};
	struct policy_offer offer = {.offered = false};
	struct policy_subject subject;
	struct policy_decision d;

	/* while the clock is in doubt no code of it would hold */
	if (clock_unsure(r->server) || !r->person.known || !r->person.enabled ||
	    !(str_eq(r->facts.privilege, "ssh") ||
	      str_eq(r->facts.privilege, "console")))
		return offer;
	request_decide(r, &assumed, &d);
	if (d.verdict != POLICY_ALLOW || d.would_deny || !d.mfa_required ||
	    !(d.accept & POLICY_METHOD_TOTP))
		return offer;
	identity_person_subject(&r->person,
				config_max_stale(r->server->config, r->facts.privilege),
				&subject);
	policy_enrolment_offer(r->policy, &subject, server_now_s(), &offer);
	return offer;
}

bool enrol_skippable(struct request *r)
{
	struct policy_offer offer = read_offer(r);

	return offer.offered && offer.optional_until_s != 0 &&
	       mfa_draft_possible(r->server->mfa, r->person.id) == 0;
}

/* ---------------------------------------------------------------- the questions */

struct screen {
	char text[ENROL_PAGE_MAX];
};

static void screen_done(struct screen *s)
{
	explicit_bzero(s, sizeof(*s));
}

#define _cleanup_screen_ _cleanup_(screen_done)

/* The picture comes first; whoever did not answer it with a code gets words. */
static int ask_for_code(struct request *r, const struct policy_offer *offer, bool again)
{
	_cleanup_screen_ struct screen s = {0};
	struct pending *e = r->pending;
	const struct enrol_page page = {.login = r->person.login,
					.vm = r->server->config->vm,
					.uri = e->draft.uri,
					.optional_until = offer->optional_until,
					.again = again};
	bool words = e->n_asked > 0 || (r->begin.flags & WIRE_FLAG_PLAIN);
	int rc = -EMSGSIZE;

	if (!words)
		rc = enrol_page_picture(&page, s.text);
	if (rc == -EMSGSIZE)
		rc = enrol_page_text(&page, s.text);
	e->n_asked++;
	return rc == 0 ? request_ask(r,
				     offer->optional_until_s != 0 ? WIRE_STYLE_OPTIONAL
								  : WIRE_STYLE_HIDDEN,
				     s.text)
		       : rc;
}

static int show_codes(struct request *r, const struct mfa_enrolment *done)
{
	_cleanup_screen_ struct screen s = {0};
	int rc = enrol_page_codes(done, s.text);

	return rc == 0 ? request_ask(r, WIRE_STYLE_PAGE, s.text) : rc;
}

bool enrol_begin(struct request *r)
{
	struct policy_offer offer;
	struct pending *e;

	if (!r->server->pendings || !r->facts.proven ||
	    !(r->begin.flags & WIRE_FLAG_CAN_PROMPT))
		return false;
	offer = read_offer(r);
	if (!offer.offered || mfa_draft_possible(r->server->mfa, r->person.id) != 0)
		return false;
	r->dormant = is_dormant(r);
	if (r->dormant)
		return false;
	e = pending_new(r->server->pendings, r->person.id, wire_now_ns());
	if (!e) {
		log_warning("req=%s : no room for an enrolment, or no memory", r->corr);
		return false;
	}
	r->pending = e;
	if (mfa_draft_make(r->person.login, r->server->config->issuer, &e->draft) ==
		    0 &&
	    ask_for_code(r, &offer, false) == 0) {
		conn_wait(r->conn, LIMIT_ENROL_MS);
		return true;
	}
	pending_free(STEAL(r->pending));
	return false;
}

/* ---------------------------------------------------------------- the answers */

static bool refuse(struct request *r, enum wire_result result, const char *reason)
{
	const struct outcome o = {.refusal = result,
				  .reason = reason,
				  .text = "No second factor was set up."};

	outcome_end(r, &o);
	return false;
}

/* Until a date it may be put off; the record says that it was. */
static bool skip(struct request *r, const struct policy_offer *offer)
{
	struct policy_mfa assumed = {.state = POLICY_MFA_ASSUMED};
	struct policy_decision d;
	char text[128];
	const struct outcome o = {.verdict = POLICY_ALLOW,
				  .decision = &d,
				  .how = "skipped",
				  .skipped = true,
				  .text = text};

	(void)snprintf(text, sizeof(text),
		       "A second factor will be needed from %.32s on.",
		       offer->optional_until);
	request_decide(r, &assumed, &d);
	outcome_end(r, &o);
	return false;
}

/* The code came and the codes were read: this login goes on as with any right code. */
static bool finish(struct request *r)
{
	struct mfa_result m = {.outcome = MFA_ACCEPTED,
			       .method = POLICY_METHOD_TOTP,
			       .t_delta = INT64_MIN};
	const struct outcome o = {.verdict = POLICY_ALLOW, .mfa = &m};
	int rc;

	(void)snprintf(m.cred, sizeof(m.cred), "%s", r->pending->name);
	rc = request_remember(r, m.method);
	if (rc != 0)
		server_turn_lost(r->server, rc);
	outcome_end(r, &o);
	return false;
}

/* Everything is stored in this turn, with its record, or nothing is. */
static int activate(struct request *r, const struct secret *code)
{
	_cleanup_(mfa_enrolment_done) struct mfa_enrolment done = MFA_ENROLMENT_INIT;
	struct pending *e = r->pending;
	int rc = mfa_draft_activate(r->server->mfa, &e->draft, r->person.id,
				    r->person.login, code, server_now_s(), &done);

	if (rc == MFA_E_WRONG || rc == MFA_E_EXISTS || rc == MFA_E_DISABLED)
		return rc;
	if (rc == 0)
		rc = outcome_note(r, "enrol", "self_enrol", done.name);
	if (rc == 0)
		rc = show_codes(r, &done);
	if (rc != 0) {
		server_turn_lost(r->server, rc);
		return rc;
	}
	e->active = true;
	memcpy(e->name, done.name, sizeof(e->name));
	mfa_draft_done(&e->draft);
	return 0;
}

static bool try_code(struct request *r, const struct wire_answer *a,
		     const struct policy_offer *offer)
{
	int rc = a->kind == WIRE_ANSWER_CODE ? activate(r, &a->text) : MFA_E_WRONG;

	if (rc == 0)
		return true;
	if (rc == MFA_E_EXISTS || rc == MFA_E_DISABLED)
		return refuse(r, WIRE_RESULT_AUTH_FAILED, "not_enrolled");
	if (rc != MFA_E_WRONG) {
		request_refuse(r->conn, &r->begin, WIRE_RESULT_UNAVAILABLE);
		return false;
	}
	if (r->pending->n_asked < LIMIT_TURNS &&
	    ask_for_code(r, offer, a->kind == WIRE_ANSWER_CODE) == 0)
		return true;
	return refuse(r, WIRE_RESULT_AUTH_FAILED, "not_enrolled");
}

bool enrol_answer(struct request *r, const struct wire_answer *a)
{
	struct pending *e = r->pending;
	struct policy_offer offer;
	int rc;

	if (a->kind == WIRE_ANSWER_FAILED)
		return refuse(r, WIRE_RESULT_CONV_FAILED, "mfa_required");
	if (e->active && !e->over)
		return finish(r);
	rc = clock_check(r->server);
	if (rc != 0) {
		server_turn_lost(r->server, rc);
		request_refuse(r->conn, &r->begin, WIRE_RESULT_UNAVAILABLE);
		return false;
	}
	/* minutes may have passed: nothing is offered any more that has ended since */
	offer = read_offer(r);
	if (e->over || wire_now_ns() >= e->ends_ns || !offer.offered)
		return refuse(r, WIRE_RESULT_AUTH_FAILED, "not_enrolled");
	if (a->kind == WIRE_ANSWER_EMPTY && offer.optional_until_s != 0)
		return skip(r, &offer);
	return try_code(r, a, &offer);
}
