#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

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
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void choose_best(void) {
    for (size_t i = 0; i < table_count; i++)
        if (runs(tables[i])) chosen = tables[i];
}

const ck_table *ck_kernels(void) {
    pthread_once(&once, choose_best);
    return chosen;
}

bool ck_isa_select(const char *name) {
    pthread_once(&once, choose_best);
    if (name == NULL) return choose_best(), true;
    for (size_t i = 0; i < table_count; i++)
        if (strcmp(tables[i]->name, name) == 0 && runs(tables[i])) return chosen = tables[i], true;
    return false;
}

const char *ck_isa_name(void) { return ck_kernels()->name; }

const char *ck_isa_available(size_t i) {
    for (size_t j = 0; j < table_count; j++)
        if (runs(tables[j]) && i-- == 0) return tables[j]->name;
    return NULL;
}
