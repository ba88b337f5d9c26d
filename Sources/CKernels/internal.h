// Shared between the files of CKernels; not seen outside.
#ifndef CK_INTERNAL_H
#define CK_INTERNAL_H

#include "CKernels.h"

enum {
    /// Steps of four bytes along k that rows are packed for at once.
    ck_block_steps = 256,
    /// Words from one packed row to the next: no power of two, so that rows do not meet in one set of the cache, and no multiple of
    /// a line, so that words of several rows are read at once (AMD's first cache has banks: 10 % of a product). Where
    /// whole lines are read, as by AMX, or written, as weights of bfloat16 by AVX-512, they are lines apart instead.
    ck_row_words = ck_block_steps + 20,
    ck_line_row_words = ck_block_steps + 16,
    /// Columns of a panel of packed weights.
    ck_panel_columns = 32,
};

/// Words of four bytes that a tile's working set should have, from the size of a core's second cache. Results do not depend on it.
size_t ck_tile_words(void);

static inline size_t ck_ceiling(size_t a, size_t b) { return (a + b - 1) / b; }
static inline size_t ck_smaller(size_t a, size_t b) { return a < b ? a : b; }

// layout.c: patch `row` of images, kernel² · channels floats.
void ck_patch(float *out, const float *image, const ck_patches *patches, size_t row);
/// Elements in a step of four bytes.
static inline size_t ck_elements(ck_type type) { return type == ck_type_f32 ? 1 : type == ck_type_bf16 ? 2 : 4; }

/// out [rows, 32] (+)= packed rows · panel over its `steps` steps; out is float, or int32 for 8 bits; ldc in words. `next` is the panel
/// (or any address) that is needed afterwards.
typedef void ck_panel_product(size_t rows, const void *packed, const void *panel, const void *next, size_t steps, void *out,
                              size_t ldc, bool add);

/// Does so many rounds of a product's arithmetic on registers.
typedef float ck_peak_function(size_t iterations);

/// How rows are multiplied with packed weights of one type.
typedef struct {
    ck_panel_product *panel;
    /// n elements as ceil(n / elements a word) steps, the last filled with zeros. Not for 8 bits.
    void (*pack)(void *out, const float *x, size_t n);
    /// Words a step of a packed row, two where bfloat16 is held as float; and from one packed row to the next.
    size_t words, row_words;
    /// NULL where there is none; and the operations of one round.
    ck_peak_function *peak;
    double peak_operations;
} ck_product;

/// The kinds of kernels that profile.c tells apart.
typedef enum {
    ck_kind_linear_f32,
    ck_kind_linear_bf16,
    ck_kind_linear_i8,
    ck_kind_encoder_attention,
    ck_kind_attention,
    ck_kind_attention_backward,
    ck_kind_gemm,
    ck_kind_norm,
    ck_kind_elementwise,
    ck_kind_layout,
    ck_kind_count
} ck_kind;

typedef struct {
    ck_kind kind;
    uint64_t start;
} ck_timer;

ck_timer ck_timer_begin(ck_kind kind, double operations);
void ck_timer_end(ck_timer *timer);

/// Counts the rest of the function as a kernel of this kind.
#define CK_TIMED(kind, operations)                                                                                         \
    ck_timer timer __attribute__((cleanup(ck_timer_end), unused)) = ck_timer_begin(kind, operations)

/// How the weights of a softmax are packed for the product with the values.
typedef enum { ck_weights_float, ck_weights_bf16_wide, ck_weights_bf16 } ck_weights;

/// Logits of some queries, a row each, with n keys. The weights take their place, filled up to a multiple of sixteen with next to
/// nothing; rows have room for that.
typedef struct {
    float *x;
    size_t ld, n;
    float scale;
    /// So many keys come first that lie in rows of `side`, a multiple of eight.
    size_t placed, side;
    /// −∞ for the columns of a row that are not there, else 0, with room for a vector of sixteen at any; NULL: all are.
    const float *lacking;
    /// Added to those of each key, with room for a multiple of sixteen; NULL: 0.
    const float *bias;
    ck_weights weights;
} ck_logits;

/// What becomes of the sums of a panel: activation((sum − offset) · row scale · scale + bias) + residual.
typedef struct {
    /// 8 bits only (else NULL): the sums are int32.
    const int32_t *offsets;
    const float *scales, *row_scales;
    /// May be NULL.
    const float *bias;
    ck_activation activation;
    /// Rows as far apart as those of the result; may be NULL.
    const float *residual;
} ck_finish;

/// The kernels that exist once an instruction set; every one works on one thread.
struct ck_kernels {
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
    /// x ← exp(x).
    void (*exp)(float *, size_t);
    /// x ← exp(scale · x + bias + h + w − lse): logits of keys, a row each, ck_row_words apart, against n queries, a multiple of 16. bias: one
    /// of each key, or NULL; h, lse: one of each query; w: a row of them for each key, ldw apart (0: the same for all).
    void (*softmax_columns)(float *, float scale, const float *bias, const float *h, const float *w, size_t ldw, const float *lse, size_t keys,
                            size_t n);
    /// ds ← p · (dp − d) of such rows, in place of dp and as steps of panels that have so many (at most ck_block_steps), the first at
    /// `panels` (may be NULL); dh and dw, laid out as h and w, are added to.
    void (*softmax_columns_backward)(float *, const float *p, const float *d, float *dh, float *dw, size_t ldw, size_t keys, size_t n,
                                     float *panels, size_t steps);
    float (*dot)(const float *, const float *, size_t);
    void (*adamw)(float *, float *, float *, const float *, size_t, float, float, float, float, float, float, float);
    /// out [rows, n] of sums [rows, 32], n at most 32; out may not be the sums, but the residual.
    void (*finish)(float *, size_t, const float *, size_t, size_t, const ck_finish *);
    void (*multiply)(float *, const float *, const float *, size_t);
    /// out [steps, n], rows `ldo` apart, of n rows of words, `ld` apart.
    void (*turn)(int32_t *, size_t, const int32_t *, size_t, size_t n, size_t steps);
    /// A row's scale in 8 bits.
    float (*quantise_scale)(const float *, size_t);
    /// x / scale to the nearest integer, plus 128; the last word filled with 128.
    void (*quantise)(uint8_t *, const float *, float, size_t);
    /// n stored numbers as floats, exactly; false if any is NaN or infinite.
    bool (*decode)(float *, const void *, ck_stored, size_t);
    /// The largest magnitude of x / divisor.
    float (*largest_quotient)(const float *, const float *, size_t);
    /// x / divisor / scale to the nearest integer, halves away from 0, the last word filled with 0; returns their sum.
    int32_t (*quantise_quotient)(int8_t *, const float *, const float *, float, size_t);
    /// Weights of at most sixteen queries: x ← exp(scale · x + h[y] + w[column] + bias − m), m each query's maximum so far, which is kept up
    /// as its sum of weights is; factor: by what earlier sums shrink. h and w: the terms of each query, of vectors of sixteen.
    void (*softmax_block)(const ck_logits *, size_t queries, const float *const h[16], const float *const w[16], float *maximum, float *sum,
                          float *factor);
    void (*pack_bf16)(void *, const float *, size_t);
    /// One step of a panel along k, its groups of columns `apart` words from each other: two rows of n floats (NULL: zeros) as pairs
    /// of bfloat16, or the first as it is.
    void (*pack_values)(uint32_t *, size_t apart, const float *, const float *, size_t n, bool pairs);
    ck_product products[3];
    /// Rows that a product multiplies at once, and columns of a panel that lie together (product.inc).
    size_t rows, group;
};

extern const ck_kernels ck_kernels_portable;
#if defined(__x86_64__)
extern const ck_kernels ck_kernels_avx2, ck_kernels_avx512;
#endif

/// Where, in words, column c of step s lies in a panel of so many steps.
static inline size_t ck_panel_at(const ck_kernels *k, size_t steps, size_t s, size_t c) {
    size_t block = s / ck_block_steps * ck_block_steps, here = steps - block < ck_block_steps ? steps - block : ck_block_steps;
    return block * ck_panel_columns + c / k->group * k->group * here + (s - block) * k->group + c % k->group;
}

/// out [rows, 32] (+)= packed rows · panel of so many steps, block by block of them; `words` from one block of all rows to the next.
static inline void ck_multiply_panel(const ck_product *product, size_t rows, const void *packed, size_t words, const void *panel,
                                     size_t steps, void *out, size_t ldc, bool add) {
    const char *from = packed, *weights = panel;
    size_t s = 0, here;
    do {
        here = ck_smaller(ck_block_steps, steps - s);
        product->panel(rows, from, weights, weights + here * 128, here, out, ldc, add || s > 0);
        from += words * 4, weights += here * 128, s += here;
    } while (s < steps);
}

/// One panel of ⌈count / elements⌉ steps of float or bfloat16 from 32 rows of so many floats; NULL rows are zeros. Steps are laid out in
/// blocks of ck_block_steps, each a panel of its own to a product.
void ck_pack_panel(const ck_kernels *k, ck_type type, void *panel, const float *const rows[32], size_t count);

/// Entries of each of attention's position tables.
static inline size_t ck_table_length(const ck_attention *a) { return a->side ? 2 * a->side - 1 : 0; }
/// Floats of a thread's scratch that attention's backward needs.
size_t ck_attention_backward_scratch(const ck_attention *a);

#endif
