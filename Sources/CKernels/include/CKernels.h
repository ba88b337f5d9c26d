// Compute kernels of hspsam: float32, row-major, plain C that the compiler vectorises, over OpenBLAS for matrix products.
//
// Contracts common to all: any alignment; sizes may be 0; outputs do not alias inputs unless a line says so; nothing is
// allocated here. Tiles are cut by shape, never by the number of threads, so results do not depend on it. Element-wise work
// and reductions give the same bits under every instruction set: no contraction, sums in sixteen partial sums.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// ---- pool.c: one fork-and-join pool over all cores

/// Sets the number of threads; 0 means the cores that this process may use. Call before the first parallel work.
void ck_pool_start(size_t threads);
size_t ck_pool_threads(void);
/// Runs body(context, tile) for every tile in [0, tiles) on the pool and returns when all are done. Called from within a
/// body it runs the tiles in place.
void ck_parallel(size_t tiles, void *context, void (*body)(void *context, size_t tile));
/// The index of the calling thread within the pool, below ck_pool_threads(): which part of the scratch memory is its own.
size_t ck_worker(void);

// ---- dispatch.c: instruction sets

/// Chooses the instruction set: `name` is portable, avx2 or avx512, or NULL for the best. False if this CPU does not have it.
bool ck_isa_select(const char *name);
/// The one in use.
const char *ck_isa_name(void);
/// The i-th that this CPU can run, NULL after the last; portable first.
const char *ck_isa_available(size_t i);

// ---- gemm.c: matrix products on OpenBLAS, tiled over the pool

/// C = alpha · op(A) · op(B) + beta · C, op(A) [m, k], op(B) [k, n]; ld*: row strides of the matrices as stored.
void ck_gemm(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, float alpha, const float *a, size_t lda,
             const float *b, size_t ldb, float beta, float *c, size_t ldc);
/// The same on the calling thread alone, for use inside tiles.
void ck_gemm_tile(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, float alpha, const float *a, size_t lda,
                  const float *b, size_t ldb, float beta, float *c, size_t ldc);

// ---- elementwise.c: n elements, or rows × dim

/// y += x.
void ck_add_into(float *y, const float *x, size_t n);
/// out = a + b; out may alias either.
void ck_add(float *out, const float *a, const float *b, size_t n);
/// y = scale · x; may alias.
void ck_scale(float *y, float scale, const float *x, size_t n);
/// out[r, :] = x[r, :] + bias[r mod period, :], rows of dim; out may alias x.
void ck_add_rows(float *out, const float *x, const float *bias, size_t rows, size_t period, size_t dim);
/// sum[r mod period, :] += x[r, :]: the derivative of ck_add_rows by its bias.
void ck_sum_rows(float *sum, const float *x, size_t rows, size_t period, size_t dim);
/// GELU by erf (Abramowitz and Stegun 7.1.26, 1.5e-7); out may alias x.
void ck_gelu(float *out, const float *x, size_t n);
/// dx = dy · GELU'(x); may alias dy.
void ck_gelu_backward(float *dx, const float *dy, const float *x, size_t n);
void ck_relu(float *out, const float *x, size_t n);
void ck_relu_backward(float *dx, const float *dy, const float *x, size_t n);
/// Layer norm of every row; keeps mean and 1/deviation of each row for the backward where they are not NULL.
void ck_layer_norm(float *out, float *mean, float *rstd, const float *x, const float *weight, const float *bias,
                   size_t rows, size_t dim, float epsilon);
/// dx, and dweight, dbias (added to) where they are not NULL; scratch: 2 · dim · ⌈rows / 64⌉ floats when they are wanted.
void ck_layer_norm_backward(float *dx, float *dweight, float *dbias, const float *dy, const float *x, const float *weight,
                            const float *mean, const float *rstd, size_t rows, size_t dim, float *scratch);
/// The C library's log, exp, cos, sin, log and pow, which Swift reaches only through Foundation.
float ck_log(float x);
float ck_expf(float x);
double ck_cos(double x);
double ck_sin(double x);
double ck_log_d(double x);
double ck_pow(double x, double y);
/// Σ x² in double.
double ck_sum_squares(const float *x, size_t n);
/// False if any element is NaN or infinite.
bool ck_all_finite(const float *x, size_t n);
/// One AdamW step in place (decoupled decay): correction1 = 1 − β1^t, correction2 = 1 − β2^t.
void ck_adamw(float *parameter, float *m, float *v, const float *gradient, size_t n, float learning_rate, float beta1,
              float beta2, float epsilon, float decay, float correction1, float correction2);

// ---- attention.c

/// softmax(scale · q·kᵀ + decomposed relative position) · v for every batch element and head.
///
/// Row i of q in batch element b, head h starts at q + b·q_batch + i·q_stride + h·channels; k, v and out likewise (out may
/// have its own width). With side > 0 the first side² keys lie on a grid, queries = side², and logits of those keys get
/// q_i·rel_h[yi − yj + side − 1] + q_i·rel_w[xi − xj + side − 1], with the unscaled q; rel_*: [2·side − 1, channels].
typedef struct {
    size_t batch, heads, queries, keys, channels, value_channels;
    const float *q, *k, *v;
    size_t q_stride, k_stride, v_stride, q_batch, k_batch, v_batch;
    float scale;
    size_t side;
    const float *rel_h, *rel_w;
    float *out;
    size_t out_stride, out_batch;
    /// log Σ exp of every query's logits, [batch, heads, queries]; may be NULL when no backward follows.
    float *lse;
} ck_attention;

/// Floats of scratch for each thread, forward and backward.
size_t ck_attention_scratch(const ck_attention *a);
void ck_attention_forward(const ck_attention *a, float *scratch);

/// Derivatives. dq, dk, dv are laid out as q, k, v and are set, not added to (queries and keys of this call only);
/// drel_h, drel_w: [batch · heads, 2·side − 1, channels], one part a head for the caller to sum in order.
typedef struct {
    const float *dout;
    float *dq, *dk, *dv;
    float *drel_h, *drel_w;
} ck_attention_gradients;
void ck_attention_backward(const ck_attention *a, const ck_attention_gradients *g, float *scratch);

/// out [batch, queries, keys]: softmax weights, mean over heads; without relative position.
void ck_attention_weights(const ck_attention *a, float *out);

// ---- layout.c: copies between layouts

/// image [batch, height, width, channels] → columns [batch·oh·ow, kernel²·channels] in order (row, column, channel).
void ck_im2col(float *columns, const float *image, size_t batch, size_t height, size_t width, size_t channels, size_t kernel,
               size_t stride, size_t padding);
/// The transpose of ck_im2col: image is set to the sums.
void ck_col2im(float *image, const float *columns, size_t batch, size_t height, size_t width, size_t channels, size_t kernel,
               size_t stride, size_t padding);
/// tokens [batch, grid, grid, dim] → windows [batch·n·n, window², dim], n = ⌈grid / window⌉, zeros beyond the edge.
void ck_window_partition(float *windows, const float *tokens, size_t batch, size_t grid, size_t window, size_t dim);
/// The way back; what lies beyond the edge is dropped.
void ck_window_unpartition(float *tokens, const float *windows, size_t batch, size_t grid, size_t window, size_t dim);
/// [rows, 2, 2, c] of every pixel of [batch, side, side] → [batch, 2·side, 2·side, c].
void ck_pixel_shuffle(float *out, const float *in, size_t batch, size_t side, size_t channels);
/// Its transpose.
void ck_pixel_unshuffle(float *out, const float *in, size_t batch, size_t side, size_t channels);
/// out [columns, rows] = transpose of in [rows, columns].
void ck_transpose(float *out, const float *in, size_t rows, size_t columns);

#endif
