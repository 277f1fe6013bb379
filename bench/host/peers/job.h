// A job, as the worker in C and the worker for OpenCL have it.
#ifndef JOB_H
#define JOB_H
#include <stddef.h>

enum { MAX_BUFFERS = 12, MAX_ARGS = 20 };

enum kind { INT, FLOAT, BUFFER };

struct buffer {
	size_t bytes;
	char file[512]; // what it holds at first; "-": bytes 0xff
	void *data;
};

struct arg {
	enum kind kind;
	int i;
	float f;
	int buffer;
	void *p;
};

// job is one launch. Variables of a module are arguments behind the others.
struct job {
	char kernel[64];
	size_t grid[3], block[3];
	struct buffer buffer[MAX_BUFFERS];
	int buffers;
	struct arg arg[MAX_ARGS];
	int args;
	int out[MAX_BUFFERS];
	int outs;
};
#endif
