#define _GNU_SOURCE
#include "CSystem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

// Each call is repeated when a signal interrupts it; every other failure is the caller's to judge.
#define RETRY(result, call)                        \
    do {                                           \
        result = (call);                           \
    } while (result < 0 && errno == EINTR)

static int outcome(int result) { return result < 0 ? -errno : result; }

const char *cs_error_text(int error) {
    const char *text = strerrordesc_np(error);
    return text ? text : "unknown error";
}

static void fill(const struct stat *from, cs_status *out) {
    out->kind = S_ISREG(from->st_mode)   ? CS_REGULAR
                : S_ISDIR(from->st_mode) ? CS_DIRECTORY
                : S_ISLNK(from->st_mode) ? CS_SYMLINK
                                         : CS_OTHER;
    out->links = (uint32_t)from->st_nlink;
    out->size = from->st_size < 0 ? 0 : (uint64_t)from->st_size;
    out->modified_ns = (int64_t)from->st_mtim.tv_sec * 1000000000 + from->st_mtim.tv_nsec;
    out->inode = (uint64_t)from->st_ino;
    out->device = (uint64_t)from->st_dev;
}

int cs_status_of(const char *path, int follow_links, cs_status *out) {
    struct stat status;
    if ((follow_links ? stat(path, &status) : lstat(path, &status)) < 0) return -errno;
    fill(&status, out);
    return 0;
}

int cs_status_of_file(int fd, cs_status *out) {
    struct stat status;
    if (fstat(fd, &status) < 0) return -errno;
    fill(&status, out);
    return 0;
}

int cs_open_read(const char *path, int follow_links) {
    int fd;
    RETRY(fd, open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (follow_links ? 0 : O_NOFOLLOW)));
    return outcome(fd);
}

int cs_open_new(const char *path, uint32_t mode) {
    int fd;
    RETRY(fd, open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode));
    return outcome(fd);
}

int cs_open_shared(const char *path, uint32_t mode) {
    int fd;
    RETRY(fd, open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, (mode_t)mode));
    return outcome(fd);
}

int64_t cs_read(int fd, void *buffer, size_t count) {
    ssize_t got;
    RETRY(got, read(fd, buffer, count));
    return got < 0 ? -errno : got;
}

int cs_write(int fd, const void *bytes, size_t count) {
    const char *next = bytes;
    while (count > 0) {
        ssize_t put;
        RETRY(put, write(fd, next, count));
        if (put < 0) return -errno;
        next += put;
        count -= (size_t)put;
    }
    return 0;
}

int cs_rewrite(int fd, const void *bytes, size_t count) {
    if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0) return -errno;
    return cs_write(fd, bytes, count);
}

int cs_sync(int fd) {
    int result;
    RETRY(result, fsync(fd));
    return outcome(result);
}

int cs_sync_path(const char *path) {
    int fd = cs_open_read(path, 0);
    if (fd < 0) return fd;
    int result = cs_sync(fd);
    close(fd);
    return result;
}

// Linux frees the descriptor even when close is interrupted: never repeat it.
int cs_close(int fd) { return close(fd) < 0 && errno != EINTR ? -errno : 0; }

int cs_map(int fd, size_t count, void **out) {
    void *address = mmap(NULL, count, PROT_READ, MAP_SHARED, fd, 0);
    if (address == MAP_FAILED) return -errno;
    *out = address;
    return 0;
}

void cs_unmap(void *address, size_t count) { munmap(address, count); }

int cs_make_directory(const char *path, uint32_t mode) { return outcome(mkdir(path, (mode_t)mode)); }
int cs_rename_replace(const char *from, const char *to) { return outcome(rename(from, to)); }
int cs_rename_new(const char *from, const char *to) {
    return outcome(renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE));
}
int cs_rename_exchange(const char *one, const char *other) {
    return outcome(renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE));
}
int cs_remove_file(const char *path) { return outcome(unlink(path)); }
int cs_remove_directory(const char *path) { return outcome(rmdir(path)); }

struct cs_folder {
    DIR *stream;
};

int cs_folder_open(const char *path, cs_folder **out) {
    DIR *stream = opendir(path);
    if (!stream) return -errno;
    cs_folder *folder = malloc(sizeof *folder);
    if (!folder) {
        closedir(stream);
        return -ENOMEM;
    }
    folder->stream = stream;
    *out = folder;
    return 0;
}

int cs_folder_next(cs_folder *folder, const char **name) {
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(folder->stream);
        if (!entry) return -errno;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        *name = entry->d_name;
        return 1;
    }
}

void cs_folder_close(cs_folder *folder) {
    closedir(folder->stream);
    free(folder);
}

int cs_free_bytes(const char *path, uint64_t *out) {
    struct statvfs status;
    if (statvfs(path, &status) < 0) return -errno;
    *out = (uint64_t)status.f_bavail * (uint64_t)status.f_frsize;
    return 0;
}

int cs_lock(int fd, int shared) {
    int result;
    RETRY(result, flock(fd, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB));
    return outcome(result);
}
