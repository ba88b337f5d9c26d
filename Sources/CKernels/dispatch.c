#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "products.h"

static const ck_table *const tables[] = {
    &ck_table_portable,
#if defined(__x86_64__)
    &ck_table_avx2,
    &ck_table_avx512,
#endif
};
enum { table_count = sizeof tables / sizeof tables[0] };

static bool runs(const ck_table *table) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (table == &ck_table_avx2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (table == &ck_table_avx512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#endif
    return table == &ck_table_portable;
}

static const ck_table *chosen;
static ck_table fitted;
static pthread_once_t once = PTHREAD_ONCE_INIT;

// The table with the faster products that this CPU has beside the instruction set; results are the same.
static const ck_table *fit(const ck_table *table) {
    fitted = *table;
#if defined(__x86_64__)
    if (table == &ck_table_avx2 && __builtin_cpu_supports("avxvnni")) {
        fitted.products[ck_type_i8].panel = ck_panel_i8_avxvnni;
        fitted.products[ck_type_i8].peak = ck_peak_i8_avxvnni;
    }
    if (table == &ck_table_avx512 && __builtin_cpu_supports("avx512vnni")) {
        fitted.products[ck_type_i8].panel = ck_panel_i8_avx512vnni;
        fitted.products[ck_type_i8].peak = ck_peak_i8_avx512vnni;
    }
    // Intel's cores do a vdpbf16ps in the time of four multiplications (measured on Emerald Rapids), AMD's in that of one.
    if (table == &ck_table_avx512 && __builtin_cpu_supports("avx512bf16") && !__builtin_cpu_is("intel"))
        fitted.products[ck_type_bf16] = (ck_product){ck_panel_bf16_avx512bf16, table->pack_bf16, 1, ck_peak_bf16_avx512bf16,
                                                         12.0 * 16 * 4};
#endif
    return &fitted;
}

static void choose_best(void) {
    for (size_t i = 0; i < table_count; i++)
        if (runs(tables[i])) chosen = tables[i];
    chosen = fit(chosen);
}

const ck_table *ck_kernels(void) {
    pthread_once(&once, choose_best);
    return chosen;
}

bool ck_isa_select(const char *name) {
    pthread_once(&once, choose_best);
    if (name == NULL) return choose_best(), true;
    for (size_t i = 0; i < table_count; i++)
        if (strcmp(tables[i]->name, name) == 0 && runs(tables[i])) return chosen = fit(tables[i]), true;
    return false;
}

const char *ck_isa_name(void) { return ck_kernels()->name; }

bool ck_isa_prefers(ck_type type) {
    const ck_table *table = ck_kernels();
    if (type == ck_type_i8) return table->products[ck_type_i8].panel != ck_panel_i8_portable;
    return type == ck_type_bf16 && table->products[ck_type_bf16].words == 1;
}

const char *ck_isa_available(size_t i) {
    for (size_t j = 0; j < table_count; j++)
        if (runs(tables[j]) && i-- == 0) return tables[j]->name;
    return NULL;
}
