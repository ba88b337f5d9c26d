// Attention in tiles: a block of queries against all keys of one head, so that the full matrix of logits never exists.
#include <math.h>
#include <string.h>

#include "internal.h"

// Many queries share one pass over the keys; a block's logits stay near the cache.
static size_t block_size(const ck_attention *a) {
    size_t block = (1 << 20) / (a->keys ? a->keys : 1) & ~(size_t)15;
    block = block < 32 ? 32 : block > 256 ? 256 : block;
    return block < a->queries ? block : a->queries;
}

typedef struct {
    const ck_attention *a;
    float *scratch;
    size_t size, block, blocks;
} job;

typedef struct {
    float *logits, *inverse, *position_h, *position_w, *table_h, *table_w;
} parts;

static size_t forward_scratch(const ck_attention *a) {
    size_t block = block_size(a), table = ck_table_length(a);
    return block * (a->keys + 1 + 2 * table) + 2 * table * a->channels;
}

size_t ck_attention_scratch(const ck_attention *a) {
    size_t forward = forward_scratch(a), backward = ck_attention_backward_scratch(a);
    return (forward > backward ? forward : backward) + 64;
}

static parts parts_of(const job *j) {
    const ck_attention *a = j->a;
    size_t table = ck_table_length(a);
    float *p = j->scratch + ck_worker() * j->size;
    parts s;
    s.logits = p, p += j->block * a->keys;
    s.inverse = p, p += j->block;
    s.position_h = p, p += j->block * table;
    s.position_w = p, p += j->block * table;
    s.table_h = p, p += table * a->channels;
    s.table_w = p;
    return s;
}

// Tables in descending order, so that the entries of one query against keys 0, 1, 2, … follow each other:
// entry t of the reversed table belongs to yi − yj + side − 1 = 2·side − 2 − t, so key yj of query yi is t = side − 1 − yi + yj.
static void reverse_tables(const ck_attention *a, parts *s) {
    size_t length = ck_table_length(a), c = a->channels;
    for (size_t t = 0; t < length; t++) {
        memcpy(s->table_h + t * c, a->rel_h + (length - 1 - t) * c, c * sizeof(float));
        memcpy(s->table_w + t * c, a->rel_w + (length - 1 - t) * c, c * sizeof(float));
    }
}

// logits of queries [first, first + count) of one head of batch element b, position included; position terms stay in s.
static void block_logits(const ck_attention *a, size_t b, const float *q, const float *k, size_t first, size_t count, parts *s) {
    size_t length = ck_table_length(a), side = a->side;
    const float *rows = q + first * a->q_stride;
    ck_gemm_tile(a->kernels, false, true, count, a->keys, a->channels, a->scale, rows, a->q_stride, k, a->k_stride, 0, s->logits, a->keys);
    if (a->key_bias)
        for (size_t i = 0; i < count; i++) {
            float *row = s->logits + i * a->keys;
            a->kernels->add(row, row, a->key_bias + b * a->keys, a->keys);
        }
    if (!side) return;
    ck_gemm_tile(a->kernels, false, true, count, length, a->channels, 1, rows, a->q_stride, s->table_h, a->channels, 0, s->position_h,
                 length);
    ck_gemm_tile(a->kernels, false, true, count, length, a->channels, 1, rows, a->q_stride, s->table_w, a->channels, 0, s->position_w,
                 length);
    for (size_t i = 0; i < count; i++) {
        size_t y = (first + i) / side, x = (first + i) % side;
        a->kernels->add_position(s->logits + i * a->keys, s->position_h + i * length + side - 1 - y,
                                   s->position_w + i * length + side - 1 - x, side);
    }
}

static void forward_tile(void *context, size_t tile) {
    job *j = context;
    const ck_attention *a = j->a;
    size_t pair = tile / j->blocks, first = tile % j->blocks * j->block, b = pair / a->heads, h = pair % a->heads;
    size_t count = a->queries - first < j->block ? a->queries - first : j->block;
    parts s = parts_of(j);
    if (a->side) reverse_tables(a, &s);
    const float *q = a->q + b * a->q_batch + h * a->channels, *k = a->k + b * a->k_batch + h * a->channels;
    const float *v = a->v + b * a->v_batch + h * a->value_channels;
    float *out = a->out + b * a->out_batch + first * a->out_stride + h * a->value_channels;
    block_logits(a, b, q, k, first, count, &s);
    for (size_t i = 0; i < count; i++) {
        float maximum, *row = s.logits + i * a->keys, sum = a->kernels->softmax_row(row, a->keys, &maximum);
        if (a->lse) a->lse[pair * a->queries + first + i] = maximum + logf(sum);
        s.inverse[i] = 1.0f / sum;
    }
    ck_gemm_tile(a->kernels, false, false, count, a->value_channels, a->keys, 1, s.logits, a->keys, v, a->v_stride, 0, out, a->out_stride);
    for (size_t i = 0; i < count; i++) {
        float *row = out + i * a->out_stride;
        a->kernels->scale(row, s.inverse[i], row, a->value_channels);
    }
}

void ck_attention_forward(const ck_attention *a, float *scratch) {
    CK_TIMED(ck_kind_attention, 4.0 * (double)(a->batch * a->heads * a->queries) * (double)(a->keys * a->channels));
    if (a->queries == 0) return;
    job j = {a, scratch, ck_attention_scratch(a), block_size(a), 0};
    j.blocks = (a->queries + j.block - 1) / j.block;
    ck_parallel(a->batch * a->heads * j.blocks, &j, forward_tile);
}

static float logit(const ck_attention *a, size_t b, const float *q, const float *k, size_t n) {
    float x = a->scale * a->kernels->dot(q, k + n * a->k_stride, a->channels);
    return a->key_bias ? x + a->key_bias[b * a->keys + n] : x;
}

void ck_attention_weights(const ck_attention *a, float *out) {
    for (size_t b = 0; b < a->batch; b++)
        for (size_t i = 0; i < a->queries; i++) {
            float *mean = out + (b * a->queries + i) * a->keys;
            memset(mean, 0, a->keys * sizeof(float));
            for (size_t h = 0; h < a->heads; h++) {
                const float *q = a->q + b * a->q_batch + i * a->q_stride + h * a->channels;
                const float *k = a->k + b * a->k_batch + h * a->channels;
                float maximum = -INFINITY, sum = 0;
                for (size_t n = 0; n < a->keys; n++) {
                    float x = logit(a, b, q, k, n);
                    maximum = x > maximum ? x : maximum;
                }
                for (size_t n = 0; n < a->keys; n++) sum += expf(logit(a, b, q, k, n) - maximum);
                for (size_t n = 0; n < a->keys; n++) mean[n] += expf(logit(a, b, q, k, n) - maximum) / sum / (float)a->heads;
            }
        }
}
