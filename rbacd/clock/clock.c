/* SPDX-License-Identifier: Apache-2.0 */
/* clock.c - watches the wall clock for the daemon, and records what it sees. */
#include "rbacd/clock/clock.h"

#include <errno.h>
#include <sys/timex.h>
#include <time.h>

#include "rbacd/log.h"
#include "rbacd/server.h"

#define META_DISTRUSTED "clock-distrusted" /* "1" or "0"; survives a restart */
#define META_AGE	"clock-age"	   /* struct clock_age */

int64_t clock_boot_s(void)
{
	struct timespec ts = {0};

	(void)clock_gettime(CLOCK_BOOTTIME, &ts); /* cannot fail on Linux */
	return (int64_t)ts.tv_sec;
}

bool clock_synchronised(const struct server *s)
{
	struct timex tx = {.modes = 0};
	int state = adjtimex(&tx);

	/* Not allowed to ask: rbacd-dir does. */
	if (state < 0)
		return s->clock.told;
	return state != TIME_ERROR && !(tx.status & STA_UNSYNC);
}

static int note(struct server *s, bool distrusted)
{
	return store_meta_put(s->store, META_DISTRUSTED, distrusted ? "1" : "0", 1);
}

static int record(struct server *s, const char *ev, enum audit_sev sev,
		  const char *actor, const char *text)
{
	struct audit_event e = AUDIT_EVENT_INIT;
	char id[AUDIT_ID_MAX + 1];

	e.ev = ev;
	e.sev = sev;
	e.outcome = AUDIT_SUCCESS;
	e.actor = actor;
	e.vm = s->config->vm;
	e.reason_text = text;
	return audit_append(s->audit, &e, server_now_us(), id);
}

int64_t clock_aged_s(const struct server *s)
{
	return clock_guard_aged(&s->clock.guard, clock_boot_s());
}

int64_t clock_ahead_s(const struct server *s)
{
	return server_now_s() - clock_aged_s(s);
}

int clock_keep_age(struct server *s)
{
	const struct clock_age age = {clock_aged_s(s), server_now_s()};

	return store_meta_put(s->store, META_AGE, &age, sizeof(age));
}

static int resume(struct server *s)
{
	struct clock_age age;
	size_t len = 0;
	int rc = store_meta_get(s->store, META_AGE, &age, sizeof(age), &len);

	if (rc == 0 && len != sizeof(age))
		return STORE_E_CORRUPT;
	if (rc == 0)
		clock_guard_resume(&s->clock.guard, server_now_s(), clock_boot_s(),
				   &age);
	return rc == 0 || rc == STORE_E_NONE ? clock_keep_age(s) : rc;
}

int clock_start(struct server *s)
{
	struct store_head head;
	char was = '0';
	size_t len = 0;
	int rc = store_audit_head(s->store, &head);

	if (rc == 0)
		rc = store_meta_get(s->store, META_DISTRUSTED, &was, 1, &len);
	if (rc != 0 && rc != STORE_E_NONE)
		return rc < 0 ? rc : -EIO;
	clock_guard_start(&s->clock.guard, server_now_s(), clock_boot_s(), head.ts_s,
			  was != '0');
	rc = resume(s);
	return rc == 0 ? clock_tick(s) : rc;
}

/* What a time that lies back would bring to life again is void. */
static int set_back(struct server *s, int64_t back_s)
{
	char text[96];
	int rc = store_proof_clear_all(s->store);

	log_err("the clock was set back by %lld s: time-based codes are refused until "
		"it is synchronised, or rbacctl clock accept",
		(long long)back_s);
	(void)snprintf(
		text, sizeof(text),
		"set back by %lld s: remembered proofs and bypass codes are void",
		(long long)back_s); /* fits */
	if (rc == 0)
		rc = store_code_clear_ending(s->store);
	if (rc == 0)
		rc = note(s, true);
	if (rc == 0)
		rc = record(s, "clock.back", AUDIT_ALERT, NULL, text);
	return rc;
}

int clock_check(struct server *s)
{
	int64_t back_s;
	int rc;

	if (s->clock.moved || /* seen; adopted at the turn's end */
	    !clock_guard_see(&s->clock.guard, server_now_s(), clock_boot_s(), &back_s))
		return 0;
	rc = set_back(s, back_s);
	s->clock.moved = rc == 0;
	return rc;
}

static int trust_again(struct server *s, const char *ev, enum audit_sev sev,
		       const char *actor, const char *text)
{
	int rc = note(s, false);

	if (rc == 0)
		rc = record(s, ev, sev, actor, text);
	if (rc == 0) {
		s->clock.before = s->clock.guard;
		s->clock.guard.distrusted = false;
		s->clock.trusted = true;
	}
	return rc;
}

static void see_sync(struct server *s)
{
	bool unsynced = !clock_synchronised(s);

	if (unsynced && !s->clock.unsynced)
		log_warning("the kernel does not say that the clock is synchronised");
	s->clock.unsynced = unsynced;
	audit_clock_unsynced(s->audit, unsynced);
}

int clock_tick(struct server *s)
{
	int rc;

	see_sync(s);
	rc = clock_check(s);
	if (rc != 0 || s->clock.moved || !s->clock.guard.distrusted ||
	    s->clock.unsynced)
		return rc;
	log_notice("the clock is synchronised: it is trusted again");
	return trust_again(s, "clock.synchronised", AUDIT_NOTICE, NULL, NULL);
}

int clock_accept(struct server *s, const char *actor, const char *why, bool *ret_done)
{
	int rc = clock_check(s);

	*ret_done = s->clock.guard.distrusted || llabs(clock_ahead_s(s)) > CLOCK_BACK_S;
	if (rc != 0 || !*ret_done)
		return rc;
	log_warning("the clock was accepted by %s", actor);
	rc = trust_again(s, "clock.accept", AUDIT_ALERT, actor, why);
	if (rc != 0)
		return rc;
	s->clock.guard.age_s += clock_ahead_s(s);
	s->clock.forget_s = 0; /* it may have gone back, too */
	return clock_keep_age(s);
}

bool clock_unsure(const struct server *s)
{
	return s->clock.guard.distrusted ||
	       (s->config->require_sync && !clock_synchronised(s));
}

void clock_end_turn(struct server *s, bool kept)
{
	if (kept && s->clock.moved)
		clock_guard_adopt(&s->clock.guard, server_now_s(), clock_boot_s());
	if (!kept && s->clock.trusted)
		s->clock.guard = s->clock.before;
	s->clock.moved = s->clock.trusted = false;
}
