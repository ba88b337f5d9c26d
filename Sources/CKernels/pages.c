#define _GNU_SOURCE
#include <stdatomic.h>
#include <sys/mman.h>

#include "CKernels.h"

enum { page_bytes = 4096 };

void *ck_pages_map(size_t bytes) {
    static atomic_size_t mapped;
    void *start = mmap(NULL, bytes + page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) return NULL;
    // Tensors that all began with a page would share few sets of the caches: 7 % of a ViT-B.
    return (char *)start + atomic_fetch_add(&mapped, 1) * 7 % 16 * (page_bytes / 16);
}

void ck_pages_unmap(void *base, size_t bytes) {
    munmap((void *)((uintptr_t)base & ~(uintptr_t)(page_bytes - 1)), bytes + page_bytes);
}
