/*
 * A driver library for tests, without a GPU: memory that is kept, work that is done at once, calls that are recorded, and calls
 * that fail when told to. It is written from the driver manual. Layouts of structures are those that package cuapi
 * writes and `make abi` holds against the real header.
 *
 *   int  fake_calls(name)            how often a function was called, and
 *   u64  fake_arg(name, i)           its i-th argument in the last call
 *   void fake_fail(name, nth, r)     the nth call from now on returns r and does nothing
 *   int  fake_live(void)             objects and memory that were made and not destroyed
 *   int  fake_misuse(void)           calls with a stale handle, without a context, out of bounds, and
 *   char *fake_misused(void)         the function that was last called so
 *   void fake_forget(void)           objects that are left count no more
 *   void fake_set(what, value)       "devices", "driver", "ptx" (the newest version of PTX, as 84)
 *   void fake_serve(name, fn)        fn, with the same parameters, does the work of a function
 *   void fake_reset(void)            forgets counts, orders, settings and who serves
 *
 * gcc -shared -fPIC -O2 -pthread -o libcuda.so.1 fakecuda.c
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef uint64_t u64;
typedef uint32_t u32;
typedef int R;
enum { OK, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_INITIALIZED = 3, NO_DEVICE = 100, INVALID_DEVICE = 101, INVALID_CONTEXT = 201,
	ALREADY_MAPPED = 208, NOT_MAPPED = 211, NOT_MAPPED_AS_ARRAY = 212, INVALID_PTX = 218, UNSUPPORTED_PTX = 222,
	NO_BINARY = 209, PEER_ENABLED = 704, PEER_NOT_ENABLED = 705, INVALID_CLUSTER = 912, INVALID_HANDLE = 400, ILLEGAL_STATE = 401, NOT_FOUND = 500, CAPTURE_UNMATCHED = 903 };
enum { INIT = 1, CTX = 2 };
enum { CONTEXT = 1, STREAM, EVENT, MODULE, FUNCTION, ARRAY, TEXTURE, SURFACE, POOL, GRAPH, EXEC, LINK, RESOURCE, MEMORY, MIPMAP, REFERENCE };
enum { PLAIN, MANAGED, PAGELOCKED, REGISTERED };

/* Records. */
struct rec { const char *name; int calls, n, listed; u64 args[12]; struct rec *next; };
static struct rec *records;
static struct { char name[64]; int nth, result; } orders[16];
static int order_count, misuse, initialised, devices = 2, driver_version = 12040, newest_ptx = 84;
static pthread_mutex_t mutex;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static __thread struct obj *current;

static void make_mutex(void) {
	pthread_mutexattr_t a;
	pthread_mutexattr_init(&a);
	pthread_mutexattr_settype(&a, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&mutex, &a);
}
static int take(void) { pthread_once(&once, make_mutex); pthread_mutex_lock(&mutex); return 0; }
static void leave(int *unused) { (void)unused; pthread_mutex_unlock(&mutex); }

static const char *running, *misused = "";
static int misuse_of(void) { misused = running; return ++misuse; }
static R wrong(R r) { misuse_of(); return r; }

/* Functions whose work somebody else does. They are called without the lock, since they may wait for each other. */
typedef R (*serve_fn)(u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64, u64);
static struct { char name[64]; serve_fn fn; } served[256];
static int served_count;
static serve_fn server(const char *name) {
	for (int i = 0; i < served_count; i++) if (!strcmp(served[i].name, name)) return served[i].fn;
	return NULL;
}
static R serve(serve_fn fn, const u64 *args, int n) {
	u64 a[12] = { 0 };
	memcpy(a, args, n * sizeof *a);
	leave(0);
	R r = fn(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11]);
	take();
	return r;
}

/* note records a call and says whether it goes on here; if not, *result is what it returns. */
static int note(struct rec *r, int needs, const u64 *args, int n, R *result) {
	if (!r->listed) { r->listed = 1; r->next = records; records = r; }
	r->calls++;
	running = r->name;
	r->n = n;
	memcpy(r->args, args, n * sizeof *args);
	for (int i = 0; i < order_count; i++)
		if (orders[i].nth > 0 && !strcmp(orders[i].name, r->name) && --orders[i].nth == 0) return *result = orders[i].result, 0;
	serve_fn fn = server(r->name);
	if (fn) return *result = serve(fn, args, n), 0;
	if (needs & INIT && !initialised) return *result = wrong(NOT_INITIALIZED), 0;
	if (needs & CTX && !current) return *result = wrong(INVALID_CONTEXT), 0;
	return 1;
}
#define A(x) ((u64)(uintptr_t)(x))
#define API(name, needs, ...) \
	static struct rec rec_ = { #name }; \
	int guard_ __attribute__((cleanup(leave), unused)) = take(); \
	const u64 args_[] = { __VA_ARGS__ }; \
	{ R r_; if (!note(&rec_, needs, args_, sizeof args_ / sizeof *args_, &r_)) return r_; }

static struct rec *record(const char *name) {
	for (struct rec *r = records; r; r = r->next) if (!strcmp(r->name, name)) return r;
	return NULL;
}
int fake_calls(const char *name) { take(); struct rec *r = record(name); int n = r ? r->calls : 0; leave(0); return n; }
u64 fake_arg(const char *name, int i) { take(); struct rec *r = record(name); u64 v = r && i < r->n ? r->args[i] : 0; leave(0); return v; }
void fake_fail(const char *name, int nth, int result) {
	take();
	if (order_count == 16) order_count = 0;
	snprintf(orders[order_count].name, 64, "%s", name);
	orders[order_count].nth = nth;
	orders[order_count++].result = result;
	leave(0);
}
void fake_serve(const char *name, serve_fn fn) {
	take();
	if (served_count < 256) {
		snprintf(served[served_count].name, 64, "%s", name);
		served[served_count++].fn = fn;
	}
	leave(0);
}
const char *fake_misused(void) { return misused; }
int fake_misuse(void) { take(); int n = misuse; leave(0); return n; }
void fake_set(const char *what, int v) {
	take();
	if (!strcmp(what, "devices")) devices = v;
	if (!strcmp(what, "driver")) driver_version = v;
	if (!strcmp(what, "ptx")) newest_ptx = v;
	leave(0);
}
void fake_reset(void) {
	take();
	for (struct rec *r = records; r; r = r->next) r->calls = r->n = 0;
	order_count = misuse = served_count = 0;
	devices = 2; driver_version = 12040; newest_ptx = 84;
	leave(0);
}

/* Objects. A handle is the object's address; only listed ones are good. */
struct param { int off, size; };
struct op {
	int kind, n;
	u64 a[8];
	unsigned char *data; /* parameters of a kernel, a box, or the operations of a child */
};
enum { COPY, FILL, BOX, KERNEL, HOST, EMPTY, CHILD };
struct obj {
	int kind, flag;
	struct obj *next, *of, *capture;
	char name[96];
	char *text;
	void *data;
	u64 size, used, peak, v[8];
	struct param params[64];
	int nparams, nops;
	struct op *ops;
	struct timespec at;
};
static struct obj *all;
static int live;
int fake_live(void) { take(); int n = live; leave(0); return n; }

static struct obj *new_obj(int kind) {
	struct obj *o = calloc(1, sizeof *o);
	o->kind = kind;
	o->next = all;
	all = o;
	live += kind != FUNCTION;
	return o;
}
static struct obj *get(u64 h, int kind) {
	for (struct obj *o = all; o; o = o->next) if (A(o) == h && o->kind == kind) return o;
	misuse_of();
	return NULL;
}
static void free_ops(struct op *ops, int n) {
	for (int i = 0; i < n; i++) {
		if (ops[i].kind == CHILD) free_ops((struct op *)ops[i].data, ops[i].n);
		else free(ops[i].data);
	}
	free(ops);
}
static R drop(u64 h, int kind) {
	for (struct obj **p = &all; *p; p = &(*p)->next) {
		struct obj *o = *p;
		if (A(o) != h || o->kind != kind) continue;
		*p = o->next;
		live -= kind != FUNCTION;
		for (struct obj **q = &all; (kind == MODULE || kind == MIPMAP) && *q;) {
			struct obj *f = *q;
			if (f->of != o) { q = &f->next; continue; }
			*q = f->next;
			free(f->data);
			free(f);
		}
		free_ops(o->ops, o->nops);
		free(o->text);
		if (o->flag != REGISTERED) free(o->data);
		free(o);
		return OK;
	}
	return wrong(INVALID_HANDLE);
}

/* Memory: one address on the host and on the device. */
static struct obj *memory(u64 p, u64 n) {
	for (struct obj *o = all; o; o = o->next)
		if (o->kind == MEMORY && p >= A(o->data) && p - A(o->data) + n <= o->size) return o;
	return NULL;
}
static int good(u64 p, u64 n) { if (memory(p, n)) return 1; misuse_of(); return 0; }
static struct obj *new_memory(int flag, void *p, u64 n) {
	struct obj *o = new_obj(MEMORY);
	o->flag = flag;
	o->size = n;
	o->v[7] = A(current); /* whose memory it is */
	o->data = p ? p : aligned_alloc(512, (n + 511) / 512 * 512);
	return o;
}
static R free_memory(u64 p, int flag, int other) {
	struct obj *o = memory(p, 1);
	if (!o || A(o->data) != p || (o->flag != flag && o->flag != other)) return wrong(INVALID_VALUE);
	if (o->of) o->of->used -= o->size;
	return drop(A(o), MEMORY);
}

/* Work. */
static R run(const struct op *o);
static R run_all(const struct op *ops, int n) { R r = OK; for (int i = 0; !r && i < n; i++) r = run(&ops[i]); return r; }

static void fill(unsigned char *p, u32 v, int width, u64 n) {
	for (u64 i = 0; i < n; i++) memcpy(p + i * width, &v, width);
}
static const int format_bytes[33] = { [1] = 1, [2] = 2, [3] = 4, [8] = 1, [9] = 2, [10] = 4, [16] = 2, [32] = 4 };
static unsigned char *end_row(const u64 *e, u64 z, u64 y, u64 width) {
	u64 pitch = e[9], height = e[10], base = e[6];
	if ((u32)e[4] == 3) {
		struct obj *a = get(e[7], ARRAY);
		if (!a) return NULL;
		pitch = a->v[0] * a->v[4];
		height = a->v[1] ? a->v[1] : 1;
		base = A(a->data);
		u64 at = ((e[2] + z) * height + e[1] + y) * pitch + e[0];
		if (at + width > a->size) { misuse_of(); return NULL; }
		return (unsigned char *)base + at;
	}
	base += ((e[2] + z) * height + e[1] + y) * pitch + e[0];
	return good(base, width) ? (unsigned char *)base : NULL;
}
static R copy_box(const u64 *w) {
	for (u64 z = 0; z < w[24]; z++)
		for (u64 y = 0; y < w[23]; y++) {
			unsigned char *dst = end_row(w + 11, z, y, w[22]), *src = end_row(w, z, y, w[22]);
			if (!dst || !src) return INVALID_VALUE;
			memcpy(dst, src, w[22]);
		}
	return OK;
}
/* scale(float *y, const float *x, float a, unsigned n) is the one kernel that does something. */
static R kernel(struct obj *f, const unsigned char *p) {
	if (strcmp(f->name, "scale")) return OK;
	float *y, *x, a;
	u32 n;
	memcpy(&y, p, 8); memcpy(&x, p + 8, 8); memcpy(&a, p + 16, 4); memcpy(&n, p + 20, 4);
	if (!good(A(y), 4ull * n) || !good(A(x), 4ull * n)) return 700;
	for (u32 i = 0; i < n; i++) y[i] = a * x[i];
	return OK;
}
static R run(const struct op *o) {
	switch (o->kind) {
	case COPY:
		if (!good(o->a[0], o->a[2]) || !good(o->a[1], o->a[2])) return INVALID_VALUE;
		memmove((void *)o->a[0], (void *)o->a[1], o->a[2]);
		return OK;
	case FILL: /* address, pitch, value, width, count, rows */
		for (u64 y = 0; y < o->a[5]; y++) {
			if (!good(o->a[0] + y * o->a[1], o->a[3] * o->a[4])) return INVALID_VALUE;
			fill((unsigned char *)o->a[0] + y * o->a[1], o->a[2], o->a[3], o->a[4]);
		}
		return OK;
	case BOX: return copy_box((const u64 *)o->data);
	case KERNEL: { struct obj *f = get(o->a[0], FUNCTION); return f ? kernel(f, o->data) : INVALID_HANDLE; }
	case HOST: ((void (*)(u64))o->a[0])(o->a[1]); return OK;
	case CHILD: return run_all((const struct op *)o->data, o->n);
	}
	return OK;
}
static void *copy_of(const void *p, u64 n) { void *c = malloc(n ? n : 1); memcpy(c, p, n); return c; }
static struct op *copy_ops(const struct op *ops, int n) {
	struct op *c = calloc(n + 1, sizeof *c);
	for (int i = 0; i < n; i++) {
		c[i] = ops[i];
		if (ops[i].kind == CHILD) c[i].data = (unsigned char *)copy_ops((const struct op *)ops[i].data, ops[i].n);
		else if (ops[i].data) c[i].data = copy_of(ops[i].data, ops[i].n);
	}
	return c;
}
static u64 append(struct obj *g, const struct op *o) {
	g->ops = realloc(g->ops, (g->nops + 1) * sizeof *g->ops);
	struct op *c = copy_ops(o, 1);
	g->ops[g->nops++] = *c;
	free(c);
	return g->nops;
}
static R submit(u64 stream, const struct op *o) {
	struct obj *s = get(stream, STREAM);
	if (!s) return INVALID_HANDLE;
	if (!s->capture) return run(o);
	append(s->capture, o);
	return OK;
}

/* Library and devices. */
R cuInit(u32 flags) { API(cuInit, 0, flags) if (!devices) return NO_DEVICE; initialised = 1; return OK; }
R cuDriverGetVersion(int *v) { API(cuDriverGetVersion, 0, A(v)) *v = driver_version; return OK; }
static const struct { R r; const char *name, *text; } names[] = {
	{ INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE", "fake: invalid argument" }, { OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY", "fake: out of memory" },
	{ NO_DEVICE, "CUDA_ERROR_NO_DEVICE", "fake: no device" }, { UNSUPPORTED_PTX, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION", "fake: PTX is too new" },
	{ 700, "CUDA_ERROR_ILLEGAL_ADDRESS", "fake: illegal address" },
};
static R name_of(R r, const char **p, int text) {
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) if (names[i].r == r) { *p = text ? names[i].text : names[i].name; return OK; }
	*p = NULL;
	return INVALID_VALUE;
}
R cuGetErrorName(R r, const char **p) { API(cuGetErrorName, 0, r, A(p)) return name_of(r, p, 0); }
R cuGetErrorString(R r, const char **p) { API(cuGetErrorString, 0, r, A(p)) return name_of(r, p, 1); }
R cuDeviceGetCount(int *n) { API(cuDeviceGetCount, INIT, A(n)) *n = devices; return OK; }
R cuDeviceGet(int *d, int n) { API(cuDeviceGet, INIT, A(d), n) if (n < 0 || n >= devices) return INVALID_DEVICE; *d = n + 100; return OK; }
static int bad_device(int d) { if (d >= 100 && d < 100 + devices) return 0; misuse_of(); return 1; }
#define DEVICE(d) if (bad_device(d)) return INVALID_DEVICE
R cuDeviceGetName(char *s, int n, int d) { API(cuDeviceGetName, INIT, A(s), n, d) DEVICE(d); snprintf(s, n, "Fake C %d", d - 100); return OK; }
R cuDeviceTotalMem_v2(size_t *n, int d) { API(cuDeviceTotalMem_v2, INIT, A(n), d) DEVICE(d); *n = 1ull << 33; return OK; }
static const int attributes[256] = { [1] = 1024, 1024, 1024, 64, 2147483647, 65535, 65535, 49152, 65536, 32, [12] = 65536, [13] = 1980000,
	[14] = 512, [16] = 132, [39] = 2048, [51] = 32, [75] = 9, [76] = 0, [81] = 233472, [95] = 1, [97] = 232448, [115] = 1, [120] = 1 };
R cuDeviceGetAttribute(int *v, int a, int d) {
	API(cuDeviceGetAttribute, INIT, A(v), a, d) DEVICE(d);
	if (a < 1 || a >= 256) return INVALID_VALUE;
	*v = attributes[a];
	return OK;
}
R cuDeviceGetUuid_v2(char *p, int d) { API(cuDeviceGetUuid_v2, INIT, A(p), d) DEVICE(d); memcpy(p, "fakefakefakefake", 16); return OK; }
R cuDeviceGetUuid(char *p, int d) { API(cuDeviceGetUuid, INIT, A(p), d) DEVICE(d); memcpy(p, "fakefakefakefake", 16); return OK; }
R cuDeviceGetPCIBusId(char *s, int n, int d) { API(cuDeviceGetPCIBusId, INIT, A(s), n, d) DEVICE(d); snprintf(s, n, "0000:%02x:00.0", d); return OK; }

/* Contexts. */
static struct obj *primary[8];
R cuDevicePrimaryCtxRetain(u64 *c, int d) {
	API(cuDevicePrimaryCtxRetain, INIT, A(c), d) DEVICE(d);
	struct obj **p = &primary[d - 100];
	if (!*p) *p = new_obj(CONTEXT);
	(*p)->used++;
	*c = A(*p);
	return OK;
}
static R release_primary(int d) {
	DEVICE(d);
	struct obj **p = &primary[d - 100];
	if (!*p) return wrong(INVALID_CONTEXT);
	if (--(*p)->used == 0) { drop(A(*p), CONTEXT); *p = NULL; }
	return OK;
}
R cuDevicePrimaryCtxRelease_v2(int d) { API(cuDevicePrimaryCtxRelease_v2, INIT, d) return release_primary(d); }
R cuDevicePrimaryCtxRelease(int d) { API(cuDevicePrimaryCtxRelease, INIT, d) return release_primary(d); }
R cuDeviceCanAccessPeer(int *can, int d, int other) { API(cuDeviceCanAccessPeer, INIT, A(can), d, other) DEVICE(d); DEVICE(other); *can = d != other; return OK; }
/* Every context reaches all memory here; v[0..7] of a context are those that it was told to reach. */
static R reach(u64 other, int on) {
	struct obj *c = get(other, CONTEXT);
	if (!c || c == current) return wrong(INVALID_CONTEXT);
	for (int i = 0; i < 8; i++)
		if (current->v[i] == other) { if (!on) current->v[i] = 0; return on ? PEER_ENABLED : OK; }
	for (int i = 0; i < 8 && on; i++)
		if (!current->v[i]) { current->v[i] = other; return OK; }
	return on ? 711 : PEER_NOT_ENABLED;
}
R cuCtxEnablePeerAccess(u64 c, u32 flags) { API(cuCtxEnablePeerAccess, CTX, c, flags) return flags ? INVALID_VALUE : reach(c, 1); }
R cuCtxDisablePeerAccess(u64 c) { API(cuCtxDisablePeerAccess, CTX, c) return reach(c, 0); }
R cuCtxSetCurrent(u64 c) {
	API(cuCtxSetCurrent, INIT, c)
	if (c && current && A(current) == c) return OK; /* the common case costs nothing */
	current = c ? get(c, CONTEXT) : NULL;
	return c && !current ? INVALID_CONTEXT : OK;
}
R cuCtxCreate_v2(u64 *c, u32 flags, int d) { API(cuCtxCreate_v2, INIT, A(c), flags, d) DEVICE(d); current = new_obj(CONTEXT); *c = A(current); return OK; }
R cuCtxDestroy_v2(u64 c) { API(cuCtxDestroy_v2, INIT, c) if (A(current) == c) current = NULL; return drop(c, CONTEXT); }
static u64 limits[5] = { 1024, 1 << 20, 8 << 20, 2, 2048 };
R cuCtxGetLimit(size_t *v, int l) { API(cuCtxGetLimit, CTX, A(v), l) if (l < 0 || l > 4) return INVALID_VALUE; *v = limits[l]; return OK; }
R cuCtxSetLimit(int l, size_t v) { API(cuCtxSetLimit, CTX, l, v) if (l < 0 || l > 4) return INVALID_VALUE; limits[l] = v; return OK; }
static int cache_config;
R cuCtxGetCacheConfig(int *v) { API(cuCtxGetCacheConfig, CTX, A(v)) *v = cache_config; return OK; }
R cuCtxSetCacheConfig(int v) { API(cuCtxSetCacheConfig, CTX, v) if (v < 0 || v > 3) return INVALID_VALUE; cache_config = v; return OK; }
R cuCtxGetStreamPriorityRange(int *least, int *greatest) { API(cuCtxGetStreamPriorityRange, CTX, A(least), A(greatest)) *least = 0; *greatest = -5; return OK; }
R cuProfilerStart(void) { API(cuProfilerStart, CTX, 0) return OK; }
R cuProfilerStop(void) { API(cuProfilerStop, CTX, 0) return OK; }

/* Memory. */
R cuMemGetInfo_v2(size_t *f, size_t *t) { API(cuMemGetInfo_v2, CTX, A(f), A(t)) *t = 1ull << 33; *f = 1ull << 32; return OK; }
R cuMemAlloc_v2(u64 *p, size_t n) { API(cuMemAlloc_v2, CTX, A(p), n) if (!n) return INVALID_VALUE; if (n > 1ull << 33) return OUT_OF_MEMORY; *p = A(new_memory(PLAIN, NULL, n)->data); return OK; }
R cuMemFree_v2(u64 p) { API(cuMemFree_v2, CTX, p) return free_memory(p, PLAIN, MANAGED); }
R cuMemGetAddressRange_v2(u64 *base, size_t *n, u64 p) {
	API(cuMemGetAddressRange_v2, CTX, A(base), A(n), p)
	struct obj *o = memory(p, 1);
	if (!o) return NOT_FOUND;
	*base = A(o->data); *n = o->size;
	return OK;
}
R cuMemHostAlloc(void **p, size_t n, u32 flags) { API(cuMemHostAlloc, CTX, A(p), n, flags) if (!n) return INVALID_VALUE; *p = new_memory(PAGELOCKED, NULL, n)->data; return OK; }
R cuMemHostGetDevicePointer_v2(u64 *d, void *p, u32 flags) { API(cuMemHostGetDevicePointer_v2, CTX, A(d), A(p), flags) if (!good(A(p), 1)) return INVALID_VALUE; *d = A(p); return OK; }
R cuMemFreeHost(void *p) { API(cuMemFreeHost, CTX, A(p)) return free_memory(A(p), PAGELOCKED, PAGELOCKED); }
R cuMemHostRegister_v2(void *p, size_t n, u32 flags) { API(cuMemHostRegister_v2, CTX, A(p), n, flags) if (!n) return INVALID_VALUE; new_memory(REGISTERED, p, n); return OK; }
R cuMemHostUnregister(void *p) { API(cuMemHostUnregister, CTX, A(p)) return free_memory(A(p), REGISTERED, REGISTERED); }
static R copy(u64 dst, u64 src, u64 n, u64 s) { struct op o = { COPY, 0, { dst, src, n } }; return submit(s, &o); }
R cuMemcpyHtoDAsync_v2(u64 d, void *h, size_t n, u64 s) { API(cuMemcpyHtoDAsync_v2, CTX, d, A(h), n, s) return copy(d, A(h), n, s); }
R cuMemcpyDtoHAsync_v2(void *h, u64 d, size_t n, u64 s) { API(cuMemcpyDtoHAsync_v2, CTX, A(h), d, n, s) return copy(A(h), d, n, s); }
R cuMemcpyAsync(u64 d, u64 src, size_t n, u64 s) { API(cuMemcpyAsync, CTX, d, src, n, s) return copy(d, src, n, s); }
static R set(u64 p, u64 pitch, u32 v, int width, u64 n, u64 rows, u64 s) { struct op o = { FILL, 0, { p, pitch, v, width, n, rows } }; return submit(s, &o); }
static R owned(u64 ctx, u64 p, u64 n) { struct obj *o = memory(p, n); return get(ctx, CONTEXT) && o && o->v[7] == ctx ? OK : wrong(INVALID_VALUE); }
R cuMemcpyPeerAsync(u64 d, u64 to, u64 src, u64 from, size_t n, u64 s) { API(cuMemcpyPeerAsync, CTX, d, to, src, from, n, s) return owned(to, d, n) || owned(from, src, n) ? INVALID_VALUE : copy(d, src, n, s); }
R cuMemsetD8Async(u64 p, unsigned char v, size_t n, u64 s) { API(cuMemsetD8Async, CTX, p, v, n, s) return set(p, 0, v, 1, n, 1, s); }
R cuMemsetD16Async(u64 p, unsigned short v, size_t n, u64 s) { API(cuMemsetD16Async, CTX, p, v, n, s) return set(p, 0, v, 2, n, 1, s); }
R cuMemsetD32Async(u64 p, u32 v, size_t n, u64 s) { API(cuMemsetD32Async, CTX, p, v, n, s) return set(p, 0, v, 4, n, 1, s); }
R cuMemsetD2D8Async(u64 p, size_t pitch, unsigned char v, size_t w, size_t h, u64 s) { API(cuMemsetD2D8Async, CTX, p, pitch, v, w, h, s) return set(p, pitch, v, 1, w, h, s); }
R cuMemsetD2D16Async(u64 p, size_t pitch, unsigned short v, size_t w, size_t h, u64 s) { API(cuMemsetD2D16Async, CTX, p, pitch, v, w, h, s) return set(p, pitch, v, 2, w, h, s); }
R cuMemsetD2D32Async(u64 p, size_t pitch, u32 v, size_t w, size_t h, u64 s) { API(cuMemsetD2D32Async, CTX, p, pitch, v, w, h, s) return set(p, pitch, v, 4, w, h, s); }
R cuMemcpy3DAsync_v2(const u64 *box, u64 s) { API(cuMemcpy3DAsync_v2, CTX, A(box), s) struct op o = { BOX, 200, { 0 }, (unsigned char *)box }; return submit(s, &o); }
R cuMemcpy3DPeerAsync(const u64 *box, u64 s) {
	API(cuMemcpy3DPeerAsync, CTX, A(box), s)
	struct op o = { BOX, 200, { 0 }, (unsigned char *)box };
	if ((u32)box[4] == 4 && owned(box[8], box[6], 1)) return INVALID_VALUE;
	if ((u32)box[15] == 4 && owned(box[19], box[17], 1)) return INVALID_VALUE;
	return submit(s, &o);
}
R cuPointerGetAttribute(u64 *v, int a, u64 p) {
	API(cuPointerGetAttribute, CTX, A(v), a, p)
	struct obj *o = memory(p, 1);
	if (!o) return INVALID_VALUE;
	switch (a) {
	case 1: *v = o->v[7]; return OK;
	case 2: *(u32 *)v = o->flag == PAGELOCKED || o->flag == REGISTERED ? 1 : 2; return OK;
	case 4: if (o->flag == PLAIN) return INVALID_VALUE; *v = A(o->data); return OK;
	case 11: *v = A(o->data); return OK;
	case 12: *v = o->size; return OK;
	}
	return INVALID_VALUE;
}
R cuMemAllocManaged(u64 *p, size_t n, u32 flags) { API(cuMemAllocManaged, CTX, A(p), n, flags) if (!n || flags != 1) return INVALID_VALUE; *p = A(new_memory(MANAGED, NULL, n)->data); return OK; }
static R managed(u64 p, u64 n) { struct obj *o = memory(p, n ? n : 1); return o && o->flag == MANAGED ? OK : wrong(INVALID_VALUE); }
R cuMemPrefetchAsync_v2(u64 p, size_t n, u64 where, u32 flags, u64 s) { API(cuMemPrefetchAsync_v2, CTX, p, n, where, flags, s) return get(s, STREAM) ? managed(p, n) : INVALID_HANDLE; }
R cuMemPrefetchAsync(u64 p, size_t n, int d, u64 s) { API(cuMemPrefetchAsync, CTX, p, n, d, s) return get(s, STREAM) ? managed(p, n) : INVALID_HANDLE; }
R cuMemAdvise_v2(u64 p, size_t n, int advice, u64 where) { API(cuMemAdvise_v2, CTX, p, n, advice, where) return managed(p, n); }
R cuMemAdvise(u64 p, size_t n, int advice, int d) { API(cuMemAdvise, CTX, p, n, advice, d) return managed(p, n); }
R cuStreamAttachMemAsync(u64 s, u64 p, size_t n, u32 flags) { API(cuStreamAttachMemAsync, CTX, s, p, n, flags) return get(s, STREAM) ? managed(p, n) : INVALID_HANDLE; }
R cuMemPoolCreate(u64 *p, const u64 *props) { API(cuMemPoolCreate, CTX, A(p), A(props)) if ((u32)props[0] != 1) return INVALID_VALUE; *p = A(new_obj(POOL)); return OK; }
R cuMemPoolDestroy(u64 p) {
	API(cuMemPoolDestroy, CTX, p)
	for (struct obj *o = all; o; o = o->next) if (A(o->of) == p) o->of = NULL;
	return drop(p, POOL);
}
R cuMemPoolGetAttribute(u64 h, int a, u64 *v) {
	API(cuMemPoolGetAttribute, CTX, h, a, A(v))
	struct obj *p = get(h, POOL);
	if (!p || a < 4 || a > 8) return INVALID_VALUE;
	*v = a == 4 ? p->v[0] : a == 5 || a == 7 ? p->used : p->peak;
	return OK;
}
R cuMemPoolSetAttribute(u64 h, int a, const u64 *v) {
	API(cuMemPoolSetAttribute, CTX, h, a, A(v))
	struct obj *p = get(h, POOL);
	if (!p || (a != 4 && (*v != 0 || (a != 6 && a != 8)))) return INVALID_VALUE;
	if (a == 4) p->v[0] = *v; else p->peak = p->used;
	return OK;
}
R cuMemPoolTrimTo(u64 p, size_t n) { API(cuMemPoolTrimTo, CTX, p, n) return get(p, POOL) ? OK : INVALID_HANDLE; }
R cuMemAllocFromPoolAsync(u64 *d, size_t n, u64 h, u64 s) {
	API(cuMemAllocFromPoolAsync, CTX, A(d), n, h, s)
	struct obj *p = get(h, POOL);
	if (!p || !get(s, STREAM)) return INVALID_HANDLE;
	struct obj *m = new_memory(PLAIN, NULL, n);
	m->of = p;
	p->used += n;
	if (p->used > p->peak) p->peak = p->used;
	*d = A(m->data);
	return OK;
}
R cuMemFreeAsync(u64 p, u64 s) { API(cuMemFreeAsync, CTX, p, s) return get(s, STREAM) ? free_memory(p, PLAIN, PLAIN) : INVALID_HANDLE; }

/* Images. */
static u64 half(u64 n, u32 level) { return n ? n >> level ? n >> level : 1 : 0; }
static R make_array(u64 *h, const u64 *d, u32 level) {
	u32 f = (u32)d[3], channels = d[3] >> 32;
	if (f > 32 || !format_bytes[f] || !d[0]) return INVALID_VALUE;
	struct obj *a = new_obj(ARRAY);
	a->v[0] = half(d[0], level); a->v[1] = half(d[1], level); a->v[2] = (u32)d[4] & 5 ? d[2] : half(d[2], level);
	a->v[3] = d[3]; a->v[4] = format_bytes[f] * channels; a->v[5] = (u32)d[4];
	a->size = a->v[0] * (a->v[1] ? a->v[1] : 1) * (a->v[2] ? a->v[2] : 1) * a->v[4];
	a->data = calloc(1, a->size);
	*h = A(a);
	return OK;
}
R cuArray3DCreate_v2(u64 *h, const u64 *d) { API(cuArray3DCreate_v2, CTX, A(h), A(d)) return make_array(h, d, 0); }
/* A mipmap's levels go with it, and are no objects of their own. */
R cuMipmappedArrayCreate(u64 *h, const u64 *d, u32 levels) {
	API(cuMipmappedArrayCreate, CTX, A(h), A(d), levels)
	struct obj *m = new_obj(MIPMAP);
	m->size = levels;
	for (u32 i = 0; i < levels; i++) {
		u64 level;
		R r = make_array(&level, d, i);
		if (r) { drop(A(m), MIPMAP); return r; }
		((struct obj *)level)->of = m;
		((struct obj *)level)->used = i;
		live--;
	}
	*h = A(m);
	return OK;
}
R cuMipmappedArrayGetLevel(u64 *a, u64 h, u32 level) {
	API(cuMipmappedArrayGetLevel, CTX, A(a), h, level)
	struct obj *m = get(h, MIPMAP);
	if (!m) return INVALID_HANDLE;
	for (struct obj *o = all; o; o = o->next)
		if (o->of == m && o->used == level) { *a = A(o); return OK; }
	return INVALID_VALUE;
}
R cuMipmappedArrayDestroy(u64 m) { API(cuMipmappedArrayDestroy, CTX, m) return drop(m, MIPMAP); }
R cuArray3DGetDescriptor_v2(u64 *d, u64 h) {
	API(cuArray3DGetDescriptor_v2, CTX, A(d), h)
	struct obj *a = get(h, ARRAY);
	if (!a) return INVALID_HANDLE;
	memcpy(d, a->v, 32);
	*(u32 *)&d[4] = a->v[5];
	return OK;
}
R cuArrayDestroy(u64 a) { API(cuArrayDestroy, CTX, a) return drop(a, ARRAY); }
static R resource(const u64 *r) { return (u32)r[0] == 1 ? get(r[1], MIPMAP) ? OK : INVALID_HANDLE : (u32)r[0] == 0 ? get(r[1], ARRAY) ? OK : INVALID_HANDLE : good(r[1], 1) ? OK : INVALID_VALUE; }
R cuTexObjectCreate(u64 *t, const u64 *res, const u32 *desc, const void *view) { API(cuTexObjectCreate, CTX, A(t), A(res), A(desc), A(view)) R r = resource(res); if (!r) *t = A(new_obj(TEXTURE)); return r; }
R cuTexObjectDestroy(u64 t) { API(cuTexObjectDestroy, CTX, t) return drop(t, TEXTURE); }
R cuSurfObjectCreate(u64 *t, const u64 *res) { API(cuSurfObjectCreate, CTX, A(t), A(res)) R r = resource(res); if (!r) *t = A(new_obj(SURFACE)); return r; }
R cuSurfObjectDestroy(u64 t) { API(cuSurfObjectDestroy, CTX, t) return drop(t, SURFACE); }

/* References go with their module. What they are set to is checked and not kept. */
static R reference(u64 *r, u64 module, const char *name) {
	struct obj *m = get(module, MODULE);
	if (!m) return INVALID_HANDLE;
	char declared[80];
	snprintf(declared, sizeof declared, "ref %s;", name);
	if (!strstr(m->text, declared)) return NOT_FOUND;
	struct obj *o = new_obj(REFERENCE);
	o->of = m;
	live--;
	*r = A(o);
	return OK;
}
static R known(u64 r) { return get(r, REFERENCE) ? OK : INVALID_HANDLE; }
R cuModuleGetTexRef(u64 *r, u64 m, const char *name) { API(cuModuleGetTexRef, CTX, A(r), m, A(name)) return reference(r, m, name); }
R cuModuleGetSurfRef(u64 *r, u64 m, const char *name) { API(cuModuleGetSurfRef, CTX, A(r), m, A(name)) return reference(r, m, name); }
R cuTexRefSetArray(u64 r, u64 a, u32 flags) { API(cuTexRefSetArray, CTX, r, a, flags) return get(a, ARRAY) ? known(r) : INVALID_HANDLE; }
R cuTexRefSetAddress_v2(size_t *o, u64 r, u64 p, size_t n) { API(cuTexRefSetAddress_v2, CTX, A(o), r, p, n) *o = 0; return good(p, n) ? known(r) : INVALID_VALUE; }
R cuTexRefSetAddress2D_v3(u64 r, const u64 *d, u64 p, size_t pitch) { API(cuTexRefSetAddress2D_v3, CTX, r, A(d), p, pitch) return good(p, pitch * d[1]) ? known(r) : INVALID_VALUE; }
R cuTexRefSetFormat(u64 r, u32 f, int n) { API(cuTexRefSetFormat, CTX, r, f, n) return known(r); }
R cuTexRefSetAddressMode(u64 r, int dim, u32 mode) { API(cuTexRefSetAddressMode, CTX, r, dim, mode) return known(r); }
R cuTexRefSetFilterMode(u64 r, u32 mode) { API(cuTexRefSetFilterMode, CTX, r, mode) return known(r); }
R cuTexRefSetBorderColor(u64 r, float *c) { API(cuTexRefSetBorderColor, CTX, r, A(c)) return c[0] == c[0] ? known(r) : INVALID_VALUE; }
R cuTexRefSetFlags(u64 r, u32 flags) { API(cuTexRefSetFlags, CTX, r, flags) return known(r); }
R cuSurfRefSetArray(u64 r, u64 a, u32 flags) { API(cuSurfRefSetArray, CTX, r, a, flags) return get(a, ARRAY) ? known(r) : INVALID_HANDLE; }

/* OpenGL: one buffer, 7, and one image, 8. */
R cuGLGetDevices_v2(u32 *n, int *d, u32 most, int list) { API(cuGLGetDevices_v2, CTX, A(n), A(d), most, list) *n = 1; if (most) *d = 100; return OK; }
R cuGraphicsGLRegisterBuffer(u64 *r, u32 name, u32 flags) {
	API(cuGraphicsGLRegisterBuffer, CTX, A(r), name, flags)
	if (name != 7) return INVALID_VALUE;
	struct obj *o = new_obj(RESOURCE);
	o->of = new_memory(PLAIN, NULL, 256);
	*r = A(o);
	return OK;
}
R cuGraphicsGLRegisterImage(u64 *r, u32 name, u32 target, u32 flags) {
	API(cuGraphicsGLRegisterImage, CTX, A(r), name, target, flags)
	if (name != 8) return INVALID_VALUE;
	struct obj *o = new_obj(RESOURCE), *a = new_obj(ARRAY);
	a->v[0] = 8; a->v[1] = 4; a->v[3] = 1 | 4ull << 32; a->v[4] = 4; a->v[5] = 2; a->size = 128; a->data = calloc(1, 128);
	o->of = a;
	*r = A(o);
	return OK;
}
R cuGraphicsUnregisterResource(u64 r) {
	API(cuGraphicsUnregisterResource, CTX, r)
	struct obj *o = get(r, RESOURCE);
	if (!o) return INVALID_HANDLE;
	struct obj *of = o->of;
	o->of = NULL;
	drop(A(of), of->kind);
	return drop(r, RESOURCE);
}
static R map(u32 n, const u64 *r, u64 s, int on) {
	struct obj *o = n == 1 && get(s, STREAM) ? get(*r, RESOURCE) : NULL;
	if (!o) return INVALID_HANDLE;
	if (o->flag == on) return on ? ALREADY_MAPPED : NOT_MAPPED;
	o->flag = on;
	return OK;
}
R cuGraphicsMapResources(u32 n, u64 *r, u64 s) { API(cuGraphicsMapResources, CTX, n, A(r), s) return map(n, r, s, 1); }
R cuGraphicsUnmapResources(u32 n, u64 *r, u64 s) { API(cuGraphicsUnmapResources, CTX, n, A(r), s) return map(n, r, s, 0); }
R cuGraphicsResourceGetMappedPointer_v2(u64 *p, size_t *n, u64 r) {
	API(cuGraphicsResourceGetMappedPointer_v2, CTX, A(p), A(n), r)
	struct obj *o = get(r, RESOURCE);
	if (!o || !o->flag) return NOT_MAPPED;
	if (o->of->kind != MEMORY) return 213;
	*p = A(o->of->data); *n = o->of->size;
	return OK;
}
R cuGraphicsSubResourceGetMappedArray(u64 *a, u64 r, u32 index, u32 level) {
	API(cuGraphicsSubResourceGetMappedArray, CTX, A(a), r, index, level)
	struct obj *o = get(r, RESOURCE);
	if (!o || !o->flag) return NOT_MAPPED;
	if (o->of->kind != ARRAY) return NOT_MAPPED_AS_ARRAY;
	if (index || level) return INVALID_VALUE;
	*a = A(o->of);
	return OK;
}

/* Streams and events. */
R cuStreamCreateWithPriority(u64 *s, u32 flags, int priority) { API(cuStreamCreateWithPriority, CTX, A(s), flags, (u64)(int64_t)priority) if (flags != 1) return INVALID_VALUE; *s = A(new_obj(STREAM)); return OK; }
static void end_capture(struct obj *c) { for (struct obj *o = all; o; o = o->next) if (o->capture == c) o->capture = NULL; }
R cuStreamDestroy_v2(u64 h) {
	API(cuStreamDestroy_v2, CTX, h)
	struct obj *s = get(h, STREAM), *c = s ? s->capture : NULL;
	if (c && A(c->of) == h) { end_capture(c); c->of = NULL; drop(A(c), GRAPH); } /* of is the stream where it began */
	return drop(h, STREAM);
}
R cuStreamSynchronize(u64 s) { API(cuStreamSynchronize, CTX, s) return get(s, STREAM) ? OK : INVALID_HANDLE; }
R cuStreamQuery(u64 s) { API(cuStreamQuery, CTX, s) return get(s, STREAM) ? OK : INVALID_HANDLE; }
R cuStreamWaitEvent(u64 s, u64 e, u32 flags) {
	API(cuStreamWaitEvent, CTX, s, e, flags)
	struct obj *o = get(s, STREAM), *v = get(e, EVENT);
	if (!o || !v) return INVALID_HANDLE;
	if (v->capture && !o->capture) o->capture = v->capture;
	return OK;
}
R cuLaunchHostFunc(u64 s, u64 fn, u64 data) { API(cuLaunchHostFunc, CTX, s, fn, data) struct op o = { HOST, 0, { fn, data } }; return submit(s, &o); }
R cuEventCreate(u64 *e, u32 flags) { API(cuEventCreate, CTX, A(e), flags) struct obj *o = new_obj(EVENT); o->flag = flags; *e = A(o); return OK; }
R cuEventDestroy_v2(u64 e) { API(cuEventDestroy_v2, CTX, e) return drop(e, EVENT); }
R cuEventRecord(u64 e, u64 s) {
	API(cuEventRecord, CTX, e, s)
	struct obj *v = get(e, EVENT), *o = get(s, STREAM);
	if (!v || !o) return INVALID_HANDLE;
	v->capture = o->capture;
	clock_gettime(CLOCK_MONOTONIC, &v->at);
	return OK;
}
R cuEventQuery(u64 e) { API(cuEventQuery, CTX, e) return get(e, EVENT) ? OK : INVALID_HANDLE; }
R cuEventSynchronize(u64 e) { API(cuEventSynchronize, CTX, e) return get(e, EVENT) ? OK : INVALID_HANDLE; }
static R elapsed(float *ms, u64 a, u64 b) {
	struct obj *x = get(a, EVENT), *y = get(b, EVENT);
	if (!x || !y) return INVALID_HANDLE;
	*ms = (y->at.tv_sec - x->at.tv_sec) * 1e3 + (y->at.tv_nsec - x->at.tv_nsec) / 1e6;
	return OK;
}
R cuEventElapsedTime_v2(float *ms, u64 a, u64 b) { API(cuEventElapsedTime_v2, CTX, A(ms), a, b) return elapsed(ms, a, b); }
R cuEventElapsedTime(float *ms, u64 a, u64 b) { API(cuEventElapsedTime, CTX, A(ms), a, b) return elapsed(ms, a, b); }

/* Modules. Kernels and variables are those that the text declares. */
static int type_bytes(const char *t) {
	int bits = 0;
	for (; *t && !isdigit((unsigned char)*t); t++);
	bits = atoi(t);
	return bits ? bits / 8 : 4;
}
static void declare(struct obj *m) {
	for (char *p = m->text; (p = strstr(p, ".entry ")); ) {
		struct obj *f = new_obj(FUNCTION);
		f->of = m;
		p += 7;
		int n = strspn(p, "_$abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
		snprintf(f->name, sizeof f->name, "%.*s", n, p);
		p += n;
		char *body = strchr(p, '{'), *end = body ? body : p + strlen(p);
		for (int off = 0; (p = strstr(p, ".param ")) && p < end && f->nparams < 64; p++) {
			int align = 0, size;
			char *q = p + 7;
			if (!strncmp(q, ".align ", 7)) { align = atoi(q + 7); q = strchr(q + 7, '.'); }
			size = type_bytes(q);
			if (!align) align = size;
			char *next = strpbrk(q, ",){"), *bracket = strchr(q, '[');
			if (bracket && next && bracket < next) size *= atoi(bracket + 1);
			off = (off + align - 1) / align * align;
			f->params[f->nparams++] = (struct param){ off, size };
			off += size;
		}
		p = end;
	}
}
static void say(u32 n, const int *options, void **values, int buffer, const char *text) {
	for (u32 i = 0; i < n; i++)
		if (options[i] == buffer && values[i]) snprintf(values[i], 1024, "%s", text);
}
R cuModuleLoadDataEx(u64 *h, const char *image, u32 n, const int *options, void **values) {
	API(cuModuleLoadDataEx, CTX, A(h), A(image), n, A(options), A(values))
	struct obj *m = new_obj(MODULE);
	if (!memcmp(image, "\177ELF", 4) && image[48] && image[48] != 90) { drop(A(m), MODULE); return NO_BINARY; } /* e_flags: the architecture */
	if (!memcmp(image, "\177ELF", 4)) m->text = strdup(".entry scale(.param .u64 y, .param .u64 x, .param .f32 a, .param .u32 n) {}");
	else {
		const char *v = strstr(image, ".version ");
		int major = 0, minor = 0;
		if (!v || sscanf(v + 9, "%d.%d", &major, &minor) != 2 || strstr(image, "bad_instruction")) {
			say(n, options, values, 5, "fake ptxas: line 1; fatal: not PTX");
			drop(A(m), MODULE);
			return INVALID_PTX;
		}
		if (major * 10 + minor > newest_ptx) {
			say(n, options, values, 5, "fake ptxas: unsupported .version");
			drop(A(m), MODULE);
			return UNSUPPORTED_PTX;
		}
		m->text = strdup(image);
	}
	say(n, options, values, 3, "fake ptxas: info");
	declare(m);
	m->data = calloc(1, 64); /* the variable "counter" */
	*h = A(m);
	return OK;
}
R cuModuleUnload(u64 m) { API(cuModuleUnload, CTX, m) return drop(m, MODULE); }
R cuModuleGetFunction(u64 *f, u64 m, const char *name) {
	API(cuModuleGetFunction, CTX, A(f), m, A(name))
	if (!get(m, MODULE)) return INVALID_HANDLE;
	for (struct obj *o = all; o; o = o->next) if (o->kind == FUNCTION && A(o->of) == m && !strcmp(o->name, name)) { *f = A(o); return OK; }
	return NOT_FOUND;
}
R cuModuleGetGlobal_v2(u64 *p, size_t *n, u64 h, const char *name) {
	API(cuModuleGetGlobal_v2, CTX, A(p), A(n), h, A(name))
	struct obj *m = get(h, MODULE);
	if (!m) return INVALID_HANDLE;
	if (strcmp(name, "counter")) return NOT_FOUND;
	*p = A(m->data); *n = 64;
	return OK;
}
R cuModuleGetFunctionCount(u32 *n, u64 m) { API(cuModuleGetFunctionCount, CTX, A(n), m) *n = 0; for (struct obj *o = all; o; o = o->next) *n += o->kind == FUNCTION && A(o->of) == m; return OK; }
R cuModuleEnumerateFunctions(u64 *f, u32 most, u64 m) {
	API(cuModuleEnumerateFunctions, CTX, A(f), most, m)
	u32 n = 0;
	for (struct obj *o = all; o && n < most; o = o->next) if (o->kind == FUNCTION && A(o->of) == m) f[n++] = A(o);
	return OK;
}
R cuFuncLoad(u64 f) { API(cuFuncLoad, CTX, f) return get(f, FUNCTION) ? OK : INVALID_HANDLE; }
R cuFuncGetAttribute(int *v, int a, u64 h) {
	API(cuFuncGetAttribute, CTX, A(v), a, h)
	static const int values[10] = { 1024, 0, 0, 0, 16, 75, 90, 0, 49152, -1 };
	struct obj *f = get(h, FUNCTION);
	if (!f || a < 0 || a > 9) return INVALID_VALUE;
	*v = a == 8 && f->v[0] ? (int)f->v[0] : values[a];
	return OK;
}
R cuFuncSetAttribute(u64 h, int a, int v) { API(cuFuncSetAttribute, CTX, h, a, (u64)(int64_t)v) struct obj *f = get(h, FUNCTION); if (!f || (a != 8 && a != 9 && a != 14)) return INVALID_VALUE; if (a == 8) f->v[0] = v; if (a == 14) f->v[1] = v; return OK; }
R cuFuncGetParamInfo(u64 h, size_t i, size_t *off, size_t *size) {
	API(cuFuncGetParamInfo, CTX, h, i, A(off), A(size))
	struct obj *f = get(h, FUNCTION);
	if (!f || i >= (size_t)f->nparams) return INVALID_VALUE;
	*off = f->params[i].off; *size = f->params[i].size;
	return OK;
}
R cuFuncSetCacheConfig(u64 f, int c) { API(cuFuncSetCacheConfig, CTX, f, c) return get(f, FUNCTION) && c >= 0 && c <= 3 ? OK : INVALID_VALUE; }
R cuOccupancyMaxActiveBlocksPerMultiprocessor(int *n, u64 f, int threads, size_t shared) { API(cuOccupancyMaxActiveBlocksPerMultiprocessor, CTX, A(n), f, threads, shared) if (!get(f, FUNCTION) || threads < 1) return INVALID_VALUE; *n = 2048 / threads; return OK; }
R cuOccupancyMaxPotentialBlockSize(int *blocks, int *threads, u64 f, u64 b2d, size_t shared, int limit) {
	API(cuOccupancyMaxPotentialBlockSize, CTX, A(blocks), A(threads), f, b2d, shared, limit)
	if (!get(f, FUNCTION)) return INVALID_HANDLE;
	*threads = limit && limit < 256 ? limit : 256;
	*blocks = 132 * (2048 / *threads);
	return OK;
}
R cuLinkCreate_v2(u32 n, int *options, void **values, u64 *h) { API(cuLinkCreate_v2, CTX, n, A(options), A(values), A(h)) struct obj *o = new_obj(LINK); o->text = strdup(""); say(n, options, values, 3, "fake linker: info"); *h = A(o); return OK; }
R cuLinkAddData_v2(u64 h, int kind, const char *data, size_t size, const char *name, u32 n, int *options, void **values) {
	API(cuLinkAddData_v2, CTX, h, kind, A(data), size, A(name), n, A(options), A(values))
	struct obj *o = get(h, LINK);
	if (!o || kind != 1) return INVALID_VALUE;
	char *t = malloc(strlen(o->text) + size + 1);
	sprintf(t, "%s%.*s", o->text, (int)size, data);
	free(o->text);
	o->text = t;
	return OK;
}
R cuLinkComplete(u64 h, void **image, size_t *n) {
	API(cuLinkComplete, CTX, h, A(image), A(n))
	static const char elf[64] = { 127, 'E', 'L', 'F', 2, 1, 1, [16] = 2, [18] = (char)190, [20] = 1, [52] = 64, [58] = 64 };
	struct obj *o = get(h, LINK);
	if (!o) return INVALID_HANDLE;
	o->data = copy_of(elf, sizeof elf);
	*image = o->data; *n = sizeof elf;
	return OK;
}
R cuLinkDestroy(u64 h) { API(cuLinkDestroy, CTX, h) return drop(h, LINK); }

/* Launches. */
static R launch(u64 h, u64 s, void **params, void **extra) {
	struct obj *f = get(h, FUNCTION);
	unsigned char block[4096] = { 0 };
	struct op o = { KERNEL, 0, { h }, block };
	if (!f) return INVALID_HANDLE;
	if (extra) {
		size_t size = 0;
		for (void **x = extra; *x; x += 2) {
			if (A(*x) == 2) size = *(size_t *)x[1];
			if (A(*x) == 1) o.data = x[1];
		}
		if (size > sizeof block) return INVALID_VALUE;
		o.n = size;
	} else
		for (int i = 0; i < f->nparams; i++) {
			memcpy(block + f->params[i].off, params[i], f->params[i].size);
			o.n = f->params[i].off + f->params[i].size;
		}
	return submit(s, &o);
}
R cuLaunchKernel(u64 f, u32 gx, u32 gy, u32 gz, u32 bx, u32 by, u32 bz, u32 shared, u64 s, void **params, void **extra) {
	API(cuLaunchKernel, CTX, f, gx, gy, gz, bx, by, bz, shared, s, A(params), A(extra))
	if (!gx || !gy || !gz || !bx || !by || !bz) return INVALID_VALUE;
	return launch(f, s, params, extra);
}
R cuLaunchCooperativeKernel(u64 f, u32 gx, u32 gy, u32 gz, u32 bx, u32 by, u32 bz, u32 shared, u64 s, void **params) {
	API(cuLaunchCooperativeKernel, CTX, f, gx, gy, gz, bx, by, bz, shared, s, A(params))
	if ((u64)gx * gy * gz > 132 * 2048ull / ((u64)bx * by * bz)) return 720;
	return launch(f, s, params, NULL);
}
/* A CUlaunchConfig is seven words; each attribute is nine, the number and what follows. */
static u64 cluster_of(const u64 *w) {
	const u64 *a = (const u64 *)w[5];
	for (u64 i = 0; i < (u32)w[6]; i++, a += 9) if ((u32)a[0] == 4) return (u32)a[1] * (a[1] >> 32) * (u32)a[2];
	return 0;
}
R cuLaunchKernelEx(const u64 *w, u64 f, void **params, void **extra) {
	API(cuLaunchKernelEx, CTX, A(w), f, A(params), A(extra))
	struct obj *o = get(f, FUNCTION);
	if (!o) return INVALID_HANDLE;
	if (!(u32)w[0] || !(w[0] >> 32) || !(u32)w[1] || !(w[1] >> 32) || !(u32)w[2] || !(w[2] >> 32)) return INVALID_VALUE;
	if (cluster_of(w) > (o->v[1] ? 16 : 8)) return INVALID_CLUSTER;
	return launch(f, w[4], params, extra);
}
R cuOccupancyMaxActiveClusters(int *n, u64 f, const u64 *w) {
	API(cuOccupancyMaxActiveClusters, CTX, A(n), f, A(w))
	u64 c = cluster_of(w), threads = (w[1] >> 32) * (u32)w[2] * (w[2] >> 32);
	if (!get(f, FUNCTION) || !c || !threads) return INVALID_VALUE;
	*n = 132 * (2048 / threads) / c;
	return OK;
}
R cuOccupancyMaxPotentialClusterSize(int *n, u64 f, const u64 *w) {
	API(cuOccupancyMaxPotentialClusterSize, CTX, A(n), f, A(w))
	struct obj *o = get(f, FUNCTION);
	if (!o) return INVALID_HANDLE;
	*n = o->v[1] ? 16 : 8;
	return OK;
}

/* Graphs. A node is its place in the graph. */
R cuStreamBeginCapture_v2(u64 h, int mode) { API(cuStreamBeginCapture_v2, CTX, h, mode) struct obj *s = get(h, STREAM); if (!s) return INVALID_HANDLE; if (s->capture) return ILLEGAL_STATE; s->capture = new_obj(GRAPH); s->capture->of = s; return OK; }
R cuStreamEndCapture(u64 h, u64 *g) {
	API(cuStreamEndCapture, CTX, h, A(g))
	struct obj *s = get(h, STREAM), *c = s ? s->capture : NULL;
	if (!c) return ILLEGAL_STATE;
	if (c->of != s) return CAPTURE_UNMATCHED;
	end_capture(c);
	c->of = NULL;
	*g = A(c);
	return OK;
}
R cuGraphCreate(u64 *g, u32 flags) { API(cuGraphCreate, CTX, A(g), flags) *g = A(new_obj(GRAPH)); return OK; }
R cuGraphDestroy(u64 g) { API(cuGraphDestroy, CTX, g) return drop(g, GRAPH); }
static R add(u64 *node, u64 h, const u64 *before, size_t n, const struct op *o) {
	struct obj *g = get(h, GRAPH);
	if (!g) return INVALID_HANDLE;
	for (size_t i = 0; i < n; i++) if (!before[i] || before[i] > (u64)g->nops) return wrong(INVALID_VALUE);
	*node = append(g, o);
	return OK;
}
static R add_kernel(u64 *node, u64 g, const u64 *before, size_t n, const u64 *p) {
	struct obj *f = get(p[0], FUNCTION);
	if (!f) return INVALID_HANDLE;
	unsigned char block[4096] = { 0 };
	struct op o = { KERNEL, 0, { p[0] }, block };
	void **params = (void **)p[5], **extra = (void **)p[6];
	if (extra) for (void **x = extra; *x; x += 2) { if (A(*x) == 2) o.n = *(size_t *)x[1]; if (A(*x) == 1) o.data = x[1]; }
	else for (int i = 0; i < f->nparams; i++) { memcpy(block + f->params[i].off, params[i], f->params[i].size); o.n = f->params[i].off + f->params[i].size; }
	return add(node, g, before, n, &o);
}
R cuGraphAddKernelNode_v2(u64 *node, u64 g, const u64 *b, size_t n, const u64 *p) { API(cuGraphAddKernelNode_v2, CTX, A(node), g, A(b), n, A(p)) return add_kernel(node, g, b, n, p); }
R cuGraphAddKernelNode(u64 *node, u64 g, const u64 *b, size_t n, const u64 *p) { API(cuGraphAddKernelNode, CTX, A(node), g, A(b), n, A(p)) return add_kernel(node, g, b, n, p); }
R cuGraphAddMemcpyNode(u64 *node, u64 g, const u64 *b, size_t n, const u64 *box, u64 ctx) { API(cuGraphAddMemcpyNode, CTX, A(node), g, A(b), n, A(box), ctx) struct op o = { BOX, 200, { 0 }, (unsigned char *)box }; return get(ctx, CONTEXT) ? add(node, g, b, n, &o) : INVALID_CONTEXT; }
R cuGraphAddMemsetNode(u64 *node, u64 g, const u64 *b, size_t n, const u64 *p, u64 ctx) {
	API(cuGraphAddMemsetNode, CTX, A(node), g, A(b), n, A(p), ctx)
	struct op o = { FILL, 0, { p[0], p[1], (u32)p[2], p[2] >> 32, p[3], p[4] } };
	return get(ctx, CONTEXT) ? add(node, g, b, n, &o) : INVALID_CONTEXT;
}
R cuGraphAddHostNode(u64 *node, u64 g, const u64 *b, size_t n, const u64 *p) { API(cuGraphAddHostNode, CTX, A(node), g, A(b), n, A(p)) struct op o = { HOST, 0, { p[0], p[1] } }; return add(node, g, b, n, &o); }
R cuGraphAddEmptyNode(u64 *node, u64 g, const u64 *b, size_t n) { API(cuGraphAddEmptyNode, CTX, A(node), g, A(b), n) struct op o = { EMPTY }; return add(node, g, b, n, &o); }
R cuGraphAddChildGraphNode(u64 *node, u64 g, const u64 *b, size_t n, u64 child) {
	API(cuGraphAddChildGraphNode, CTX, A(node), g, A(b), n, child)
	struct obj *c = get(child, GRAPH);
	if (!c) return INVALID_HANDLE;
	struct op o = { CHILD, c->nops, { 0 }, (unsigned char *)c->ops };
	return add(node, g, b, n, &o);
}
R cuGraphGetNodes(u64 h, u64 *nodes, size_t *n) { API(cuGraphGetNodes, CTX, h, A(nodes), A(n)) struct obj *g = get(h, GRAPH); if (!g) return INVALID_HANDLE; *n = g->nops; return OK; }
R cuGraphInstantiateWithFlags(u64 *x, u64 h, u64 flags) {
	API(cuGraphInstantiateWithFlags, CTX, A(x), h, flags)
	struct obj *g = get(h, GRAPH);
	if (!g) return INVALID_HANDLE;
	struct obj *e = new_obj(EXEC);
	e->ops = copy_ops(g->ops, g->nops);
	e->nops = g->nops;
	*x = A(e);
	return OK;
}
R cuGraphLaunch(u64 h, u64 s) {
	API(cuGraphLaunch, CTX, h, s)
	struct obj *x = get(h, EXEC);
	if (!x) return INVALID_HANDLE;
	struct op o = { CHILD, x->nops, { 0 }, (unsigned char *)x->ops };
	return submit(s, &o);
}
R cuGraphExecDestroy(u64 x) { API(cuGraphExecDestroy, CTX, x) return drop(x, EXEC); }
void fake_forget(void) { take(); live = 0; leave(0); }
