// Attention in tiles: a block of queries against all keys of one head. The full matrix of logits never exists; the backward
// computes the block's weights again from the saved log-sum-exp.
#include <math.h>
#include <string.h>

#include "internal.h"

// Many queries share one pass over the keys; a block's logits stay near the cache.
static size_t block_size(const ck_attention *a) {
    size_t block = (1 << 20) / (a->keys ? a->keys : 1) & ~(size_t)15;
    block = block < 32 ? 32 : block > 256 ? 256 : block;
    return block < a->queries ? block : a->queries;
}

static size_t table_length(const ck_attention *a) { return a->side ? 2 * a->side - 1 : 0; }

size_t ck_attention_scratch(const ck_attention *a) {
    size_t block = block_size(a), table = table_length(a);
    // logits and their derivative, position terms and theirs, reversed tables
    return block * (2 * a->keys + 4 * table) + 2 * table * a->channels + 64;
}

typedef struct {
    const ck_attention *a;
    const ck_attention_gradients *g;
    float *scratch;
    size_t size, block, blocks;
} job;

typedef struct {
    float *logits, *dlogits, *position_h, *position_w, *dposition_h, *dposition_w, *table_h, *table_w;
} parts;

static parts parts_of(const job *j) {
    const ck_attention *a = j->a;
    size_t table = table_length(a);
    float *p = j->scratch + ck_worker() * j->size;
    parts s;
    s.logits = p, p += j->block * a->keys;
    s.dlogits = p, p += j->block * a->keys;
    s.position_h = p, p += j->block * table;
    s.position_w = p, p += j->block * table;
    s.dposition_h = p, p += j->block * table;
    s.dposition_w = p, p += j->block * table;
    s.table_h = p, p += table * a->channels;
    s.table_w = p;
    return s;
}

// Tables in descending order, so that the entries of one query against keys 0, 1, 2, … follow each other:
// entry t of the reversed table belongs to yi − yj + side − 1 = 2·side − 2 − t, so key yj of query yi is t = side − 1 − yi + yj.
static void reverse_tables(const ck_attention *a, parts *s) {
    size_t length = table_length(a), c = a->channels;
    for (size_t t = 0; t < length; t++) {
        memcpy(s->table_h + t * c, a->rel_h + (length - 1 - t) * c, c * sizeof(float));
        memcpy(s->table_w + t * c, a->rel_w + (length - 1 - t) * c, c * sizeof(float));
    }
}

// logits of queries [first, first + count) of one head of batch element b, position included; position terms stay in s.
static void block_logits(const ck_attention *a, size_t b, const float *q, const float *k, size_t first, size_t count, parts *s) {
    size_t length = table_length(a), side = a->side;
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
        s.dlogits[i] = 1.0f / sum;
    }
    ck_gemm_tile(a->kernels, false, false, count, a->value_channels, a->keys, 1, s.logits, a->keys, v, a->v_stride, 0, out, a->out_stride);
    for (size_t i = 0; i < count; i++) {
        float *row = out + i * a->out_stride;
        a->kernels->scale(row, s.dlogits[i], row, a->value_channels);
    }
}

void ck_attention_forward(const ck_attention *a, float *scratch) {
    CK_TIMED(ck_kind_attention, 4.0 * (double)(a->batch * a->heads * a->queries) * (double)(a->keys * a->channels));
    if (a->queries == 0) return;
    job j = {a, NULL, scratch, ck_attention_scratch(a), block_size(a), 0};
    j.blocks = (a->queries + j.block - 1) / j.block;
    ck_parallel(a->batch * a->heads * j.blocks, &j, forward_tile);
}

// One head after the other, blocks in order: dk, dv and the tables' parts have one writer.
static void backward_tile(void *context, size_t pair) {
    job *j = context;
    const ck_attention *a = j->a;
    const ck_attention_gradients *g = j->g;
    size_t b = pair / a->heads, h = pair % a->heads, c = a->channels, vc = a->value_channels, length = table_length(a);
    parts s = parts_of(j);
    if (a->side) reverse_tables(a, &s);
    const float *q = a->q + b * a->q_batch + h * c, *k = a->k + b * a->k_batch + h * c, *v = a->v + b * a->v_batch + h * vc;
    float *dq = g->dq + b * a->q_batch + h * c, *dk = g->dk + b * a->k_batch + h * c, *dv = g->dv + b * a->v_batch + h * vc;
    float *drel_h = a->side ? g->drel_h + pair * length * c : NULL, *drel_w = a->side ? g->drel_w + pair * length * c : NULL;
    for (size_t first = 0; first < a->queries; first += j->block) {
        size_t count = a->queries - first < j->block ? a->queries - first : j->block;
        float beta = first == 0 ? 0.0f : 1.0f;
        const float *out = a->out + b * a->out_batch + first * a->out_stride + h * vc;
        const float *dout = g->dout + b * a->out_batch + first * a->out_stride + h * vc;
        const float *rows = q + first * a->q_stride;
        float *drows = dq + first * a->q_stride;
        block_logits(a, b, q, k, first, count, &s);
        for (size_t i = 0; i < count; i++)
            a->kernels->exp_shifted(s.logits + i * a->keys, a->lse[pair * a->queries + first + i], a->keys);
        ck_gemm_tile(a->kernels, true, false, a->keys, vc, count, 1, s.logits, a->keys, dout, a->out_stride, beta, dv, a->v_stride);
        ck_gemm_tile(a->kernels, false, true, count, a->keys, vc, 1, dout, a->out_stride, v, a->v_stride, 0, s.dlogits, a->keys);
        if (a->side) memset(s.dposition_h, 0, 2 * j->block * length * sizeof(float));
        for (size_t i = 0; i < count; i++) {
            float d = a->kernels->dot(out + i * a->out_stride, dout + i * a->out_stride, vc);
            float *ds = s.dlogits + i * a->keys;
            a->kernels->softmax_backward(ds, s.logits + i * a->keys, d, a->keys);
            if (a->side) {
                size_t y = (first + i) / a->side, x = (first + i) % a->side;
                a->kernels->sum_position(s.dposition_h + i * length + a->side - 1 - y,
                                           s.dposition_w + i * length + a->side - 1 - x, ds, a->side);
            }
        }
        ck_gemm_tile(a->kernels, false, false, count, c, a->keys, a->scale, s.dlogits, a->keys, k, a->k_stride, 0, drows, a->q_stride);
        ck_gemm_tile(a->kernels, true, false, a->keys, c, count, a->scale, s.dlogits, a->keys, rows, a->q_stride, beta, dk, a->k_stride);
        if (!a->side) continue;
        ck_gemm_tile(a->kernels, false, false, count, c, length, 1, s.dposition_h, length, s.table_h, c, 1, drows, a->q_stride);
        ck_gemm_tile(a->kernels, false, false, count, c, length, 1, s.dposition_w, length, s.table_w, c, 1, drows, a->q_stride);
        ck_gemm_tile(a->kernels, true, false, length, c, count, 1, s.dposition_h, length, rows, a->q_stride, beta, drel_h, c);
        ck_gemm_tile(a->kernels, true, false, length, c, count, 1, s.dposition_w, length, rows, a->q_stride, beta, drel_w, c);
    }
    // The parts were gathered in the reversed order of the tables.
    for (size_t t = 0; t < length / 2; t++)
        for (size_t i = 0; i < c; i++) {
            float x = drel_h[t * c + i], y = drel_w[t * c + i];
            drel_h[t * c + i] = drel_h[(length - 1 - t) * c + i], drel_h[(length - 1 - t) * c + i] = x;
            drel_w[t * c + i] = drel_w[(length - 1 - t) * c + i], drel_w[(length - 1 - t) * c + i] = y;
        }
}

void ck_attention_backward(const ck_attention *a, const ck_attention_gradients *g, float *scratch) {
    CK_TIMED(ck_kind_attention_backward, 2.5 * 4.0 * (double)(a->batch * a->heads * a->queries) * (double)(a->keys * a->channels));
    if (a->queries == 0) return;
    job j = {a, g, scratch, ck_attention_scratch(a), block_size(a), 0};
    ck_parallel(a->batch * a->heads, &j, backward_tile);
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
