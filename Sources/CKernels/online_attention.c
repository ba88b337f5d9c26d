// Keys that lie in rows of the grid are filled up to a multiple of eight with keys of weight 0, so that a query's position terms are one
// number a row and one vector of columns.
#include "online_attention.h"

#include <math.h>
#include <string.h>

ck_online ck_online_of(const ck_kernels *kernels, ck_type type, size_t channels, size_t value_channels, size_t side, float scale,
                       size_t queries) {
    ck_online o = {.kernels = kernels, .type = type, .side = side, .channels = channels, .value_channels = value_channels,
                   .queries = ck_smaller(queries, ck_most_queries), .scale = scale};
    size_t elements = ck_elements(type), row_words = kernels->products[type].row_words, at = 0;
    o.table = side ? ck_ceiling(2 * side - 1, 32) * 32 : 0;
    o.steps = ck_ceiling(channels, elements);
    o.values = ck_ceiling(value_channels, 32) * 32;
    // Each panel is used four times while it is in the first cache; the logits of a run stay in the second.
    o.run = 4 * kernels->rows;
    struct {
        size_t *at, words;
    } all[] = {
        {&o.packed_queries, ck_ceiling(o.steps, ck_block_steps) * o.queries * row_words},
        {&o.tables, 32 * o.steps},
        {&o.position_h, o.queries * o.table},
        {&o.position_w, o.queries * o.table},
        {&o.packed_keys, ck_most_keys * o.steps},
        {&o.packed_values, ck_most_keys / elements * o.values},
        {&o.weights, o.run * row_words},
        {&o.sums, o.queries * o.values},
        {&o.maximum, o.queries},
        {&o.sum, o.queries},
        {&o.lacking, ck_most_keys + 8},
        {&o.bias, ck_most_keys},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) *all[i].at = at, at += ck_ceiling(all[i].words, 16) * 16;
    o.total = at;
    return o;
}

// What is asked for lies far from the next, further than the processor looks ahead.
static void fetch(const float *x, size_t n) {
    for (size_t c = 0; x && c < n; c += 16) __builtin_prefetch(x + c, 0, 2);
}

// out [rows, 32] = packed queries from `first` on · panel.
static void multiply(const ck_online *o, const float *s, size_t first, size_t rows, const float *panel, float *out, size_t ldc) {
    const ck_product *product = &o->kernels->products[o->type];
    ck_multiply_panel(product, rows, s + o->packed_queries + first * product->row_words, o->queries * product->row_words, panel, o->steps,
                      out, ldc, false);
}

void ck_online_begin(const ck_online *o, float *s, const ck_queries *q, const float *rel_h, const float *rel_w) {
    const ck_product *product = &o->kernels->products[o->type];
    size_t block = ck_block_steps * ck_elements(o->type), length = o->side ? 2 * o->side - 1 : 0;
    for (size_t i = 0; i < q->count; i++) {
        if (i + 8 < q->count) fetch(q->rows[i + 8], o->channels);
        float *packed = s + o->packed_queries + i * product->row_words;
        for (size_t c = 0; c < o->channels; c += block, packed += o->queries * product->row_words)
            product->pack(packed, q->rows[i] + c, ck_smaller(block, o->channels - c));
        s[o->maximum + i] = -INFINITY, s[o->sum + i] = 0;
    }
    // Position terms against the reversed tables, so that those of keys 0, 1, 2, … follow each other: entry t of the reversed table
    // belongs to yi − yj + side − 1 = 2·side − 2 − t, so key yj of query yi is t = side − 1 − yi + yj.
    for (int axis = 0; axis < 2; axis++) {
        const float *table = axis ? rel_w : rel_h;
        float *out = s + (axis ? o->position_w : o->position_h);
        for (size_t at = 0; at < length; at += 32) {
            const float *rows[32];
            for (size_t i = 0; i < 32; i++) rows[i] = at + i < length ? table + (length - 1 - at - i) * o->channels : NULL;
            ck_pack_panel(o->kernels, o->type, s + o->tables, rows, o->channels);
            multiply(o, s, 0, q->count, s + o->tables, out + at, o->table);
        }
    }
}

// Keys as panels, their values as steps of panels.
static void pack_keys(const ck_online *o, float *s, const ck_keys *k) {
    for (size_t at = 0; at < k->count; at += 32) {
        // Values are asked for while keys are packed, and the next keys.
        for (size_t i = at; i < at + 32 && i < k->count; i++) fetch(k->values[i], o->value_channels);
        for (size_t i = at + 32; i < at + 64 && i < k->count; i++) fetch(k->keys[i], o->channels);
        const float *rows[32];
        for (size_t i = 0; i < 32; i++) rows[i] = at + i < k->count ? k->keys[at + i] : NULL;
        ck_pack_panel(o->kernels, o->type, s + o->packed_keys + at * o->steps, rows, o->channels);
    }
    size_t elements = ck_elements(o->type), steps = ck_ceiling(k->count, elements), group = o->kernels->group;
    for (size_t step = 0; step < steps; step++)
        for (size_t c = 0; c < o->value_channels; c += 32) {
            const float *pair[2] = {NULL, NULL};
            for (size_t e = 0, i = step * elements; e < elements && i < k->count; e++, i++)
                pair[e] = k->values[i] ? k->values[i] + c : NULL;
            o->kernels->pack_values((uint32_t *)(s + o->packed_values + c * steps + step * group), steps * group, pair[0], pair[1],
                                    ck_smaller(32, o->value_channels - c), o->type == ck_type_bf16);
        }
}

// Columns of a block's rows that are not there, the same in each row; NULL: none.
static const float *lacking_of(const ck_online *o, float *s, const ck_keys *k) {
    float *lacking = s + o->lacking;
    bool any = false;
    for (size_t x = 0; k->placed && x < k->width; x++) any = any || !k->keys[x], lacking[x] = k->keys[x] ? 0 : -INFINITY;
    return any ? lacking : NULL;
}

static const float *bias_of(const ck_online *o, float *s, const ck_keys *k) {
    float *bias = s + o->bias;
    for (size_t i = 0; k->bias && i < ck_ceiling(k->count, 16) * 16; i++) bias[i] = i < k->count ? k->bias[i] : 0;
    return k->bias ? bias : NULL;
}

void ck_online_add(const ck_online *o, float *s, const ck_queries *q, const ck_keys *k, bool is_first) {
    const ck_product *product = &o->kernels->products[o->type];
    pack_keys(o, s, k);
    ck_logits logits = {.ld = product->row_words, .n = k->count, .scale = o->scale, .placed = k->placed, .side = k->width,
                        .lacking = lacking_of(o, s, k), .bias = bias_of(o, s, k)};
    logits.weights = o->type == ck_type_f32 ? ck_weights_float : product->words == 2 ? ck_weights_bf16_wide : ck_weights_bf16;
    size_t steps = ck_ceiling(k->count, ck_elements(o->type));
    for (size_t i = 0, n; i < q->count; i += n) {
        n = ck_smaller(o->run, q->count - i);
        for (size_t at = 0; at < k->count; at += 32)
            multiply(o, s, i, n, s + o->packed_keys + at * o->steps, s + o->weights + at, product->row_words);
        for (size_t r = 0, some; r < n; r += some) {
            some = ck_smaller(16, n - r);
            const float *h[16], *w[16];
            float factor[16];
            size_t y = (q->first + i + r) / q->breadth, x = (q->first + i + r) % q->breadth;
            for (size_t j = 0, query = i + r; j < some; j++, query++) {
                h[j] = s + o->position_h + query * o->table + o->side - 1 - y + k->y;
                w[j] = s + o->position_w + query * o->table + o->side - 1 - x + k->x;
                if (++x == q->breadth) x = 0, y++;
            }
            logits.x = s + o->weights + r * product->row_words;
            o->kernels->softmax_block(&logits, some, h, w, s + o->maximum + i + r, s + o->sum + i + r, factor);
            for (size_t j = 0; !is_first && j < some; j++) {
                float *sums = s + o->sums + (i + r + j) * o->values;
                if (factor[j] != 1.0f) o->kernels->scale(sums, factor[j], sums, o->values);
            }
        }
        for (size_t c = 0; c < o->value_channels; c += 32) {
            const float *values = s + o->packed_values + c * steps;
            product->panel(n, s + o->weights, values, values + 32 * steps, steps, s + o->sums + i * o->values + c, o->values, !is_first);
        }
    }
}

void ck_online_finish(const ck_online *o, float *s, const ck_queries *q, float *const *out, float *lse) {
    for (size_t i = 0; i < q->count; i++) {
        float sum = s[o->sum + i];
        o->kernels->scale(out[i], 1.0f / sum, s + o->sums + i * o->values, o->value_channels);
        if (lse) lse[i] = s[o->maximum + i] + logf(sum);
    }
}
