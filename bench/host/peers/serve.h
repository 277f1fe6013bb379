// The conversation of a worker with the program that starts it; worker.go has the protocol.
#include "job.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// What a worker provides. Each returns NULL or what went wrong.
const char *job_open(struct job *j);                     // the buffers' data are read already
const char *job_reset(struct job *j);                    // buffers are to hold what they held at first
const char *job_run(struct job *j);                      // and wait
const char *job_fetch(struct job *j, int b, void *into); // a buffer's bytes
void job_close(struct job *j);

static inline double job_now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static char job_message[4096];

static inline const char *job_fail(const char *format, ...) {
	va_list a;
	va_start(a, format);
	vsnprintf(job_message, sizeof job_message, format, a);
	va_end(a);
	for (char *p = job_message; *p; p++)
		if (*p == '\n')
			*p = ' ';
	return job_message;
}

static inline const char *job_load(const struct buffer *b, void *into) {
	if (!strcmp(b->file, "-")) {
		memset(into, 0xff, b->bytes);
		return NULL;
	}
	FILE *f = fopen(b->file, "rb");
	if (!f || fread(into, 1, b->bytes, f) != b->bytes)
		return job_fail("read %s", b->file);
	fclose(f);
	return NULL;
}

static const char *job_parse(struct job *j, const char *dir) {
	char name[600], word[64], a[512], b[512];
	memset(j, 0, sizeof *j);
	snprintf(name, sizeof name, "%s/spec", dir);
	FILE *f = fopen(name, "r");
	if (!f)
		return job_fail("open %s", name);
	while (fscanf(f, "%63s", word) == 1) {
		if (!strcmp(word, "kernel"))
			fscanf(f, "%63s", j->kernel);
		else if (!strcmp(word, "grid"))
			fscanf(f, "%zu %zu %zu", &j->grid[0], &j->grid[1], &j->grid[2]);
		else if (!strcmp(word, "block"))
			fscanf(f, "%zu %zu %zu", &j->block[0], &j->block[1], &j->block[2]);
		else if (!strcmp(word, "buffer")) {
			struct buffer *p = &j->buffer[j->buffers++];
			fscanf(f, "%*s %zu %511s", &p->bytes, b);
			if (strcmp(b, "-"))
				snprintf(p->file, sizeof p->file, "%.255s/%.250s", dir, b);
			else
				strcpy(p->file, b);
		} else if (!strcmp(word, "arg")) {
			struct arg *p = &j->arg[j->args++];
			fscanf(f, "%511s %511s", a, b);
			p->kind = !strcmp(a, "int") ? INT : !strcmp(a, "float") ? FLOAT : BUFFER;
			p->i = p->buffer = atoi(b);
			p->f = strtof(b, NULL);
		} else if (!strcmp(word, "global")) {
			struct arg *p = &j->arg[j->args++];
			fscanf(f, "%*s %d", &p->buffer);
			p->kind = BUFFER;
		} else if (!strcmp(word, "out"))
			fscanf(f, "%d", &j->out[j->outs++]);
	}
	fclose(f);
	return NULL;
}

// job_time runs for some milliseconds, at least three times, and prints how many nanoseconds each run took.
static const char *job_time(struct job *j, double ms) {
	double begun = job_now();
	printf("ok");
	for (int i = 0; i < 3 || (job_now() - begun < ms * 1e6 && i < 500); i++) {
		double t = job_now();
		const char *e = job_run(j);
		if (e)
			return e;
		printf(" %.0f", job_now() - t);
	}
	printf("\n");
	return NULL;
}

// job_check runs once on the first contents and writes the outputs.
static const char *job_check(struct job *j, const char *dir) {
	const char *e = job_reset(j);
	if (!e)
		e = job_run(j);
	for (int i = 0; !e && i < j->outs; i++) {
		struct buffer *b = &j->buffer[j->out[i]];
		char name[600];
		snprintf(name, sizeof name, "%s/out%d", dir, j->out[i]);
		void *data = malloc(b->bytes);
		e = job_fetch(j, j->out[i], data);
		FILE *f = fopen(name, "wb");
		if (!e && (!f || fwrite(data, 1, b->bytes, f) != b->bytes))
			e = job_fail("write %s", name);
		if (f)
			fclose(f);
		free(data);
	}
	if (!e)
		printf("ok\n");
	return e;
}

// job_serve answers commands until the input ends.
static int job_serve(void) {
	static struct job j;
	char line[1024], word[16], rest[1000];
	int open = 0;
	while (fgets(line, sizeof line, stdin)) {
		const char *e = NULL;
		rest[0] = 0;
		sscanf(line, "%15s %999[^\n]", word, rest);
		if (!strcmp(word, "open")) {
			e = job_parse(&j, rest);
			if (!e)
				e = job_open(&j);
			open = !e;
			if (!e)
				printf("ok\n");
		} else if (!strcmp(word, "time"))
			e = job_time(&j, atof(rest));
		else if (!strcmp(word, "check"))
			e = job_check(&j, rest);
		else if (!strcmp(word, "close")) {
			if (open)
				job_close(&j);
			open = 0;
			printf("ok\n");
		}
		if (e)
			printf("error %s\n", e);
		fflush(stdout);
	}
	return 0;
}
