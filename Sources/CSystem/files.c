#define _GNU_SOURCE
#include "CSystem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <time.h>
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
    out->size = from->st_size < 0 ? 0 : (uint64_t)from->st_size;
    out->modified_ns = (int64_t)from->st_mtim.tv_sec * 1000000000 + from->st_mtim.tv_nsec;
    out->changed_ns = (int64_t)from->st_ctim.tv_sec * 1000000000 + from->st_ctim.tv_nsec;
    out->inode = (uint64_t)from->st_ino;
    out->device = (uint64_t)from->st_dev;
    out->owner = (uint32_t)from->st_uid;
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

int cs_open_folder(const char *path) {
    int fd;
    RETRY(fd, open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return outcome(fd);
}

static int beneath_flags(int is_folder) {
    return O_RDONLY | O_CLOEXEC | (is_folder ? O_DIRECTORY : O_NONBLOCK | O_NOCTTY);
}

int cs_open_beneath(int root, const char *path, int is_folder) {
    struct open_how how = {
        .flags = (uint64_t)beneath_flags(is_folder),
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    long fd;
    // EAGAIN: a rename elsewhere in the tree made the kernel unsure; it asks for another try.
    int tries = 0;
    do {
        fd = syscall(SYS_openat2, root, path, &how, sizeof how);
    } while (fd < 0 && (errno == EINTR || (errno == EAGAIN && ++tries < 100)));
    // A kernel before 5.6, or a sandbox that does not know the call.
    if (fd < 0 && (errno == ENOSYS || errno == EPERM)) return cs_open_beneath_by_steps(root, path, is_folder);
    return fd < 0 ? -errno : (int)fd;
}

int cs_open_beneath_by_steps(int root, const char *path, int is_folder) {
    char name[256];
    int folder = root;
    for (;;) {
        size_t length = strcspn(path, "/");
        const char *rest = path + length;
        if (length == 0 || length >= sizeof name || (length == 2 && path[0] == '.' && path[1] == '.')) {
            if (folder != root) close(folder);
            return length >= sizeof name ? -ENAMETOOLONG : length == 0 ? -ENOENT : -EXDEV;
        }
        memcpy(name, path, length);
        name[length] = 0;
        int is_last = *rest == 0, fd;
        RETRY(fd, openat(folder, name, O_NOFOLLOW | beneath_flags(is_last ? is_folder : 1)));
        int error = errno;
        // O_DIRECTORY with O_NOFOLLOW tells a link as ENOTDIR; whoever reads the message should hear of the link.
        struct stat status;
        if (fd < 0 && error == ENOTDIR && fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISLNK(status.st_mode)) {
            error = ELOOP;
        }
        if (folder != root) close(folder);
        if (fd < 0) return -error;
        if (is_last) return fd;
        folder = fd;
        path = rest + 1;
    }
}

int64_t cs_read_at(int fd, void *buffer, size_t count, uint64_t offset) {
    char *next = buffer;
    size_t left = count;
    while (left > 0) {
        ssize_t got;
        RETRY(got, pread(fd, next, left, (off_t)offset));
        if (got < 0) return -errno;
        if (got == 0) break;
        next += got;
        offset += (uint64_t)got;
        left -= (size_t)got;
    }
    return (int64_t)(count - left);
}

int64_t cs_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    if (limit.rlim_cur < limit.rlim_max) {
        rlim_t before = limit.rlim_cur;
        limit.rlim_cur = limit.rlim_max;
        // Above what the kernel allows one process (fs.nr_open) it refuses: then the old limit stands.
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0) limit.rlim_cur = before;
    }
    return limit.rlim_cur > INT32_MAX ? INT32_MAX : (int64_t)limit.rlim_cur;
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
        if (put == 0) return -EIO;  // never for a regular file; anything is better than to try for ever
        next += put;
        count -= (size_t)put;
    }
    return 0;
}

int cs_clone(int source, int target) { return outcome(ioctl(target, FICLONE, source)); }

int cs_may_write(const char *path) { return faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) == 0; }

uint32_t cs_user(void) { return (uint32_t)geteuid(); }

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

void cs_unmap_pages(void *address, size_t start, size_t count) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE), first = (start + page - 1) / page * page, end = (start + count) / page * page;
    if (end > first) madvise((char *)address + first, end - first, MADV_DONTNEED);
}

int cs_make_directory(const char *path, uint32_t mode) { return outcome(mkdir(path, (mode_t)mode)); }
int cs_rename_replace(const char *from, const char *to) { return outcome(rename(from, to)); }
int cs_rename_new(const char *from, const char *to) {
    int result = outcome(renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE));
    if (result != -EINVAL) return result;
    // NFS and other network file systems know no flags. A link never replaces anything; a folder can have none, and its rename replaces
    // nothing but an empty folder that somebody makes between the look and the rename.
    struct stat status;
    if (lstat(from, &status) < 0) return -errno;
    if (!S_ISDIR(status.st_mode)) {
        result = outcome(linkat(AT_FDCWD, from, AT_FDCWD, to, 0));
        return result < 0 ? result : outcome(unlink(from));
    }
    if (lstat(to, &status) == 0) return -EEXIST;
    result = errno == ENOENT ? outcome(rename(from, to)) : -errno;
    return result == -ENOTEMPTY || result == -ENOTDIR ? -EEXIST : result;
}
int cs_rename_exchange(const char *one, const char *other) {
    int result = outcome(renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE));
    if (result != -EINVAL) return result;
    char aside[PATH_MAX];
    int length = snprintf(aside, sizeof aside, "%s.aside", one);
    if (length < 0 || (size_t)length >= sizeof aside) return -ENAMETOOLONG;
    result = outcome(rename(other, aside));
    if (result < 0) return result;
    result = outcome(rename(one, other));
    if (result < 0) {
        rename(aside, other);
        return result;
    }
    return outcome(rename(aside, one));
}
int cs_remove_file(const char *path) { return outcome(unlink(path)); }

// Everything in the folder behind `fd`, which is closed. Names never leave their folder's descriptor, so a folder that is
// exchanged for a link meanwhile leads nowhere else.
static int empty_folder(int fd, int depth) {
    if (depth > 1000) {
        close(fd);
        return -ENAMETOOLONG;
    }
    DIR *stream = fdopendir(fd);
    if (!stream) {
        int error = errno;
        close(fd);
        return -error;
    }
    int result = 0;
    while (result == 0) {
        errno = 0;
        struct dirent *entry = readdir(stream);
        if (!entry) {
            result = -errno;
            break;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (unlinkat(fd, entry->d_name, 0) == 0 || errno == ENOENT) continue;
        // Linux says EISDIR for a folder, POSIX EPERM.
        if (errno != EISDIR && errno != EPERM) {
            result = -errno;
            break;
        }
        int inner = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        result = inner < 0 ? -errno : empty_folder(inner, depth + 1);
        if (result == 0 && unlinkat(fd, entry->d_name, AT_REMOVEDIR) < 0 && errno != ENOENT) result = -errno;
    }
    closedir(stream);
    return result;
}

int cs_remove_tree(const char *path) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return -errno;
    int result = empty_folder(fd, 0);
    return result < 0 ? result : outcome(rmdir(path));
}

struct cs_folder {
    DIR *stream;
};

int cs_folder_open(const char *path, cs_folder **out) {
    int fd = cs_open_folder(path);
    return fd < 0 ? fd : cs_folder_of(fd, out);
}

int cs_folder_of(int fd, cs_folder **out) {
    cs_folder *folder = malloc(sizeof *folder);
    DIR *stream = folder ? fdopendir(fd) : NULL;
    if (!stream) {
        int error = folder ? errno : ENOMEM;
        free(folder);
        close(fd);
        return -error;
    }
    folder->stream = stream;
    *out = folder;
    return 0;
}

int cs_folder_next(cs_folder *folder, const char **name, int32_t *kind) {
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(folder->stream);
        if (!entry) return -errno;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        *name = entry->d_name;
        *kind = entry->d_type == DT_REG       ? CS_REGULAR
                : entry->d_type == DT_DIR     ? CS_DIRECTORY
                : entry->d_type == DT_LNK     ? CS_SYMLINK
                : entry->d_type == DT_UNKNOWN ? CS_UNKNOWN
                                              : CS_OTHER;
        return 1;
    }
}

int cs_folder_status(cs_folder *folder, const char *name, cs_status *out) {
    struct stat status;
    if (fstatat(dirfd(folder->stream), name, &status, AT_SYMLINK_NOFOLLOW) < 0) return -errno;
    fill(&status, out);
    return 0;
}

void cs_folder_close(cs_folder *folder) {
    closedir(folder->stream);
    free(folder);
}

int cs_free_room(const char *path, uint64_t *bytes, uint64_t *files) {
    struct statvfs status;
    if (statvfs(path, &status) < 0) return -errno;
    *bytes = (uint64_t)status.f_bavail * (uint64_t)status.f_frsize;
    *files = status.f_files == 0 ? UINT64_MAX : (uint64_t)status.f_favail;
    return 0;
}

size_t cs_describe_process(void *text, size_t size) {
    char host[256] = "";
    // A name that is cut has no end mark of its own.
    if (gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
    char moment[sizeof "2026-11-24T01:44:02Z" + 16] = "";
    time_t now = time(NULL);
    struct tm utc;
    if (gmtime_r(&now, &utc) != NULL) strftime(moment, sizeof moment, "%Y-%m-%dT%H:%M:%SZ", &utc);
    char whole[512];
    int count = snprintf(whole, sizeof whole, "process %ld on %s since %s", (long)getpid(), host, moment);
    if (count < 0 || (size_t)count >= sizeof whole) return 0;
    size_t kept = (size_t)count < size ? (size_t)count : size;
    memcpy(text, whole, kept);
    return kept;
}

void cs_pause(uint32_t milliseconds) {
    struct timespec left = {.tv_sec = milliseconds / 1000, .tv_nsec = (long)(milliseconds % 1000) * 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

int cs_lock(int fd, int shared) {
    int result;
    RETRY(result, flock(fd, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB));
    return outcome(result);
}
