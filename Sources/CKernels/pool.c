#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "CKernels.h"
#include "internal.h"

// One job at a time: workers take tiles from an atomic counter. Who waits, a worker for a job or the caller for the workers, looks for
// a while before it sleeps: jobs follow each other within microseconds, and to wake a thread takes tens of them, more in a virtual machine.
static struct {
    pthread_mutex_t lock;
    pthread_cond_t wake, done;
    pthread_mutex_t one_job;
    size_t threads;
    // More threads than cores: who looks takes the core from who works.
    bool is_crowded;
    atomic_uint_fast64_t generation;
    atomic_size_t running;
    // How many workers sleep or are about to, and whether the caller does or is about to: set before the last look at what is waited for, so
    // that whoever changes that afterwards wakes them.
    atomic_size_t sleepers;
    atomic_bool caller_sleeps;
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

static uint64_t nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

enum { look_nanoseconds = 100000 };

static void rest(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static bool has_job(uint64_t seen) { return atomic_load(&pool.generation) != seen; }

static bool is_done(uint64_t unused) {
    (void)unused;
    return atomic_load(&pool.running) == 0;
}

// Whether it came true while there was an eye on it.
static bool look(bool (*has_come)(uint64_t), uint64_t argument) {
    if (has_come(argument)) return true;
    if (pool.is_crowded) return false;
    uint64_t end = nanoseconds() + look_nanoseconds;
    do {
        for (int i = 0; i < 16; i++) {
            rest();
            if (has_come(argument)) return true;
        }
    } while (nanoseconds() < end);
    return false;
}

static void wait_for_job(uint64_t seen) {
    if (look(has_job, seen)) return;
    pthread_mutex_lock(&pool.lock);
    atomic_fetch_add(&pool.sleepers, 1);
    while (!has_job(seen)) pthread_cond_wait(&pool.wake, &pool.lock);
    atomic_fetch_sub(&pool.sleepers, 1);
    pthread_mutex_unlock(&pool.lock);
}

static void wait_for_workers(void) {
    if (look(is_done, 0)) return;
    pthread_mutex_lock(&pool.lock);
    atomic_store(&pool.caller_sleeps, true);
    while (!is_done(0)) pthread_cond_wait(&pool.done, &pool.lock);
    atomic_store(&pool.caller_sleeps, false);
    pthread_mutex_unlock(&pool.lock);
}

// Takes the lock, so that whoever has said that it sleeps does.
static void wake(pthread_cond_t *condition) {
    pthread_mutex_lock(&pool.lock);
    pthread_cond_broadcast(condition);
    pthread_mutex_unlock(&pool.lock);
}

static void *worker(void *argument) {
    worker_index = (size_t)argument;
    // Every worker has a part in every job: none begins before all are done with the last.
    for (uint64_t seen = 0;; seen++) {
        wait_for_job(seen);
        take_tiles();
        if (atomic_fetch_sub(&pool.running, 1) == 1 && atomic_load(&pool.caller_sleeps)) wake(&pool.done);
    }
    return NULL;
}

static size_t wanted_threads;

static void start(void) {
    cpu_set_t set;
    size_t cores = sched_getaffinity(0, sizeof set, &set) == 0 ? (size_t)CPU_COUNT(&set) : 1;
    size_t threads = wanted_threads != 0 ? wanted_threads : cores;
    pool.is_crowded = threads > cores;
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
    pool.context = context;
    pool.body = body;
    pool.tiles = tiles;
    atomic_store(&pool.next, 0);
    atomic_store(&pool.running, threads - 1);
    atomic_fetch_add(&pool.generation, 1);
    if (atomic_load(&pool.sleepers) != 0) wake(&pool.wake);
    take_tiles();
    wait_for_workers();
    worker_index = mine;
    pthread_mutex_unlock(&pool.one_job);
}
