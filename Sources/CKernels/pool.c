#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "CKernels.h"
#include "internal.h"

// One job at a time: workers sleep on `wake`, take tiles from an atomic counter, and the last one done wakes the caller.
static struct {
    pthread_mutex_t lock;
    pthread_cond_t wake, done;
    pthread_mutex_t one_job;
    size_t threads;
    uint64_t generation;
    size_t running;
    void *context;
    void (*body)(void *, size_t);
    size_t tiles;
    atomic_size_t next;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER,
          .wake = PTHREAD_COND_INITIALIZER,
          .done = PTHREAD_COND_INITIALIZER,
          .one_job = PTHREAD_MUTEX_INITIALIZER};

static _Thread_local size_t worker_index;
static _Thread_local bool inside;

static void take_tiles(void) {
    inside = true;
    for (size_t tile; (tile = atomic_fetch_add(&pool.next, 1)) < pool.tiles;) pool.body(pool.context, tile);
    inside = false;
}

static void *worker(void *argument) {
    worker_index = (size_t)argument;
    uint64_t seen = 0;
    pthread_mutex_lock(&pool.lock);
    for (;;) {
        while (pool.generation == seen) pthread_cond_wait(&pool.wake, &pool.lock);
        seen = pool.generation;
        pthread_mutex_unlock(&pool.lock);
        take_tiles();
        pthread_mutex_lock(&pool.lock);
        if (--pool.running == 0) pthread_cond_signal(&pool.done);
    }
    return NULL;
}

static size_t wanted_threads;

static void start(void) {
    size_t threads = wanted_threads;
    if (threads == 0) {
        cpu_set_t set;
        threads = sched_getaffinity(0, sizeof set, &set) == 0 ? (size_t)CPU_COUNT(&set) : 1;
    }
    pool.threads = 1;
    for (size_t i = 1; i < threads; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, worker, (void *)i) != 0) break;
        pthread_detach(thread);
        pool.threads++;
    }
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

void ck_pool_start(size_t threads) {
    wanted_threads = threads;
    pthread_once(&once, start);
}

size_t ck_pool_threads(void) {
    pthread_once(&once, start);
    return pool.threads;
}

size_t ck_worker(void) { return worker_index; }

void ck_parallel(size_t tiles, void *context, void (*body)(void *, size_t)) {
    size_t threads = ck_pool_threads();
    if (inside || threads == 1 || tiles < 2) {
        for (size_t tile = 0; tile < tiles; tile++) body(context, tile);
        return;
    }
    pthread_mutex_lock(&pool.one_job);
    size_t mine = worker_index;
    worker_index = 0;
    pthread_mutex_lock(&pool.lock);
    pool.context = context;
    pool.body = body;
    pool.tiles = tiles;
    atomic_store(&pool.next, 0);
    pool.running = threads - 1;
    pool.generation++;
    pthread_cond_broadcast(&pool.wake);
    pthread_mutex_unlock(&pool.lock);
    take_tiles();
    pthread_mutex_lock(&pool.lock);
    while (pool.running != 0) pthread_cond_wait(&pool.done, &pool.lock);
    pthread_mutex_unlock(&pool.lock);
    worker_index = mine;
    pthread_mutex_unlock(&pool.one_job);
}
