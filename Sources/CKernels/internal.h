// Shared between the files of CKernels; not seen outside.
#ifndef CK_INTERNAL_H
#define CK_INTERNAL_H

#include "CKernels.h"

/// OpenBLAS runs on the calling thread: the pool is ours.
void ck_blas_single_thread(void);

/// The kernels that exist once an instruction set; every one works on one thread.
typedef struct {
    const char *name;
    void (*add)(float *, const float *, const float *, size_t);
    void (*scale)(float *, float, const float *, size_t);
    void (*gelu)(float *, const float *, size_t);
    void (*gelu_backward)(float *, const float *, const float *, size_t);
    void (*relu)(float *, const float *, size_t);
    void (*relu_backward)(float *, const float *, const float *, size_t);
    void (*layer_norm)(float *, float *, float *, const float *, const float *, const float *, size_t, size_t, float);
    void (*layer_norm_backward)(float *, float *, float *, const float *, const float *, const float *, const float *,
                                const float *, size_t, size_t);
    /// x ← exp(x − max x); returns Σ, and the maximum.
    float (*softmax_row)(float *, size_t, float *);
    /// x ← exp(x − shift).
    void (*exp_shifted)(float *, float, size_t);
    /// row[y·side + x] += h[y] + w[x].
    void (*add_position)(float *, const float *, const float *, size_t);
    /// ds ← p · (dp − d), in place of dp.
    void (*softmax_backward)(float *, const float *, float, size_t);
    /// dh[y] += Σx ds[y·side + x]; dw[x] += Σy.
    void (*sum_position)(float *, float *, const float *, size_t);
    float (*dot)(const float *, const float *, size_t);
    void (*adamw)(float *, float *, float *, const float *, size_t, float, float, float, float, float, float, float);
} ck_table;

/// The instruction set in use.
const ck_table *ck_kernels(void);

extern const ck_table ck_table_portable;
#if defined(__x86_64__)
extern const ck_table ck_table_avx2;
extern const ck_table ck_table_avx512;
#endif

#endif
