// Where the time goes: seconds, calls and floating-point operations of each kind of kernel, counted by the thread that asks for it.
#define _GNU_SOURCE
#include <stdatomic.h>
#include <time.h>

#include "internal.h"

static const char *const names[ck_kind_count] = {
    [ck_kind_linear_f32] = "linear fp32",
    [ck_kind_linear_bf16] = "linear bf16",
    [ck_kind_linear_i8] = "linear int8",
    [ck_kind_encoder_attention] = "encoder attention",
    [ck_kind_attention] = "attention",
    [ck_kind_attention_backward] = "attention backward",
    [ck_kind_gemm] = "product",
    [ck_kind_norm] = "layer norm",
    [ck_kind_elementwise] = "element by element",
    [ck_kind_layout] = "copies between layouts",
};
static struct {
    _Atomic uint64_t nanoseconds, calls, operations;
} kinds[ck_kind_count];

// A kernel that calls another counts as one.
static _Thread_local int depth;

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

ck_timer ck_timer_begin(ck_kind kind, double operations) {
    if (depth++ > 0) return (ck_timer){kind, 0};
    atomic_fetch_add_explicit(&kinds[kind].calls, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&kinds[kind].operations, (uint64_t)operations, memory_order_relaxed);
    return (ck_timer){kind, now()};
}

void ck_timer_end(ck_timer *timer) {
    depth--;
    if (timer->start)
        atomic_fetch_add_explicit(&kinds[timer->kind].nanoseconds, now() - timer->start, memory_order_relaxed);
}

void ck_profile_reset(void) {
    for (int i = 0; i < ck_kind_count; i++) kinds[i].nanoseconds = 0, kinds[i].calls = 0, kinds[i].operations = 0;
}

bool ck_profile_at(size_t i, ck_profile *entry) {
    if (i >= ck_kind_count) return false;
    *entry = (ck_profile){names[i], (double)kinds[i].nanoseconds * 1e-9, (double)kinds[i].operations, kinds[i].calls};
    return true;
}

typedef struct {
    const ck_kernels *k;
    ck_type type;
    size_t iterations;
    float sums[256];
} peak;

static void peak_tile(void *context, size_t tile) {
    peak *p = context;
    p->sums[tile % 256] = p->k->products[p->type].peak(p->iterations);
}

double ck_peak(const ck_kernels *k, ck_type type, double seconds) {
    if (!k->products[type].peak) return 0;
    size_t threads = ck_pool_threads();
    peak p = {k, type, 20000, {0}};
    for (double best = 0, spent = 0;;) {
        uint64_t start = now();
        ck_parallel(threads, &p, peak_tile);
        double taken = (double)(now() - start) * 1e-9;
        double rate = (double)threads * (double)p.iterations * k->products[type].peak_operations / taken;
        best = rate > best ? rate : best;
        spent += taken;
        if (spent >= seconds) return best;
        if (taken < seconds / 20) p.iterations *= 2;
    }
}
