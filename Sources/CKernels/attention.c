// Attention of queries, keys and values that lie anywhere, as training and the decoder need it.
#include <math.h>
#include <string.h>

#include "online_attention.h"

static ck_online online_of(const ck_attention *a) {
    return ck_online_of(a->kernels, a->type, a->channels, a->value_channels, a->side, a->scale, a->queries);
}

size_t ck_attention_scratch(const ck_attention *a) {
    size_t forward = online_of(a).total, backward = ck_attention_backward_scratch(a);
    return (forward > backward ? forward : backward) + 64;
}

typedef struct {
    const ck_attention *a;
    ck_online online;
    float *scratch;
    size_t size, blocks;
} job;

// The next keys of one head from `key` on, which moves on: rows of the grid, or as much of one as there is room for, and those behind it.
static void next_keys(const ck_attention *a, const float *keys, const float *values, const float *bias, size_t *key, ck_keys *k,
                      float own_bias[ck_most_keys]) {
    size_t side = a->side, placed = side * side, column = *key < placed ? *key % side : 0;
    k->y = *key < placed ? *key / side : 0, k->x = column, k->count = 0;
    k->width = ck_smaller(ck_ceiling(side - column, 8) * 8, ck_most_keys);
    while (*key < placed && *key % side == column && k->count + k->width <= ck_most_keys) {
        size_t here = ck_smaller(k->width, side - column);
        for (size_t x = 0; x < k->width; x++, k->count++) {
            bool is_there = x < here;
            k->keys[k->count] = is_there ? keys + (*key + x) * a->k_stride : NULL;
            k->values[k->count] = is_there ? values + (*key + x) * a->v_stride : NULL;
            own_bias[k->count] = is_there && bias ? bias[*key + x] : 0;
        }
        *key += here;
    }
    k->placed = k->count;
    for (; *key >= placed && *key < a->keys && k->count < ck_most_keys; ++*key, k->count++) {
        k->keys[k->count] = keys + *key * a->k_stride, k->values[k->count] = values + *key * a->v_stride;
        own_bias[k->count] = bias ? bias[*key] : 0;
    }
    k->bias = bias ? own_bias : NULL;
}

static void forward_tile(void *context, size_t tile) {
    const job *j = context;
    const ck_attention *a = j->a;
    const ck_online *o = &j->online;
    float *s = j->scratch + ck_worker() * j->size;
    size_t pair = tile / j->blocks, b = pair / a->heads, h = pair % a->heads;
    ck_queries q = {.first = tile % j->blocks * o->queries, .breadth = a->side ? a->side : 1};
    q.count = ck_smaller(o->queries, a->queries - q.first);
    float *out[ck_most_queries];
    for (size_t i = 0; i < q.count; i++) {
        q.rows[i] = a->q + b * a->q_batch + (q.first + i) * a->q_stride + h * a->channels;
        out[i] = a->out + b * a->out_batch + (q.first + i) * a->out_stride + h * a->value_channels;
    }
    ck_online_begin(o, s, &q, a->rel_h, a->rel_w);
    ck_keys k = {0};
    float own_bias[ck_most_keys];
    for (size_t key = 0; key < a->keys;) {
        bool is_first = key == 0;
        next_keys(a, a->k + b * a->k_batch + h * a->channels, a->v + b * a->v_batch + h * a->value_channels,
                  a->key_bias ? a->key_bias + b * a->keys : NULL, &key, &k, own_bias);
        ck_online_add(o, s, &q, &k, is_first);
    }
    ck_online_finish(o, s, &q, out, a->lse ? a->lse + pair * a->queries + q.first : NULL);
}

void ck_attention_forward(const ck_attention *a, float *scratch) {
    CK_TIMED(ck_kind_attention, 4.0 * (double)(a->batch * a->heads * a->queries) * (double)(a->keys * a->channels));
    if (a->queries == 0) return;
    job j = {.a = a, .online = online_of(a), .scratch = scratch, .size = ck_attention_scratch(a)};
    j.blocks = ck_ceiling(a->queries, j.online.queries);
    ck_parallel(a->batch * a->heads * j.blocks, &j, forward_tile);
}

void ck_attention_weights(const ck_attention *a, float *out, float *row) {
    for (size_t b = 0; b < a->batch; b++)
        for (size_t i = 0; i < a->queries; i++) {
            float *mean = out + (b * a->queries + i) * a->keys;
            memset(mean, 0, a->keys * sizeof(float));
            for (size_t h = 0; h < a->heads; h++) {
                const float *q = a->q + b * a->q_batch + i * a->q_stride + h * a->channels;
                const float *k = a->k + b * a->k_batch + h * a->channels;
                float maximum = -INFINITY, sum = 0;
                for (size_t n = 0; n < a->keys; n++) {
                    row[n] = a->scale * a->kernels->dot(q, k + n * a->k_stride, a->channels);
                    if (a->key_bias) row[n] += a->key_bias[b * a->keys + n];
                    maximum = row[n] > maximum ? row[n] : maximum;
                }
                for (size_t n = 0; n < a->keys; n++) sum += row[n] = expf(row[n] - maximum);
                for (size_t n = 0; n < a->keys; n++) mean[n] += row[n] / sum / (float)a->heads;
            }
        }
}
