/* A libcuda in software, for tests of the order of calls: memory is malloc, a stream runs at once,
 * a capture records copies. It proves nothing about a GPU. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int Result;
typedef unsigned long long Address;

enum { OK = 0, TOO_LITTLE = 2, NO_CONTEXT = 201, NOT_FOUND = 500, CAPTURING = 900 };
static int depth, capturing, count, live;
static struct { void *to; const void *from; size_t size; } copies[64];

/* What was handed out and not given back: contexts, streams, memory, graphs. */
int software_live(void) { return live; }

static Result copy(void *to, const void *from, size_t size) {
  if (depth < 1) return NO_CONTEXT;
  if (capturing) {
    copies[count].to = to;
    copies[count].from = from;
    copies[count++].size = size;
  } else {
    memcpy(to, from, size);
  }
  return OK;
}

static Result allocate(void **memory, size_t size) {
  if (depth < 1) return NO_CONTEXT;
  if (size > (size_t)1 << 40) return TOO_LITTLE;
  *memory = malloc(size);
  live++;
  return OK;
}

Result cuInit(unsigned flags) { return OK; }
Result cuDeviceGetCount(int *n) { *n = 1; return OK; }
Result cuDeviceGet(int *device, int index) { *device = 0; return OK; }
Result cuDeviceGetName(char *text, int size, int device) { strcpy(text, "Software"); return OK; }
Result cuDeviceGetAttribute(int *value, int which, int device) { *value = which; return OK; }
Result cuDeviceTotalMem_v2(size_t *size, int device) { *size = 1u << 30; return OK; }
Result cuDriverGetVersion(int *version) { *version = 12060; return OK; }
Result cuGetErrorName(Result e, const char **text) { *text = "E"; return OK; }
Result cuGetErrorString(Result e, const char **text) { *text = "E"; return OK; }
Result cuDevicePrimaryCtxRetain(void **c, int device) { *c = (void *)16; live++; return OK; }
Result cuDevicePrimaryCtxRelease_v2(int device) { live--; return OK; }
Result cuCtxPushCurrent_v2(void *c) { depth++; return OK; }
Result cuCtxPopCurrent_v2(void **c) { *c = (void *)16; return --depth < 0 ? NO_CONTEXT : OK; }
Result cuStreamCreate(void **s, unsigned flags) {
  if (depth < 1) return NO_CONTEXT;
  *s = (void *)32;
  live++;
  return OK;
}
Result cuStreamDestroy_v2(void *s) { live--; return OK; }
Result cuStreamSynchronize(void *s) { return capturing ? CAPTURING : OK; }
Result cuMemHostAlloc(void **p, size_t size, unsigned flags) { return allocate(p, size); }
Result cuMemFreeHost(void *p) { free(p); live--; return OK; }
Result cuMemAlloc_v2(Address *p, size_t size) { return allocate((void **)p, size); }
Result cuMemFree_v2(Address p) { free((void *)p); live--; return OK; }
Result cuMemcpyHtoDAsync_v2(Address to, const void *from, size_t size, void *s) {
  return copy((void *)to, from, size);
}
Result cuMemcpyDtoHAsync_v2(void *to, Address from, size_t size, void *s) {
  return copy(to, (void *)from, size);
}
Result cuStreamBeginCapture_v2(void *s, int mode) {
  if (capturing || mode != 1) return CAPTURING;
  capturing = 1;
  count = 0;
  return OK;
}
Result cuStreamEndCapture(void *s, void **graph) {
  capturing = 0;
  *graph = (void *)48;
  live++;
  return OK;
}
Result cuGraphInstantiateWithFlags(void **e, void *g, Address flags) {
  *e = (void *)64;
  live++;
  return OK;
}
Result cuGraphDestroy(void *graph) { live--; return OK; }
Result cuGraphExecDestroy(void *graph) { live--; return OK; }
Result cuGraphLaunch(void *graph, void *s) {
  for (int i = 0; i < count; i++) memcpy(copies[i].to, copies[i].from, copies[i].size);
  return OK;
}

/* How cuda-bindings asks for functions, without their version. */
static Result find(const char *name, void **function) {
  char versioned[200];
  void *self = dlopen("libcuda.so.1", RTLD_NOW);
  snprintf(versioned, sizeof versioned, "%s_v2", name);
  *function = dlsym(self, versioned);
  if (!*function) *function = dlsym(self, name);
  return *function ? OK : NOT_FOUND;
}
Result cuGetProcAddress(const char *name, void **f, int version, Address flags) {
  return find(name, f);
}
Result cuGetProcAddress_v2(const char *name, void **f, int version, Address flags, int *status) {
  Result code = find(name, f);
  if (status) *status = code ? 1 : 0;
  return code;
}
