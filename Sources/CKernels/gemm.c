// Matrix products: OpenBLAS on one thread inside tiles of the result, which are cut by shape alone.
#include <cblas.h>

#include "internal.h"

void ck_blas_single_thread(void) { openblas_set_num_threads(1); }

void ck_gemm_tile(bool ta, bool tb, size_t m, size_t n, size_t k, float alpha, const float *a, size_t lda, const float *b,
                  size_t ldb, float beta, float *c, size_t ldc) {
    if (m == 0 || n == 0) return;
    cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, (blasint)m, (blasint)n,
                (blasint)k, alpha, a, (blasint)lda, b, (blasint)ldb, beta, c, (blasint)ldc);
}

typedef struct {
    bool ta, tb;
    size_t m, n, k, lda, ldb, ldc, tile_m, tile_n, tiles_n;
    float alpha, beta;
    const float *a, *b;
    float *c;
} product;

static void product_tile(void *context, size_t tile) {
    const product *p = context;
    size_t i = tile / p->tiles_n * p->tile_m, j = tile % p->tiles_n * p->tile_n;
    size_t m = p->m - i < p->tile_m ? p->m - i : p->tile_m, n = p->n - j < p->tile_n ? p->n - j : p->tile_n;
    ck_gemm_tile(p->ta, p->tb, m, n, p->k, p->alpha, p->a + (p->ta ? i : i * p->lda), p->lda,
                 p->b + (p->tb ? j * p->ldb : j), p->ldb, p->beta, p->c + i * p->ldc + j, p->ldc);
}

static size_t rounded(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }

void ck_gemm(bool ta, bool tb, size_t m, size_t n, size_t k, float alpha, const float *a, size_t lda, const float *b,
             size_t ldb, float beta, float *c, size_t ldc) {
    CK_TIMED(ck_kind_gemm, 2.0 * (double)m * (double)n * (double)k);
    if (m == 0 || n == 0) return;
    product p = {ta, tb, m, n, k, lda, ldb, ldc, m, n, 1, alpha, beta, a, b, c};
    // Tiles of 256 to 1024 rows keep the packing of B cheap; flat results are cut along their columns instead.
    if ((double)m * (double)n * (double)k > 1e6) {
        if (m >= 512) {
            size_t rows = rounded((m + 7) / 8, 32);
            p.tile_m = rows < 256 ? 256 : rows > 1024 ? 1024 : rows;
        } else if (n >= 128) {
            size_t columns = rounded((n + 7) / 8, 32);
            p.tile_n = columns < 64 ? 64 : columns > 1024 ? 1024 : columns;
        }
    }
    p.tiles_n = (n + p.tile_n - 1) / p.tile_n;
    ck_parallel((m + p.tile_m - 1) / p.tile_m * p.tiles_n, &p, product_tile);
}
