// The tables of kernels: one an instruction set, and one more for each extension that only some products use. They are made
// once, from what this CPU can run, and never change; whoever computes holds the table that it computes with.
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"
#include "products.h"

enum { most_tables = 7 };

static ck_kernels tables[most_tables];
static size_t table_count;
static const ck_kernels *chosen;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static ck_kernels *add(const ck_kernels *base, const char *name) {
    ck_kernels *table = &tables[table_count++];
    *table = *base;
    table->name = name;
    return table;
}

// Slowest first; each one that is added last is the fastest, but for bfloat16 by vectors on Intel.
static void make(void) {
    const ck_kernels *best = add(&ck_kernels_portable, "portable");
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        best = add(&ck_kernels_avx2, "avx2");
        if (__builtin_cpu_supports("avxvnni")) {
            ck_kernels *table = add(&ck_kernels_avx2, "avx2vnni");
            table->products[ck_type_i8].panel = ck_panel_i8_avxvnni;
            table->products[ck_type_i8].peak = ck_peak_i8_avxvnni;
            best = table;
        }
    }
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl")) {
        best = add(&ck_kernels_avx512, "avx512");
        if (__builtin_cpu_supports("avx512vnni")) {
            ck_kernels *table = add(best, "avx512vnni");
            table->products[ck_type_i8].panel = ck_panel_i8_avx512vnni;
            table->products[ck_type_i8].peak = ck_peak_i8_avx512vnni;
            best = table;
        }
        if (__builtin_cpu_supports("avx512bf16")) {
            ck_kernels *table = add(best, "avx512bf16");
            ck_round_by_avx512bf16(table);
            table->products[ck_type_bf16] = (ck_product){ck_panel_bf16_avx512bf16, table->pack_bf16, 1, ck_line_row_words,
                                                         ck_peak_bf16_avx512bf16, ck_peak_vectors * ck_lanes_avx512 * 4};
            // Intel's cores do a vdpbf16ps in the time of four multiplications (measured on Emerald Rapids), AMD's in that of one.
            if (!__builtin_cpu_is("intel")) best = table;
        }
#if defined(__linux__)
        if (__builtin_cpu_supports("avx512vnni") && ck_amx_available()) {
            ck_kernels *table = add(&ck_kernels_avx512, "amx");
            table->rows = ck_rows_amx;
            if (__builtin_cpu_supports("avx512bf16")) ck_round_by_avx512bf16(table);
            table->products[ck_type_bf16] = (ck_product){ck_panel_bf16_amx, table->pack_bf16, 1, ck_line_row_words,
                                                         ck_peak_bf16_amx, ck_peak_tile_words * 4};
            table->products[ck_type_i8] = (ck_product){ck_panel_i8_amx, NULL, 1, ck_line_row_words, ck_peak_i8_amx,
                                                       ck_peak_tile_words * 8};
            best = table;
        }
#endif
    }
#endif
    const ck_kernels *named = NULL;
    const char *wanted = getenv("HSPSAM_ISA");
    for (size_t i = 0; wanted && i < table_count; i++)
        if (strcmp(tables[i].name, wanted) == 0) named = &tables[i];
    chosen = named ? named : best;
}

const ck_kernels *ck_kernels_default(void) {
    pthread_once(&once, make);
    return chosen;
}

const ck_kernels *ck_kernels_available(size_t i) {
    pthread_once(&once, make);
    return i < table_count ? &tables[i] : NULL;
}

const char *ck_kernels_name(const ck_kernels *k) { return k->name; }

bool ck_kernels_prefer(const ck_kernels *k, ck_type type) {
    if (type == ck_type_i8) return k->products[ck_type_i8].panel != ck_panel_i8_portable;
    return type == ck_type_bf16 && k->products[ck_type_bf16].words == 1;
}

size_t ck_tile_words(void) {
    long bytes = 0;
#ifdef _SC_LEVEL2_CACHE_SIZE
    bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
#endif
    // Less would read the weights too often; more did not pay where the cache is larger.
    size_t words = bytes > 0 ? (size_t)bytes / 4 : 0, least = 1 << 17, most = 1 << 18;
    return words < least ? least : words > most ? most : words;
}
