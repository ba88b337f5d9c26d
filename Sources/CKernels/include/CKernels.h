// Compute kernels of hspsam: float32, row-major, plain C that the compiler vectorises.
//
// Contracts common to all: any alignment; sizes may be 0; outputs do not alias inputs unless a line says so; nothing is
// allocated here. However work is cut into tiles, every sum has one order: results do not depend on threads. Element-wise work
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

// ---- pages.c: memory for what is large

/// Pages of the system's own, zeros, aligned to 64 bytes; NULL where there are none left.
void *ck_pages_map(size_t bytes);
/// Gives them back; `bytes` as they were mapped.
void ck_pages_unmap(void *base, size_t bytes);

// ---- dispatch.c: instruction sets

/// What is multiplied: floats; bfloat16 with float sums, the odd element of each pair of neighbours along k first; or 8-bit
/// integers, weights of at most 63 with a scale a row of W, activations of at most 127 with a scale a row of x. bfloat16 and
/// 8 bits give the same bits under every instruction set (bfloat16: but for sums below 2⁻¹²⁶, and for AMX, whose hardware sums
/// the even and the odd of 32 elements apart).
typedef enum { ck_type_f32, ck_type_bf16, ck_type_i8 } ck_type;

/// The kernels of one instruction set: a constant that lives as long as the process. Whoever computes says with which.
typedef struct ck_kernels ck_kernels;

/// Those that the environment's HSPSAM_ISA names, where this CPU can run them, else the fastest; the same at every call.
const ck_kernels *ck_kernels_default(void);
/// The i-th that this CPU can run, NULL after the last: portable, avx2, avx2vnni, avx512, avx512vnni, avx512bf16, amx.
const ck_kernels *ck_kernels_available(size_t i);
const char *ck_kernels_name(const ck_kernels *k);
/// Whether products of this type with packed weights take less time than those of floats.
bool ck_kernels_prefer(const ck_kernels *k, ck_type type);

// ---- profile.c: where the time goes

/// One kind of kernel since the last reset: wall-clock seconds, multiplications and additions (products alone), calls.
typedef struct {
    const char *name;
    double seconds, operations;
    size_t calls;
} ck_profile;

void ck_profile_reset(void);
/// The i-th kind; false after the last.
bool ck_profile_at(size_t i, ck_profile *entry);
/// Multiplications and additions a second that all threads together reach in registers alone, in products of this type;
/// measured for about so many seconds, the best piece of them. 0 where there is no such loop.
double ck_peak(const ck_kernels *k, ck_type type, double seconds);

// ---- gemm.c: matrix products of what changes from call to call, tiled over the pool

/// C = alpha · op(A) · op(B) + beta · C, op(A) [m, k], op(B) [k, n]; ld*: row strides of the matrices as stored. `type`: floats,
/// or bfloat16 with float sums; every element is summed in the order of k.
/// Where many tiles need the same panels of the right factor they are packed once, in `scratch`; NULL: by each tile for itself.
void ck_gemm(const ck_kernels *kernels, ck_type type, bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k,
             float alpha, const float *a, size_t lda, const float *b, size_t ldb, float beta, float *c, size_t ldc, float *scratch);
/// Floats of scratch for such a product, 64 MiB at most, aligned to 64 bytes; 0: none would help.
size_t ck_gemm_scratch(const ck_kernels *kernels, ck_type type, bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, float alpha);

// ---- elementwise.c: n elements, or rows × dim

/// y += x.
void ck_add_into(const ck_kernels *k, float *y, const float *x, size_t n);
/// out = a + b; out may alias either.
void ck_add(const ck_kernels *k, float *out, const float *a, const float *b, size_t n);
/// y = scale · x; may alias.
void ck_scale(const ck_kernels *k, float *y, float scale, const float *x, size_t n);
/// out[r, :] = x[r, :] + bias[r mod period, :], rows of dim; out may alias x.
void ck_add_rows(const ck_kernels *k, float *out, const float *x, const float *bias, size_t rows, size_t period, size_t dim);
/// sum[r mod period, :] += x[r, :]: the derivative of ck_add_rows by its bias.
void ck_sum_rows(const ck_kernels *k, float *sum, const float *x, size_t rows, size_t period, size_t dim);
/// GELU by erf (Abramowitz and Stegun 7.1.26, 1.5e-7); out may alias x.
void ck_gelu(const ck_kernels *k, float *out, const float *x, size_t n);
/// dx = dy · GELU'(x); may alias dy.
void ck_gelu_backward(const ck_kernels *k, float *dx, const float *dy, const float *x, size_t n);
/// x = exp(x), below 2 ulp, on the calling thread.
void ck_exp(const ck_kernels *k, float *x, size_t n);
void ck_relu(const ck_kernels *k, float *out, const float *x, size_t n);
void ck_relu_backward(const ck_kernels *k, float *dx, const float *dy, const float *x, size_t n);
/// Layer norm of every row; keeps mean and 1/deviation of each row for the backward where they are not NULL.
void ck_layer_norm(const ck_kernels *k, float *out, float *mean, float *rstd, const float *x, const float *weight, const float *bias,
                   size_t rows, size_t dim, float epsilon);
/// dx, and dweight, dbias (added to) where they are not NULL; scratch: 2 · dim · ⌈rows / 64⌉ floats when they are wanted.
void ck_layer_norm_backward(const ck_kernels *k, float *dx, float *dweight, float *dbias, const float *dy, const float *x, const float *weight,
                            const float *mean, const float *rstd, size_t rows, size_t dim, float *scratch);
/// The C library's logf, expf, cos, sin, log and pow, which Swift reaches only through Foundation.
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
/// How numbers are stored: little-endian, at any address.
typedef enum { ck_stored_f32, ck_stored_f16, ck_stored_bf16 } ck_stored;
/// out = n stored numbers, exactly; false if any is NaN or infinite.
bool ck_decode(const ck_kernels *k, float *out, const void *stored, ck_stored type, size_t n);
/// out = n floats as bfloat16, to the nearest, halves to even, what is below 2⁻¹²⁶ to 0; of an odd number with a zero behind them.
void ck_encode_bf16(const ck_kernels *k, void *out, const float *x, size_t n);
/// One AdamW step in place (decoupled decay): correction1 = 1 − β1^t, correction2 = 1 − β2^t.
void ck_adamw(const ck_kernels *k, float *parameter, float *m, float *v, const float *gradient, size_t n, float learning_rate, float beta1,
              float beta2, float epsilon, float decay, float correction1, float correction2);

// ---- layer.c: linear layers with weights in tile order

typedef enum { ck_activation_none, ck_activation_gelu, ck_activation_relu } ck_activation;

/// A weight W [n, k] in tile order; a view of memory that the caller owns, and the kernels that multiply it.
typedef struct {
    const ck_kernels *kernels;
    ck_type type;
    size_t n, k;
    void *panels;
    /// 8 bits only: scales and 128 · sum of the rows of W; what x is multiplied and W divided by along k.
    float *scales;
    int32_t *offsets;
    float *input_scale;
} ck_matrix;

/// Bytes that a packed matrix takes, for memory aligned to 64 bytes.
size_t ck_matrix_bytes(ck_type type, size_t n, size_t k);
ck_matrix ck_matrix_at(const ck_kernels *kernels, ck_type type, size_t n, size_t k, void *memory);
/// Packs W. input_scale [k]: for 8 bits, all positive; NULL: ones.
void ck_matrix_pack(const ck_matrix *m, const float *weight, const float *input_scale);

/// What a convolution sees of images [batch, height, width, channels]: for each pixel of its result [batch, out_height, out_width] the
/// kernel² pixels that begin with `stride` times its place, less the padding of zeros.
typedef struct {
    size_t batch, height, width, channels, kernel, stride, padding, out_height, out_width;
} ck_patches;

/// out = residual + L₂(activation(L₁(norm(x)))), with one matrix residual + activation(L₁(norm(x))) or activation(norm(L₁(x))). Both
/// matrices have the same kernels; rows follow each other.
typedef struct {
    size_t rows;
    const float *x;
    /// Whose images x is: row i is their patch i. There is no norm before the first matrix then. NULL: x has the rows.
    const ck_patches *patches;
    /// Layer norm before the first matrix; NULL: none.
    const float *norm_weight, *norm_bias;
    float epsilon;
    const ck_matrix *first;
    /// May be NULL, as the second.
    const float *first_bias;
    /// Layer norm of what the one matrix gives, which has no residual then; NULL: none.
    const float *out_norm_weight, *out_norm_bias;
    ck_activation activation;
    /// NULL: one matrix.
    const ck_matrix *second;
    const float *second_bias;
    /// May be NULL, or out; with two matrices also x.
    const float *residual;
    float *out;
} ck_layer;

/// Floats of scratch for each thread.
size_t ck_layer_scratch(const ck_layer *l);
void ck_layer_forward(const ck_layer *l, float *scratch);

// ---- encoder_attention.c

/// softmax(scale · q·kᵀ + decomposed relative position) · v over the whole grid or in windows, from a fused qkv; prompts are
/// keys without a position. One pass over the keys; nothing of the size of queries × keys exists.
///
/// An image has rows × columns tokens, those from the upper left corner of a grid² square; those beyond are nobody's query or key.
/// Row i of qkv holds token i of an image (images follow each other): heads · channels of q, then k, then v. A window that
/// reaches beyond the grid sees there tokens whose qkv is `padding`. *Source*: segment_anything, `Block`, `Attention`.
typedef struct {
    const ck_kernels *kernels;
    /// What is multiplied: float or bfloat16.
    ck_type type;
    size_t batch, rows, columns, grid;
    /// 0: the whole grid.
    size_t window;
    size_t heads, channels;
    const float *qkv;
    const float *padding;
    /// [prompts, 3 · heads · channels]; only k and v count.
    const float *prompt_qkv;
    size_t prompts;
    float scale;
    /// [2 · side − 1, channels], side that of the window or the grid.
    const float *rel_h, *rel_w;
    /// [batch · rows · columns, heads · channels]
    float *out;
} ck_encoder_attention;

/// Whether a side (of the window or the grid) and a number of channels can be done.
bool ck_encoder_attention_fits(size_t side, size_t channels);
/// Floats of scratch for each thread.
size_t ck_encoder_attention_scratch(const ck_encoder_attention *a);
void ck_encoder_attention_forward(const ck_encoder_attention *a, float *scratch);

// ---- attention.c

/// softmax(scale · q·kᵀ + decomposed relative position) · v for every batch element and head.
///
/// Row i of q in batch element b, head h starts at q + b·q_batch + i·q_stride + h·channels; k, v and out likewise (out may
/// have its own width). With side > 0 the first side² keys lie on a grid, queries = side², and logits of those keys get
/// q_i·rel_h[yi − yj + side − 1] + q_i·rel_w[xi − xj + side − 1], with the unscaled q; rel_*: [2·side − 1, channels].
typedef struct {
    const ck_kernels *kernels;
    /// What is multiplied: float or bfloat16.
    ck_type type;
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
    /// Added to the logits of every key, [batch, keys]: large and negative (not infinite) for one that is not there; NULL: 0.
    const float *key_bias;
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

/// out [batch, queries, keys]: softmax weights, mean over heads; without relative position. row: room for the keys of one query.
void ck_attention_weights(const ck_attention *a, float *out, float *row);

// ---- layout.c: copies between layouts

/// image → columns [batch · out_height · out_width, kernel² · channels], a patch a row, in order (row, column, channel).
void ck_im2col(float *columns, const float *image, const ck_patches *patches);
/// The transpose of ck_im2col: image is set to the sums.
void ck_col2im(const ck_kernels *k, float *image, const float *columns, const ck_patches *patches);
/// tokens [batch, grid, grid, dim] → windows [batch·n·n, window², dim], n = ⌈grid / window⌉, zeros beyond the edge.
void ck_window_partition(float *windows, const float *tokens, size_t batch, size_t grid, size_t window, size_t dim);
/// The way back; what lies beyond the edge is dropped.
void ck_window_unpartition(float *tokens, const float *windows, size_t batch, size_t grid, size_t window, size_t dim);
/// [2, 2, c] of every pixel of so many rows (of one image after the other) → twice the rows of twice the width, of [c].
void ck_pixel_shuffle(float *out, const float *in, size_t rows, size_t width, size_t channels);
/// Its transpose.
void ck_pixel_unshuffle(float *out, const float *in, size_t rows, size_t width, size_t channels);
/// out [columns, rows] = transpose of in [rows, columns].
void ck_transpose(float *out, const float *in, size_t rows, size_t columns);

#endif
