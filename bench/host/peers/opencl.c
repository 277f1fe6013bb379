// The worker that runs the kernels in OpenCL C on PoCL. It needs no header of OpenCL: the few functions are declared here,
// as the specification of OpenCL 1.2 has them, and found in the loader library.
#include "serve.h"
#include <dlfcn.h>

typedef void *handle;

static struct {
	int (*platforms)(unsigned, handle *, unsigned *);
	int (*platform_info)(handle, unsigned, size_t, void *, size_t *);
	int (*devices)(handle, unsigned long, unsigned, handle *, unsigned *);
	handle (*context)(const intptr_t *, unsigned, const handle *, void *, void *, int *);
	handle (*queue)(handle, handle, unsigned long, int *);
	handle (*program)(handle, unsigned, const char **, const size_t *, int *);
	int (*build)(handle, unsigned, const handle *, const char *, void *, void *);
	int (*build_info)(handle, handle, unsigned, size_t, void *, size_t *);
	handle (*kernel)(handle, const char *, int *);
	int (*set)(handle, unsigned, size_t, const void *);
	handle (*buffer)(handle, unsigned long, size_t, void *, int *);
	int (*range)(handle, handle, unsigned, const size_t *, const size_t *, const size_t *, unsigned, void *, void *);
	int (*finish)(handle);
	int (*read)(handle, handle, unsigned, size_t, size_t, void *, unsigned, void *, void *);
	int (*write)(handle, handle, unsigned, size_t, size_t, const void *, unsigned, void *, void *);
	int (*free_buffer)(handle);
	int (*free_kernel)(handle);
	int (*free_program)(handle);
} cl;

static const struct {
	const char *name;
	void *at;
} names[] = {
	{"clGetPlatformIDs", &cl.platforms}, {"clGetPlatformInfo", &cl.platform_info}, {"clGetDeviceIDs", &cl.devices},
	{"clCreateContext", &cl.context}, {"clCreateCommandQueue", &cl.queue}, {"clCreateProgramWithSource", &cl.program},
	{"clBuildProgram", &cl.build}, {"clGetProgramBuildInfo", &cl.build_info}, {"clCreateKernel", &cl.kernel},
	{"clSetKernelArg", &cl.set}, {"clCreateBuffer", &cl.buffer}, {"clEnqueueNDRangeKernel", &cl.range},
	{"clFinish", &cl.finish}, {"clEnqueueReadBuffer", &cl.read}, {"clEnqueueWriteBuffer", &cl.write},
	{"clReleaseMemObject", &cl.free_buffer}, {"clReleaseKernel", &cl.free_kernel}, {"clReleaseProgram", &cl.free_program},
};

static handle device, context, queue, program, kernel;
static const char *folder; // of the kernels' sources

#define TRY(call)                                              \
	do {                                                       \
		int code = (call);                                   \
		if (code)                                            \
			return job_fail("%s: error %d", #call, code);    \
	} while (0)

static const char *start(void) {
	void *lib = dlopen("libOpenCL.so.1", RTLD_NOW);
	if (!lib)
		return job_fail("there is no libOpenCL.so.1");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!(*(void **)names[i].at = dlsym(lib, names[i].name)))
			return job_fail("libOpenCL.so.1 has no %s", names[i].name);
	handle all[16];
	unsigned n = 0;
	TRY(cl.platforms(16, all, &n));
	for (unsigned i = 0; i < n; i++) {
		char name[256] = "";
		cl.platform_info(all[i], 0x0902, sizeof name, name, NULL);
		if (!strstr(name, "Portable Computing Language"))
			continue;
		int status;
		TRY(cl.devices(all[i], 2 /* CPU */, 1, &device, NULL));
		context = cl.context(NULL, 1, &device, NULL, NULL, &status);
		TRY(status);
		queue = cl.queue(context, device, 0, &status);
		return status ? job_fail("create a queue: error %d", status) : NULL;
	}
	return job_fail("PoCL is not among the OpenCL platforms");
}

static const char *build(const char *name) {
	char file[1024];
	snprintf(file, sizeof file, "%s/%s.cl", folder, name);
	FILE *f = fopen(file, "rb");
	static char text[1 << 16];
	size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
	if (!n)
		return job_fail("read %s", file);
	fclose(f);
	text[n] = 0;
	const char *source = text;
	int status;
	program = cl.program(context, 1, &source, NULL, &status);
	TRY(status);
	if ((status = cl.build(program, 1, &device, "-cl-mad-enable", NULL, NULL))) {
		static char log[3000];
		cl.build_info(program, device, 0x1183, sizeof log - 1, log, NULL);
		return job_fail("build %s: error %d: %s", name, status, log);
	}
	kernel = cl.kernel(program, name, &status);
	TRY(status);
	return NULL;
}

const char *job_open(struct job *j) {
	const char *e = device ? NULL : start();
	if (!e)
		e = build(j->kernel);
	for (int i = 0; !e && i < j->buffers; i++) {
		int status;
		j->buffer[i].data = cl.buffer(context, 1 /* read and write */, j->buffer[i].bytes, NULL, &status);
		TRY(status);
	}
	for (int i = 0; !e && i < j->args; i++) {
		struct arg *a = &j->arg[i];
		switch (a->kind) {
		case INT:
			TRY(cl.set(kernel, i, sizeof a->i, &a->i));
			break;
		case FLOAT:
			TRY(cl.set(kernel, i, sizeof a->f, &a->f));
			break;
		case BUFFER:
			TRY(cl.set(kernel, i, sizeof(handle), &j->buffer[a->buffer].data));
		}
	}
	return e ? e : job_reset(j);
}

const char *job_reset(struct job *j) {
	const char *e = NULL;
	for (int i = 0; !e && i < j->buffers; i++) {
		struct buffer *b = &j->buffer[i];
		void *data = malloc(b->bytes);
		e = job_load(b, data);
		int status = e ? 0 : cl.write(queue, b->data, 1, 0, b->bytes, data, 0, NULL, NULL);
		free(data);
		TRY(status);
	}
	return e;
}

const char *job_run(struct job *j) {
	size_t all[3];
	for (int i = 0; i < 3; i++)
		all[i] = j->grid[i] * j->block[i];
	TRY(cl.range(queue, kernel, j->grid[2] * j->block[2] > 1 ? 3 : j->grid[1] * j->block[1] > 1 ? 2 : 1, NULL, all, j->block, 0, NULL, NULL));
	TRY(cl.finish(queue));
	return NULL;
}

const char *job_fetch(struct job *j, int b, void *into) {
	TRY(cl.read(queue, j->buffer[b].data, 1, 0, j->buffer[b].bytes, into, 0, NULL, NULL));
	return NULL;
}

void job_close(struct job *j) {
	for (int i = 0; i < j->buffers; i++)
		cl.free_buffer(j->buffer[i].data);
	cl.free_kernel(kernel);
	cl.free_program(program);
}

int main(int n, char **arg) {
	folder = n > 1 ? arg[1] : ".";
	return job_serve();
}
