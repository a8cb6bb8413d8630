#include "reports/results.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"

/* `folder/name`, or NULL when memory is short. */
static char *join(const char *folder, const char *name)
{
    struct text_buffer path = {0};
    text_appendf(&path, "%s/%s", folder, name);
    if (path.failed) {
        text_buffer_free(&path);
        return NULL;
    }
    return path.data;
}

static bool is_dot(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* --- begin --- */

static int check_empty(const char *target, struct error *err)
{
    DIR *folder = opendir(target);
    if (folder == NULL)
        return error_errno(err, target, errno, "cannot look into the results directory");
    const struct dirent *entry;
    bool empty = true;
    while (empty && (entry = readdir(folder)) != NULL)
        empty = is_dot(entry->d_name);
    closedir(folder);
    if (!empty)
        return error_at(err, ERROR_IO, target, 0, 0, NULL,
                        "the results directory exists and is not empty; choose another with -o or "
                        "remove it");
    return ERROR_NONE;
}

/* The program's name in a manifest, which stands near its beginning, marks what a run has written:
   nothing else is ever replaced, whatever its files are called. */
static bool is_results(const char *target)
{
    char beginning[1024];
    size_t length = 0;
    char *manifest = join(target, "manifest.json");
    FILE *file = manifest != NULL ? fopen(manifest, "re") : NULL;
    if (file != NULL) {
        length = fread(beginning, 1, sizeof beginning - 1, file);
        fclose(file);
    }
    beginning[length] = '\0';
    memory_free(manifest);
    return strstr(beginning, "\"manifest_version\":") != NULL &&
           strstr(beginning, "\"program\": \"liqcascade\"") != NULL;
}

/* The target may be absent, an empty directory or, to be replaced, a results directory. */
static int check_target(const char *target, bool replace, struct error *err)
{
    struct stat status;
    if (lstat(target, &status) != 0) {
        if (errno == ENOENT)
            return ERROR_NONE;
        return error_errno(err, target, errno, "cannot use this as results directory");
    }
    if (!S_ISDIR(status.st_mode))
        return error_at(err, ERROR_IO, target, 0, 0, NULL,
                        "exists and is not a directory; choose another results directory with -o");
    if (replace && is_results(target))
        return ERROR_NONE;
    return check_empty(target, err);
}

bool results_blocked(const char *target)
{
    return check_target(target, false, NULL) != ERROR_NONE;
}

static char *copy_target(const char *target)
{
    char *copy = memory_text(target);
    size_t length = copy != NULL ? strlen(copy) : 0;
    while (length > 1 && copy[length - 1] == '/')
        copy[--length] = '\0';
    return copy;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* Makes the folder that the target is to lie in, one level: `results` for `results/name`. */
static void make_folder(const char *target, int folder_length)
{
    struct text_buffer folder = {0};
    if (folder_length <= 1)
        return;
    text_append_bytes(&folder, target, (size_t)folder_length - 1);
    if (!folder.failed)
        mkdir(folder.data, 0777); /* making the temporary directory tells why when this fails */
    text_buffer_free(&folder);
}

/* A leftover of a killed run with the same process id is stepped over, never reused. */
static int make_temporary(struct results *self, struct error *err)
{
    const char *name = last_part(self->target);
    int folder_length = (int)(name - self->target);
    make_folder(self->target, folder_length);
    for (int attempt = 0; attempt < 100; attempt++) {
        struct text_buffer path = {0};
        text_appendf(&path, "%.*s.%s.partial-%ld", folder_length, self->target, name,
                     (long)getpid());
        if (attempt > 0)
            text_appendf(&path, "-%d", attempt);
        if (path.failed) {
            text_buffer_free(&path);
            return error_memory(err, "naming the results directory");
        }
        if (mkdir(path.data, 0777) == 0) {
            self->temporary = path.data;
            return ERROR_NONE;
        }
        int reason = errno;
        text_buffer_free(&path);
        if (reason != EEXIST)
            return error_errno(err, self->target, reason, "cannot create the results directory");
    }
    return error_errno(err, self->target, EEXIST, "cannot create a temporary directory beside it");
}

static int begin(struct results *self, const char *target, bool replace, struct error *err)
{
    *self = (struct results){.replace = replace};
    if (target[0] == '\0' || is_dot(last_part(target)) || strcmp(target, "/") == 0)
        return error_set(err, ERROR_IO, "\"%.200s\" cannot be a results directory; name a new one",
                         target);
    self->target = copy_target(target);
    if (self->target == NULL)
        return error_memory(err, "naming the results directory");
    int status = check_target(self->target, replace, err);
    if (status == ERROR_NONE)
        status = make_temporary(self, err);
    if (status != ERROR_NONE)
        results_abort(self);
    return status;
}

int results_begin(struct results *self, const char *target, struct error *err)
{
    return begin(self, target, false, err);
}

int results_begin_replacing(struct results *self, const char *target, struct error *err)
{
    return begin(self, target, true, err);
}

/* --- files --- */

/* Messages name the file where the user will look for it, not in the temporary directory. */
static int file_error(const struct results *self, const char *name, int reason, const char *what,
                      struct error *err)
{
    char path[256];
    snprintf(path, sizeof path, "%.150s/%.100s", self->target, name);
    return error_errno(err, path, reason != 0 ? reason : EIO, "%s", what);
}

FILE *results_open(struct results *self, const char *name, struct error *err)
{
    FILE *file = NULL;
    liqcascade_bug_assert(self->temporary != NULL, "results are written after results_begin");
    liqcascade_bug_assert(strchr(name, '/') == NULL, "a results file lies in the directory itself");
    char *path = join(self->temporary, name);
    if (path == NULL) {
        error_memory(err, "naming a results file");
        return NULL;
    }
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0)
        file = fdopen(descriptor, "w");
    if (file == NULL)
        file_error(self, name, errno, "cannot create", err);
    if (file == NULL && descriptor >= 0)
        close(descriptor);
    memory_free(path);
    return file;
}

int results_close(struct results *self, FILE *file, const char *name, struct error *err)
{
    int status = ERROR_NONE;
    errno = 0;
    if (fflush(file) != 0 || ferror(file) || fsync(fileno(file)) != 0)
        status = file_error(self, name, errno, "cannot write", err);
    if (fclose(file) != 0 && status == ERROR_NONE)
        status = file_error(self, name, errno, "cannot write", err);
    return status;
}

int results_table(struct results *self, const struct table *table, struct error *err)
{
    char name[128], path[256];
    snprintf(name, sizeof name, "%s.csv", table->name);
    snprintf(path, sizeof path, "%.150s/%.100s", self->target, name);
    FILE *file = results_open(self, name, err);
    if (file == NULL)
        return ERROR_IO;
    int status = table_write_csv(table, file, path, err);
    /* The first failure is the one to tell: the close of a failed file fails again. */
    int closed = results_close(self, file, name, status == ERROR_NONE ? err : NULL);
    return status != ERROR_NONE ? status : closed;
}

/* --- commit and abort --- */

static int sync_folder(const char *path, const char *told, struct error *err)
{
    int status = ERROR_NONE;
    int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return error_errno(err, told, errno, "cannot sync the results directory");
    /* Some file systems cannot sync a directory and say EINVAL: nothing is lost by going on. */
    if (fsync(descriptor) != 0 && errno != EINVAL)
        status = error_errno(err, told, errno, "cannot sync the results directory");
    close(descriptor);
    return status;
}

static int sync_parent(const char *target, struct error *err)
{
    size_t length = (size_t)(last_part(target) - target);
    if (length == 0)
        return sync_folder(".", target, err);
    struct text_buffer parent = {0};
    text_append_bytes(&parent, target, length);
    int status = parent.failed ? error_memory(err, "naming the results directory")
                               : sync_folder(parent.data, target, err);
    text_buffer_free(&parent);
    return status;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

static void remove_tree(const char *path)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* Puts the finished directory in the target's place. An older one trades places with it, in one
   step where the file system can, and is removed. */
static int move_into_place(struct results *self, struct error *err)
{
    bool there = self->replace && is_results(self->target);
    int moved = there
                    ? renameat2(AT_FDCWD, self->temporary, AT_FDCWD, self->target, RENAME_EXCHANGE)
                    : rename(self->temporary, self->target);
    if (moved != 0 && there && (errno == EINVAL || errno == ENOSYS)) {
        remove_tree(self->target);
        there = false;
        moved = rename(self->temporary, self->target);
    }
    if (moved != 0)
        return error_errno(err, self->target, errno,
                           "cannot move the finished results to their place");
    if (there)
        remove_tree(self->temporary);
    memory_free(self->temporary);
    self->temporary = NULL;
    return ERROR_NONE;
}

int results_commit(struct results *self, struct error *err)
{
    int status = sync_folder(self->temporary, self->target, err);
    if (status == ERROR_NONE)
        status = move_into_place(self, err);
    return status != ERROR_NONE ? status : sync_parent(self->target, err);
}

void results_abort(struct results *self)
{
    if (self->temporary != NULL)
        remove_tree(self->temporary);
    memory_free(self->temporary);
    memory_free(self->target);
    *self = (struct results){0};
}
