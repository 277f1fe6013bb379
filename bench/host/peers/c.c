// The worker that runs the kernels in C. Each kernel has two forms: NAME has the algorithm and the data movement of the
// kernel; NAME_best, where it is there, is the best algorithm known for the problem. The argument chooses: same, best.
#define _GNU_SOURCE
#include "serve.h"
#include <dlfcn.h>

static int best;
static void (*entry)(const struct job *);

const char *job_open(struct job *j) {
	char name[80];
	snprintf(name, sizeof name, "%s%s", j->kernel, best ? "_best" : "");
	*(void **)&entry = dlsym(RTLD_DEFAULT, name);
	if (!entry)
		return job_fail("there is no %s", name);
	for (int i = 0; i < j->buffers; i++)
		j->buffer[i].data = aligned_alloc(4096, (j->buffer[i].bytes + 4095) / 4096 * 4096);
	for (int i = 0; i < j->args; i++)
		if (j->arg[i].kind == BUFFER)
			j->arg[i].p = j->buffer[j->arg[i].buffer].data;
	return job_reset(j);
}

const char *job_reset(struct job *j) {
	const char *e = NULL;
	for (int i = 0; !e && i < j->buffers; i++)
		e = job_load(&j->buffer[i], j->buffer[i].data);
	return e;
}

const char *job_run(struct job *j) {
	entry(j);
	return NULL;
}

const char *job_fetch(struct job *j, int b, void *into) {
	memcpy(into, j->buffer[b].data, j->buffer[b].bytes);
	return NULL;
}

void job_close(struct job *j) {
	for (int i = 0; i < j->buffers; i++)
		free(j->buffer[i].data);
}

int main(int n, char **arg) {
	best = n > 1 && !strcmp(arg[1], "best");
	return job_serve();
}
