#include "sim/study/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"

enum { FORMAT_VERSION = 1, IDENTITY_SIZE = SHA256_TEXT_SIZE - 1, CHECKSUM_SIZE = 16 };

static const char MAGIC[8] = {'l', 'i', 'q', 'j', 'r', 'n', 'l', '\n'};
static const uint64_t BYTE_ORDER_MARK = 0x0102030405060708;

/* The beginning of a file. Checksums are hexadecimal, as sha256_bytes gives them. */
struct header {
    char magic[sizeof MAGIC];
    uint64_t byte_order;
    uint32_t version;
    uint32_t payload_count;
    uint64_t item_count;
    char identity[IDENTITY_SIZE];
    char checksum[CHECKSUM_SIZE];
};
_Static_assert(sizeof(struct header) == 32 + IDENTITY_SIZE + CHECKSUM_SIZE, "no padding");

/* A record lies in `block` behind what its checksum covers besides. */
enum { PLACE_AT = IDENTITY_SIZE, RECORD_AT = PLACE_AT + 8, PAYLOAD_AT = RECORD_AT + 8 };

static size_t payload_size(const struct journal *self)
{
    return sizeof(double) * self->layout.payload_count;
}

static size_t record_size(const struct journal *self)
{
    return PAYLOAD_AT - RECORD_AT + payload_size(self) + CHECKSUM_SIZE;
}

static off_t place_offset(const struct journal *self, uint64_t place)
{
    return (off_t)(sizeof(struct header) + place * record_size(self));
}

static void checksum(const void *bytes, size_t size, char out_checksum[CHECKSUM_SIZE])
{
    char text[SHA256_TEXT_SIZE];
    sha256_bytes(bytes, size, text);
    memcpy(out_checksum, text, CHECKSUM_SIZE);
}

/* ---- files ------------------------------------------------------------------------------ */

static int data_error(const struct journal *self, struct error *err, const char *message)
{
    return error_at(err, ERROR_DATA, self->path, 0, 0, NULL, "%s", message);
}

/* Reads up to `size` bytes, fewer at the end of the file. */
static int read_bytes(const struct journal *self, void *out, size_t size, off_t offset,
                      size_t *out_read, struct error *err)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = pread(self->file, (char *)out + done, size - done, offset + (off_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(err, self->path, errno, "cannot read the journal");
        if (got == 0)
            break;
        done += (size_t)got;
    }
    *out_read = done;
    return ERROR_NONE;
}

/* One write as a rule; the errno of a failure, else 0. */
static int write_bytes(int file, const void *bytes, size_t size, off_t offset)
{
    size_t done = 0;
    while (done < size) {
        ssize_t put = pwrite(file, (const char *)bytes + done, size - done, offset + (off_t)done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return put < 0 ? errno : EIO;
        done += (size_t)put;
    }
    return 0;
}

/* A new file's name is durable only when its folder is. Some file systems cannot sync a folder and
   say EINVAL. */
static int sync_folder(const struct journal *self, struct error *err)
{
    const char *slash = strrchr(self->path, '/');
    char *folder = memory_text(slash != NULL ? self->path : ".");
    if (folder == NULL)
        return error_memory(err, "opening the journal");
    if (slash != NULL)
        folder[slash == self->path ? 1 : slash - self->path] = '\0';
    int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int reason = file < 0 || (fsync(file) != 0 && errno != EINVAL) ? errno : 0;
    if (file >= 0)
        close(file);
    memory_free(folder);
    return reason == 0
               ? ERROR_NONE
               : error_errno(err, self->path, reason, "cannot sync the folder of the journal");
}

static int lock(const struct journal *self, struct error *err)
{
    int how = self->writable ? LOCK_EX : LOCK_SH;
    if (flock(self->file, how | LOCK_NB) == 0)
        return ERROR_NONE;
    if (errno == EWOULDBLOCK)
        return error_at(err, ERROR_IO, self->path, 0, 0, NULL,
                        "another process is using this journal; wait for it or end it");
    return ERROR_NONE; /* a file system without locks */
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- header ----------------------------------------------------------------------------- */

static void make_header(const struct journal_layout *layout, struct header *out_header)
{
    *out_header = (struct header){.byte_order = BYTE_ORDER_MARK,
                                  .version = FORMAT_VERSION,
                                  .payload_count = layout->payload_count,
                                  .item_count = layout->item_count};
    memcpy(out_header->magic, MAGIC, sizeof MAGIC);
    memcpy(out_header->identity, layout->identity, IDENTITY_SIZE);
    checksum(out_header, offsetof(struct header, checksum), out_header->checksum);
}

static int check_header(const struct journal *self, const struct header *header, struct error *err)
{
    char expected[CHECKSUM_SIZE];
    if (memcmp(header->magic, MAGIC, sizeof MAGIC) != 0)
        return data_error(self, err, "is not a journal");
    if (header->byte_order != BYTE_ORDER_MARK)
        return data_error(self, err, "is of a machine with another byte order, or damaged");
    if (header->version != FORMAT_VERSION)
        return error_at(err, ERROR_DATA, self->path, 0, 0, NULL,
                        "is a journal of format version %" PRIu32 "; expected %d", header->version,
                        FORMAT_VERSION);
    checksum(header, offsetof(struct header, checksum), expected);
    if (memcmp(header->checksum, expected, CHECKSUM_SIZE) != 0 || header->payload_count < 1 ||
        header->payload_count > JOURNAL_PAYLOAD_MAX || header->item_count > JOURNAL_ITEMS_MAX)
        return data_error(self, err, "the header of the journal is damaged");
    return ERROR_NONE;
}

/* A job that ended while it created the journal: less than a header, or what a file system made of
   it, zeros. Other people's files are not taken for that. */
static bool is_unborn(const struct header *header, size_t size)
{
    static const struct header zeros;
    size_t magic = size < sizeof MAGIC ? size : sizeof MAGIC;
    if (memcmp(header, &zeros, size) == 0)
        return true;
    return size < sizeof *header && memcmp(header->magic, MAGIC, magic) == 0;
}

static int write_header(struct journal *self, struct error *err)
{
    struct header header;
    make_header(&self->layout, &header);
    int reason = write_bytes(self->file, &header, sizeof header, 0);
    if (reason == 0 && fsync(self->file) != 0)
        reason = errno;
    if (reason != 0)
        return error_errno(err, self->path, reason, "cannot write the journal");
    return sync_folder(self, err);
}

static int check_layout(const struct journal *self, const struct header *header, struct error *err)
{
    if (memcmp(header->identity, self->layout.identity, IDENTITY_SIZE) == 0 &&
        header->item_count == self->layout.item_count &&
        header->payload_count == self->layout.payload_count)
        return ERROR_NONE;
    return error_at(err, ERROR_SCENARIO, self->path, 0, 0, NULL,
                    "the scenario changed, or the program: this journal is of %.12s with %" PRIu64
                    " items, now it is %.12s with %" PRIu64
                    "; change it back, or remove the journal to start anew",
                    header->identity, header->item_count, self->layout.identity,
                    self->layout.item_count);
}

static int read_header(const struct journal *self, struct header *out_header, size_t *out_size,
                       struct error *err)
{
    *out_header = (struct header){.version = 0};
    return read_bytes(self, out_header, sizeof *out_header, 0, out_size, err);
}

/* ---- records ---------------------------------------------------------------------------- */

/* Fills in what a record's checksum covers besides the record, and gives that checksum. */
static void record_checksum(const struct journal *self, uint64_t place,
                            char out_checksum[CHECKSUM_SIZE])
{
    memcpy(self->block, self->layout.identity, IDENTITY_SIZE);
    memcpy(self->block + PLACE_AT, &place, sizeof place);
    checksum(self->block, PAYLOAD_AT + payload_size(self), out_checksum);
}

/* Where the checksum of the record in the block stands. */
static char *record_end(const struct journal *self)
{
    return (char *)self->block + PAYLOAD_AT + payload_size(self);
}

/* Reads the record of a place into the block; `*out_whole` false when it is torn or damaged. */
static int read_record(const struct journal *self, uint64_t place, uint64_t *out_item,
                       bool *out_whole, struct error *err)
{
    char expected[CHECKSUM_SIZE];
    size_t size = record_size(self), got = 0;
    int code =
        read_bytes(self, self->block + RECORD_AT, size, place_offset(self, place), &got, err);
    *out_whole = false;
    if (code != ERROR_NONE || got < size)
        return code;
    record_checksum(self, place, expected);
    memcpy(out_item, self->block + RECORD_AT, sizeof *out_item);
    *out_whole = memcmp(record_end(self), expected, CHECKSUM_SIZE) == 0 &&
                 *out_item < self->layout.item_count;
    return ERROR_NONE;
}

/* Takes in records up to the first that is not whole, or repeats an item. */
static int read_records(struct journal *self, struct error *err)
{
    for (;;) {
        uint64_t item;
        bool whole;
        int code = read_record(self, self->done, &item, &whole, err);
        if (code != ERROR_NONE)
            return code;
        if (!whole || self->places[item] != 0)
            return ERROR_NONE;
        self->places[item] = (uint32_t)++self->done;
    }
}

static int allocate(struct journal *self, struct error *err)
{
    self->places = memory_zeroed((size_t)self->layout.item_count, sizeof *self->places);
    self->block = memory_alloc(RECORD_AT + record_size(self), 1);
    if (self->places == NULL || self->block == NULL)
        return error_memory(err, "opening the journal");
    return ERROR_NONE;
}

/* Bytes behind the last whole record. */
static int count_rest(const struct journal *self, uint64_t *out_bytes, struct error *err)
{
    struct stat status;
    if (fstat(self->file, &status) != 0)
        return error_errno(err, self->path, errno, "cannot look at the journal");
    off_t end = place_offset(self, self->done);
    *out_bytes = status.st_size > end ? (uint64_t)(status.st_size - end) : 0;
    return ERROR_NONE;
}

/* ---- open and close --------------------------------------------------------------------- */

static int drop_rest(struct journal *self, struct error *err)
{
    int code = count_rest(self, &self->dropped_bytes, err);
    if (code != ERROR_NONE || self->dropped_bytes == 0)
        return code;
    if (ftruncate(self->file, place_offset(self, self->done)) != 0 || fsync(self->file) != 0)
        return error_errno(err, self->path, errno, "cannot cut off the torn end of the journal");
    return ERROR_NONE;
}

static int begin_anew(struct journal *self, struct error *err)
{
    if (ftruncate(self->file, 0) != 0)
        return error_errno(err, self->path, errno, "cannot write the journal");
    return write_header(self, err);
}

/* Without --resume only a journal that holds nothing gives way. */
static int check_empty(const struct journal *self, struct error *err)
{
    uint64_t rest = 0;
    int code = count_rest(self, &rest, err);
    if (code != ERROR_NONE || rest == 0)
        return code;
    return error_at(err, ERROR_IO, self->path, 0, 0, NULL,
                    "the journal of an earlier job is there; go on with --resume, or remove it to "
                    "start anew");
}

/* Goes on with the journal that is there, or begins it. */
static int take_up(struct journal *self, bool resume, struct error *err)
{
    struct header header;
    size_t size = 0;
    int code = lock(self, err);
    if (code == ERROR_NONE)
        code = read_header(self, &header, &size, err);
    if (code != ERROR_NONE)
        return code;
    if (is_unborn(&header, size))
        return begin_anew(self, err);
    code = check_header(self, &header, err);
    if (code == ERROR_NONE && !resume) {
        code = check_empty(self, err);
        return code != ERROR_NONE ? code : begin_anew(self, err);
    }
    if (code == ERROR_NONE)
        code = check_layout(self, &header, err);
    if (code == ERROR_NONE)
        code = read_records(self, err);
    return code != ERROR_NONE ? code : drop_rest(self, err);
}

static void release(struct journal *self)
{
    if (self->path != NULL && self->file >= 0)
        close(self->file);
    memory_free(self->path);
    memory_free(self->places);
    memory_free(self->block);
    *self = (struct journal){.file = -1};
}

static int open_file(struct journal *self, const char *path, int flags, struct error *err)
{
    self->path = memory_text(path);
    if (self->path == NULL)
        return error_memory(err, "opening the journal");
    self->file = open(path, flags | O_CLOEXEC, 0666);
    return self->file >= 0 ? ERROR_NONE : error_errno(err, path, errno, "cannot open the journal");
}

int journal_open(struct journal *self, const char *path, const struct journal_layout *layout,
                 bool resume, struct error *err)
{
    *self = (struct journal){.layout = *layout, .file = -1, .writable = true};
    liqcascade_bug_assert(layout->payload_count >= 1 &&
                              layout->payload_count <= JOURNAL_PAYLOAD_MAX &&
                              layout->item_count <= JOURNAL_ITEMS_MAX,
                          "a journal's layout is within its bounds");
    liqcascade_bug_assert(strlen(layout->identity) == IDENTITY_SIZE,
                          "the identity of a journal is a SHA-256");
    self->synced_ms = now_ms();
    int code = allocate(self, err);
    if (code == ERROR_NONE)
        code = open_file(self, path, O_RDWR | O_CREAT, err);
    if (code == ERROR_NONE)
        code = take_up(self, resume, err);
    if (code != ERROR_NONE)
        release(self);
    return code;
}

/* The layout of the file's header. */
static int learn_layout(struct journal *self, struct error *err)
{
    struct header header;
    size_t size = 0;
    int code = read_header(self, &header, &size, err);
    if (code == ERROR_NONE)
        code = check_header(self, &header, err);
    if (code != ERROR_NONE)
        return code;
    self->layout.item_count = header.item_count;
    self->layout.payload_count = header.payload_count;
    memcpy(self->layout.identity, header.identity, IDENTITY_SIZE);
    return ERROR_NONE;
}

static int read_whole(struct journal *self, struct error *err)
{
    uint64_t rest = 0;
    int code = lock(self, err);
    if (code == ERROR_NONE)
        code = learn_layout(self, err);
    if (code == ERROR_NONE)
        code = allocate(self, err);
    if (code == ERROR_NONE)
        code = read_records(self, err);
    if (code == ERROR_NONE)
        code = count_rest(self, &rest, err);
    if (code == ERROR_NONE && rest > 0)
        return error_at(err, ERROR_DATA, self->path, 0, 0, NULL,
                        "the journal is damaged behind its first %" PRIu64 " items", self->done);
    return code;
}

int journal_read(struct journal *self, const char *path, struct error *err)
{
    *self = (struct journal){.file = -1};
    int code = open_file(self, path, O_RDONLY, err);
    if (code == ERROR_NONE)
        code = read_whole(self, err);
    if (code != ERROR_NONE)
        release(self);
    return code;
}

int journal_sync(struct journal *self, struct error *err)
{
    if (self->broken)
        return error_at(err, ERROR_IO, self->path, 0, 0, NULL,
                        "an earlier write of the journal failed; go on with --resume");
    if (self->unsynced > 0 && fdatasync(self->file) != 0) {
        self->broken = true; /* what the disk has now is known to nobody: a resume will look */
        return error_errno(err, self->path, errno,
                           "cannot make the journal durable; go on with --resume");
    }
    self->unsynced = 0;
    self->synced_ms = now_ms();
    return ERROR_NONE;
}

int journal_close(struct journal *self, struct error *err)
{
    int code = ERROR_NONE;
    if (self->path == NULL)
        return ERROR_NONE;
    if (self->unsynced > 0)
        code = journal_sync(self, err);
    release(self);
    return code;
}

/* ---- use -------------------------------------------------------------------------------- */

bool journal_has(const struct journal *self, uint64_t item)
{
    return item < self->layout.item_count && self->places[item] != 0;
}

/* Takes back a record that went only partly to the disk. */
static int take_back(struct journal *self, uint64_t item, int reason, struct error *err)
{
    if (ftruncate(self->file, place_offset(self, self->done)) != 0)
        self->broken = true;
    return error_errno(err, self->path, reason,
                       "cannot append item %" PRIu64 "; the %" PRIu64
                       " finished ones are kept: make room and go on with --resume",
                       item, self->done);
}

int journal_append(struct journal *self, uint64_t item, const double *payload, struct error *err)
{
    liqcascade_bug_assert(self->writable, "a journal that is read is not written");
    if (item >= self->layout.item_count || journal_has(self, item))
        return error_at(err, ERROR_NUMERICAL, self->path, 0, 0, NULL,
                        "item %" PRIu64 " of %" PRIu64 " %s", item, self->layout.item_count,
                        journal_has(self, item) ? "was finished twice" : "does not exist");
    if (self->broken)
        return journal_sync(self, err);
    memcpy(self->block + RECORD_AT, &item, sizeof item);
    memcpy(self->block + PAYLOAD_AT, payload, payload_size(self));
    record_checksum(self, self->done, record_end(self));
    int reason = write_bytes(self->file, self->block + RECORD_AT, record_size(self),
                             place_offset(self, self->done));
    if (reason != 0)
        return take_back(self, item, reason, err);
    self->places[item] = (uint32_t)++self->done;
    self->unsynced++;
    if (self->unsynced < JOURNAL_SYNC_RECORDS && now_ms() - self->synced_ms < JOURNAL_SYNC_MS)
        return ERROR_NONE;
    return journal_sync(self, err);
}

/* Brings the record of an item into the block. */
static int load(const struct journal *self, uint64_t item, struct error *err)
{
    uint64_t found;
    bool whole;
    if (!journal_has(self, item))
        return error_at(err, ERROR_DATA, self->path, 0, 0, NULL, "item %" PRIu64 " is not finished",
                        item);
    int code = read_record(self, self->places[item] - 1, &found, &whole, err);
    if (code != ERROR_NONE)
        return code;
    if (!whole || found != item)
        return data_error(self, err, "the journal changed while it was in use");
    return ERROR_NONE;
}

int journal_get(const struct journal *self, uint64_t item, double *out_payload, struct error *err)
{
    int code = load(self, item, err);
    if (code == ERROR_NONE)
        memcpy(out_payload, self->block + PAYLOAD_AT, payload_size(self));
    return code;
}

int journal_write(const struct journal *self, FILE *out, struct error *err)
{
    struct header header;
    uint64_t place = 0;
    make_header(&self->layout, &header);
    fwrite(&header, sizeof header, 1, out);
    for (uint64_t item = 0; item < self->layout.item_count; item++) {
        if (self->places[item] == 0)
            continue;
        int code = load(self, item, err);
        if (code != ERROR_NONE)
            return code;
        record_checksum(self, place++, record_end(self));
        fwrite(self->block + RECORD_AT, record_size(self), 1, out);
    }
    return ERROR_NONE;
}
