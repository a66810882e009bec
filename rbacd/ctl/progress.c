/* SPDX-License-Identifier: Apache-2.0 */
/* progress.c - draws the bar, seldom enough to cost nothing. */

#include "rbacd/ctl/progress.h"

#include <time.h>

#define MOMENT_MS 300 /* what is shorter needs no bar */
#define EVERY_MS  100
#define WIDTH	  30

static int64_t now_ms(void)
{
	struct timespec ts = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail on Linux */
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void at(void *arg, size_t done, size_t of)
{
	progress_at(arg, done, of);
}

void progress_begin(struct progress *p, struct ctl *ctl, const char *what)
{
	*p = (struct progress){.ctl = ctl,
			       .what = what,
			       .begun_ms = now_ms(),
			       .wanted = ctl->err == stderr && !ctl->json &&
					 !ctl->csv && isatty(STDERR_FILENO) == 1,
			       .watch = {.at = at, .arg = p}};
}

static void draw(const struct progress *p, size_t done, size_t of)
{
	char bar[WIDTH + 1];
	size_t full = of > 0 ? done * WIDTH / of : 0;

	for (size_t i = 0; i < WIDTH; i++)
		bar[i] = i < full ? '#' : '.';
	bar[WIDTH] = '\0';
	(void)fprintf(p->ctl->err, "\r%s [%s] %3zu %%", p->what, bar,
		      of > 0 ? done * 100 / of : 0);
	(void)fflush(p->ctl->err); /* only a sign of life */
}

void progress_at(struct progress *p, size_t done, size_t of)
{
	int64_t now;

	if (!p->wanted)
		return;
	now = now_ms();
	if (now - p->begun_ms < MOMENT_MS || now - p->shown_ms < EVERY_MS)
		return;
	p->shown_ms = now;
	p->drawn = true;
	draw(p, done, of);
}

void progress_clear(struct progress *p)
{
	if (!p->drawn)
		return;
	(void)fputs("\r\033[K", p->ctl->err);
	(void)fflush(p->ctl->err); /* as above */
	p->drawn = false;
}
