// The encoder's attention without a tape, from a fused qkv: windows are read where they lie, and tokens beyond the grid have the
// constant keys and values of the bias. Where an image has fewer tokens than the grid, blocks of keys are rows that lack the same columns.
#include "online_attention.h"

static size_t side_of(const ck_encoder_attention *a) { return a->window ? a->window : a->grid; }

bool ck_encoder_attention_fits(size_t side, size_t channels) {
    return side > 0 && ck_ceiling(side, 8) * 8 <= ck_most_keys && channels > 0;
}

static ck_online online_of(const ck_encoder_attention *a) {
    size_t side = side_of(a);
    return ck_online_of(a->kernels, a->type, a->channels, a->channels, side, a->scale, side * side);
}

size_t ck_encoder_attention_scratch(const ck_encoder_attention *a) { return online_of(a).total; }

typedef struct {
    const ck_encoder_attention *a;
    ck_online online;
    size_t blocks;
    float *scratch;
} job;

// A window or the whole grid of one image: where it begins, its queries, its keys.
typedef struct {
    size_t image, top, left, height, breadth, key_rows, key_columns;
} view;

static view view_of(const ck_encoder_attention *a, size_t window) {
    size_t side = side_of(a), down = ck_ceiling(a->rows, side), across = ck_ceiling(a->columns, side);
    view v = {.image = window / (down * across), .top = window / across % down * side, .left = window % across * side};
    v.height = ck_smaller(side, a->rows - v.top), v.breadth = ck_smaller(side, a->columns - v.left);
    // A window that reaches beyond the grid has keys in its last rows and columns whatever is there of the others.
    bool whole = v.top + side > a->grid || v.left + side > a->grid;
    v.key_rows = whole ? side : v.height, v.key_columns = whole ? side : v.breadth;
    return v;
}

// Columns [from, to) of a row of keys are not there.
typedef struct {
    size_t from, to;
} gap;

static gap gap_of(const ck_encoder_attention *a, const view *v, size_t y) {
    size_t to = ck_smaller(v->key_columns, a->grid - v->left), from = v->top + y < a->rows ? v->breadth : 0;
    return v->top + y >= a->grid || from == to ? (gap){0, 0} : (gap){from, to};
}

// The qkv of the token in row y, column x: NULL where there is none, the padded token's beyond the grid.
static const float *token(const ck_encoder_attention *a, const view *v, size_t y, size_t x) {
    if (y >= v->key_rows || x >= v->key_columns) return NULL;
    if (v->top + y >= a->grid || v->left + x >= a->grid) return a->padding;
    if (y >= v->height || x >= v->breadth) return NULL;
    return a->qkv + ((v->image * a->rows + v->top + y) * a->columns + v->left + x) * 3 * a->heads * a->channels;
}

// The next keys from row `row` of a view and prompt `asked` on, which move on: rows that lack the same columns, then prompts where there
// is room for some.
static void next_keys(const ck_encoder_attention *a, const view *v, size_t head, size_t *row, size_t *asked, ck_keys *k) {
    size_t dim = a->heads * a->channels, rows = ck_most_keys / k->width;
    const float *tokens[ck_most_keys];
    k->y = *row, k->count = 0;
    for (gap lack = gap_of(a, v, *row); *row < v->key_rows && *row < k->y + rows; ++*row) {
        gap own = gap_of(a, v, *row);
        if (own.from != lack.from || own.to != lack.to) break;
        for (size_t x = 0; x < k->width; x++) tokens[k->count++] = token(a, v, *row, x);
    }
    k->placed = k->count;
    for (; *row >= v->key_rows && *asked < a->prompts && k->count < ck_most_keys; ++*asked)
        tokens[k->count++] = a->prompt_qkv + *asked * 3 * dim;
    for (size_t i = 0; i < k->count; i++) {
        const float *key = tokens[i] ? tokens[i] + dim + head * a->channels : NULL;
        k->keys[i] = key, k->values[i] = key ? key + dim : NULL;
    }
}

static void attend(void *context, size_t tile) {
    const job *j = context;
    const ck_encoder_attention *a = j->a;
    const ck_online *o = &j->online;
    float *s = j->scratch + ck_worker() * o->total;
    size_t dim = a->heads * a->channels, head = tile / j->blocks % a->heads;
    // Queries beyond the image's tokens are nobody's.
    view v = view_of(a, tile / j->blocks / a->heads);
    ck_queries q = {.first = tile % j->blocks * o->queries, .breadth = v.breadth};
    if (q.first >= v.height * v.breadth) return;
    q.count = ck_smaller(o->queries, v.height * v.breadth - q.first);
    float *out[ck_most_queries];
    for (size_t i = 0; i < q.count; i++) {
        size_t y = (q.first + i) / v.breadth, x = (q.first + i) % v.breadth;
        q.rows[i] = token(a, &v, y, x) + head * a->channels;
        out[i] = a->out + ((v.image * a->rows + v.top + y) * a->columns + v.left + x) * dim + head * a->channels;
    }
    ck_online_begin(o, s, &q, a->rel_h, a->rel_w);
    ck_keys k = {.width = ck_ceiling(v.key_columns, 8) * 8};
    bool is_first = true;
    for (size_t row = 0, asked = 0; row < v.key_rows || asked < a->prompts;) {
        gap lack = gap_of(a, &v, row);
        if (row < v.key_rows && lack.to - lack.from == v.key_columns) {
            row++;
            continue;
        }
        next_keys(a, &v, head, &row, &asked, &k);
        ck_online_add(o, s, &q, &k, is_first);
        is_first = false;
    }
    ck_online_finish(o, s, &q, out, NULL);
}

static double operations(const ck_encoder_attention *a) {
    double keys = (double)((a->window ? a->window * a->window : a->rows * a->columns) + a->prompts);
    return 4.0 * (double)(a->batch * a->rows * a->columns) * (double)(a->heads * a->channels) * keys;
}

void ck_encoder_attention_forward(const ck_encoder_attention *a, float *scratch) {
    CK_TIMED(ck_kind_encoder_attention, operations(a));
    size_t windows = ck_ceiling(a->rows, side_of(a)) * ck_ceiling(a->columns, side_of(a));
    job j = {.a = a, .online = online_of(a), .scratch = scratch};
    j.blocks = ck_ceiling(side_of(a) * side_of(a), j.online.queries);
    ck_parallel(a->batch * windows * a->heads * j.blocks, &j, attend);
}
