#ifndef CSYSTEM_H
#define CSYSTEM_H

// What Swift cannot reach without a C library's headers: system calls, SHA-256 (libcrypto), inflate (zlib), deflate (libdeflate).
//
// Every function that can fail returns 0 or more on success and -errno on failure; nothing here prints or exits.
// Sizes are in bytes, times in nanoseconds. One handle, one thread at a time.

#include <stddef.h>
#include <stdint.h>

// ---- files.c ----

enum { CS_UNKNOWN = 0, CS_REGULAR = 1, CS_DIRECTORY = 2, CS_SYMLINK = 3, CS_OTHER = 4 };

typedef struct {
    int32_t kind;  // one of CS_REGULAR ...
    uint64_t size;
    int64_t modified_ns;
    int64_t changed_ns;  // of the inode: content, name or permissions
    uint64_t inode;
    uint64_t device;
    uint32_t owner;  // user id
} cs_status;

/// The message of the C library for an error number; valid for ever.
const char *cs_error_text(int error);

int cs_status_of(const char *path, int follow_links, cs_status *out);
int cs_status_of_file(int fd, cs_status *out);

/// For reading; never blocks on a FIFO. `follow_links` 0 refuses a symbolic link as last component (ELOOP).
int cs_open_read(const char *path, int follow_links);
/// A folder, through links; for the calls below.
int cs_open_folder(const char *path);
/// A file or folder below the folder `root`, for reading, never through a symbolic link (ELOOP) or out of `root` (EXDEV).
/// `path` is relative; one `.` alone means the folder itself. Never blocks on a FIFO.
int cs_open_beneath(int root, const char *path, int is_folder);
/// The same without openat2, component by component, for kernels that lack it.
int cs_open_beneath_by_steps(int root, const char *path, int is_folder);
/// Up to `count` bytes from `offset`; fewer only at the end of the file.
int64_t cs_read_at(int fd, void *buffer, size_t count, uint64_t offset);
/// Raises the limit of open descriptors as far as this process may, and gives what it is then.
int64_t cs_raise_descriptor_limit(void);
/// A new file for writing; an existing one is EEXIST.
int cs_open_new(const char *path, uint32_t mode);
int64_t cs_read(int fd, void *buffer, size_t count);
/// Makes the empty file `target` share the bytes of `source`: EOPNOTSUPP, EXDEV or EINVAL where the file system cannot.
int cs_clone(int source, int target);
/// Writes all of it.
int cs_write(int fd, const void *bytes, size_t count);
int cs_sync(int fd);
int cs_sync_path(const char *path);
int cs_close(int fd);

/// Read-only shared map of the first `count` bytes.
int cs_map(int fd, size_t count, void **out);
void cs_unmap(void *address, size_t count);
/// Lets go of the whole pages of a part of a map; they are read again when they are touched.
void cs_unmap_pages(void *address, size_t start, size_t count);

int cs_make_directory(const char *path, uint32_t mode);
/// 1 when this process, as the user that it acts as, may write to what stands at `path`.
int cs_may_write(const char *path);
/// The user that this process acts as.
uint32_t cs_user(void);
/// Within one file system. `cs_rename_new` fails with EEXIST rather than replace. `cs_rename_exchange` is one step, or, on file
/// systems that know no exchange (NFS), three: a crash between them leaves `other` as `one.aside`.
int cs_rename_replace(const char *from, const char *to);
int cs_rename_new(const char *from, const char *to);
int cs_rename_exchange(const char *one, const char *other);
int cs_remove_file(const char *path);
/// A folder with all that is in it; no link is followed.
int cs_remove_tree(const char *path);

typedef struct cs_folder cs_folder;
int cs_folder_open(const char *path, cs_folder **out);
/// The same for an open folder; `fd` belongs to it then, or is closed when it fails.
int cs_folder_of(int fd, cs_folder **out);
/// 1 and the next name (valid until the next call; `.` and `..` are left out), 0 at the end. `kind` may be CS_UNKNOWN.
int cs_folder_next(cs_folder *folder, const char **name, int32_t *kind);
/// Of an entry of the folder; of a link itself.
int cs_folder_status(cs_folder *folder, const char *name, cs_status *out);
void cs_folder_close(cs_folder *folder);

/// Bytes and files that an unprivileged writer may still make on the file system of `path`. `files` is UINT64_MAX where the file
/// system has no fixed number of them.
int cs_free_room(const char *path, uint64_t *bytes, uint64_t *files);
/// An advisory lock on an open file, not waited for: EWOULDBLOCK when another holds it. Released by close or death.
int cs_lock(int fd, int shared);
/// Opens or makes a file for reading and writing.
int cs_open_shared(const char *path, uint32_t mode);
/// Writes which process this is, where and since when (now, UTC) as text without an end mark; gives how many bytes, `size` at most.
size_t cs_describe_process(void *text, size_t size);
/// Sleeps that long, signals or not.
void cs_pause(uint32_t milliseconds);
/// Cuts the file to nothing and writes `bytes` from its beginning.
int cs_rewrite(int fd, const void *bytes, size_t count);

// ---- digest.c ----

typedef struct cs_digest cs_digest;
/// NULL when memory is short.
cs_digest *cs_digest_create(void);
int cs_digest_update(cs_digest *digest, const void *bytes, size_t count);
/// The SHA-256 of what was added; the handle can then only be destroyed.
int cs_digest_finish(cs_digest *digest, uint8_t out[32]);
void cs_digest_destroy(cs_digest *digest);

// ---- inflate.c ----

enum { CS_INFLATE_DONE = 0, CS_INFLATE_FULL = 1, CS_INFLATE_SHORT = 2, CS_INFLATE_BROKEN = 3, CS_INFLATE_NO_MEMORY = 4 };

/// Inflates one stream without a header into `out`. `*written` and `*consumed` are set whatever the result:
/// FULL when `capacity` does not suffice, SHORT when the input ends before the stream does.
int cs_inflate(const uint8_t *in, size_t count, uint8_t *out, size_t capacity, size_t *written, size_t *consumed);
uint32_t cs_crc32(const uint8_t *bytes, size_t count);

// ---- deflate.c ----

enum { CS_DEFLATE_DONE = 0, CS_DEFLATE_NO_MEMORY = 1 };

/// Bytes that the deflated form of `count` bytes needs at most.
size_t cs_deflate_bound(size_t count);
/// Deflates into one stream without a header: runs and entropy coding only, which suits differences of neighbouring pixels.
int cs_deflate(const uint8_t *in, size_t count, uint8_t *out, size_t capacity, size_t *written);

#endif
