/* SPDX-License-Identifier: Apache-2.0 */
/* test_qr.c - what the terminal shows is rendered to a picture and scanned by zbarimg.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/wait.h>

#include "rbacd/enrol/qr.h"

#define SIDE_MAX 256
#define SCALE	 4

static const char uri[] =
	"otpauth://totp/vmsec:alice?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
	"&issuer=vmsec&algorithm=SHA1&digits=6&period=30";

struct screen {
	size_t width, height;
	bool dark[SIDE_MAX]
		 [SIDE_MAX]; /* row, column: what a camera would see as black */
};

/* One character of the drawing: which halves carry ink; returns its bytes. */
static size_t read_ink(const char *p, bool *upper, bool *lower)
{
	*upper = *lower = false;
	if (*p == ' ')
		return 1;
	assert_memory_equal(p, "\xe2\x96", 2);
	*upper = p[2] == '\x88' || p[2] == '\x80';
	*lower = p[2] == '\x88' || p[2] == '\x84';
	return 3;
}

/* A terminal with @ink_is_dark for ink; escape sequences are skipped. */
static void read_blocks(const char *p, bool ink_is_dark, struct screen *s)
{
	size_t x = 0, y = 0;
	bool upper, lower;

	memset(s, 0, sizeof(*s));
	while (*p) {
		if (*p == '\033') {
			p = strchr(p, 'm') + 1;
			continue;
		}
		if (*p == '\n') {
			y += 2;
			x = 0;
			p++;
			continue;
		}
		p += read_ink(p, &upper, &lower);
		s->dark[y][x] = upper == ink_is_dark;
		s->dark[y + 1][x] = lower == ink_is_dark;
		x++;
		s->width = x > s->width ? x : s->width;
	}
	s->height = y;
}

static void write_pbm(const struct screen *s, int fd)
{
	FILE *out = fdopen(fd, "w");

	assert_non_null(out);
	(void)fprintf(out, "P1\n%zu %zu\n", (s->width + 4) * SCALE,
		      (s->height + 4) * SCALE);
	for (size_t y = 0; y < (s->height + 4) * SCALE; y++)
		for (size_t x = 0; x < (s->width + 4) * SCALE; x++) {
			size_t row = y / SCALE, col = x / SCALE;
			bool inside = row >= 2 && col >= 2 && row < s->height + 2 &&
				      col < s->width + 2;

			(void)fputs(inside && s->dark[row - 2][col - 2] ? "1 " : "0 ",
				    out);
		}
	assert_int_equal(fclose(out), 0);
}

/* What zbarimg reads from the picture, or "". */
static void scan(const struct screen *s, char *buf, size_t cap)
{
	char name[] = "/tmp/vmsec-qr-XXXXXX.pbm";
	int fd = mkstemps(name, 4), fds[2], status;
	size_t have = 0;
	ssize_t n;
	pid_t pid;

	assert_true(fd >= 0);
	write_pbm(s, fd);
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)dup2(fds[1], STDOUT_FILENO);
		execlp("zbarimg", "zbarimg", "-q", "--raw", name, (char *)NULL);
		_exit(127);
	}
	(void)close(fds[1]);
	while ((n = read(fds[0], buf + have, cap - 1 - have)) > 0)
		have += (size_t)n;
	buf[have] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	(void)close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)unlink(name);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
		print_message("zbarimg (Debian: zbar-tools) is missing\n");
		skip();
	}
}

/* On the heap; the caller frees it. */
static struct qr_picture *draw(const char *text, enum qr_style style, int quiet)
{
	struct qr_picture *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	assert_int_equal(qr_draw(text, style, quiet, p), 0);
	assert_int_equal(strlen(p->text), p->len);
	return p;
}

static void test_scans(void **state)
{
	static const struct {
		enum qr_style style;
		bool ink_is_dark; /* black on white is set; else a dark terminal */
		int quiet;
	} table[] = {{QR_COLOR, true, QR_QUIET},
		     {QR_BLOCKS, false, QR_QUIET},
		     {QR_BLOCKS, false, QR_QUIET_MIN}};
	static struct screen s[1]; /* scan() may skip the test */
	char got[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct qr_picture *p = draw(uri, table[i].style, table[i].quiet);

		read_blocks(p->text, table[i].ink_is_dark, s);
		assert_int_equal(s->width, p->columns);
		assert_int_equal(s->height, 2 * p->rows);
		qr_free(p);
		scan(s, got, sizeof(got));
		assert_string_equal(got, uri);
		/* The proof can fail: one damaged finder pattern and nothing is read.
		 */
		memset(s->dark, 0, sizeof(s->dark) / SIDE_MAX * 12);
		scan(s, got, sizeof(got));
		assert_string_not_equal(got, uri);
	}
}

static void test_fits_80x24(void **state)
{
	struct qr_picture *p = draw(uri, QR_COLOR, QR_QUIET);

	(void)state;
	print_message("a typical key takes %zu columns and %zu rows\n", p->columns,
		      p->rows);
	assert_true(p->columns <= 80);
	assert_true(p->rows <= 24);
	qr_free(p);
	p = draw(uri, QR_ASCII, QR_QUIET);
	assert_true(p->columns <= 100);
	qr_free(p);
}

static void test_too_long(void **state)
{
	struct qr_picture *p = calloc(1, sizeof(*p));
	char text[4000];

	(void)state;
	assert_non_null(p);
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(qr_draw(text, QR_COLOR, QR_QUIET, p), -EMSGSIZE);
	/* fits a QR code, not the picture: cut it would be another code */
	text[2500] = '\0';
	assert_int_equal(qr_draw(text, QR_ASCII, QR_QUIET, p), -EMSGSIZE);
	qr_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scans),
		cmocka_unit_test(test_fits_80x24),
		cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
