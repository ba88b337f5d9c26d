// Attention of one head, a block of keys at a time, with an online softmax: no block of logits leaves the cache.
#ifndef CK_ONLINE_ATTENTION_H
#define CK_ONLINE_ATTENTION_H

#include "internal.h"

enum {
    /// Queries and keys of a block: a panel is packed once for all of the former; the latter are what a packed row has room for.
    ck_most_queries = 1024,
    ck_most_keys = ck_block_steps,
};

/// What is multiplied, and where a thread's scratch memory holds what; in floats.
typedef struct {
    const ck_kernels *kernels;
    ck_type type;
    /// Entries of a position table and the side that it belongs to; 0: no positions.
    size_t table, side;
    size_t channels, value_channels, queries;
    float scale;
    size_t steps, values, run;
    size_t packed_queries, tables, position_h, position_w, packed_keys, packed_values, weights, sums, maximum, sum, lacking, bias, total;
} ck_online;

/// For blocks of so many queries at most.
ck_online ck_online_of(const ck_kernels *kernels, ck_type type, size_t channels, size_t value_channels, size_t side, float scale,
                       size_t queries);

/// Queries, each `channels` floats; query i stands in row (first + i) / breadth of the grid, and in that column of it.
typedef struct {
    size_t first, count, breadth;
    const float *rows[ck_most_queries];
} ck_queries;

/// Keys and their values. The first `placed` are whole rows of `width` columns, a multiple of eight, from (y, x) of the grid on; or a
/// part of one row.
typedef struct {
    size_t count, placed, width, y, x;
    /// NULL for one that is not there: the same columns of each row.
    const float *keys[ck_most_keys], *values[ck_most_keys];
    /// Added to the logits of each key there is; NULL: 0.
    const float *bias;
} ck_keys;

/// The first step, for `s`, a thread's scratch. Tables are [2 · side − 1, channels].
void ck_online_begin(const ck_online *o, float *s, const ck_queries *q, const float *rel_h, const float *rel_w);
/// The next block of keys, the first of them or not.
void ck_online_add(const ck_online *o, float *s, const ck_queries *q, const ck_keys *k, bool is_first);
/// Each query's mean of the values, and log Σ exp of its logits (may be NULL).
void ck_online_finish(const ck_online *o, float *s, const ck_queries *q, float *const *out, float *lse);

#endif
