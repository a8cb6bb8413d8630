/*
 * Errors are values. Every function that can fail returns an `int`: ERROR_NONE (0) or one of
 * the codes below, and fills the caller's `struct error` with what a reader needs to mend it:
 * the file, line and column, the key, and one sentence. Only the command prints and exits; its
 * exit status is the code itself.
 *
 *     struct error err = {0};
 *     if (csv_open(&csv, path, &err) != ERROR_NONE)
 *         goto out;                       // err already says file, line, column, message
 *
 * A `struct error` holds no pointers: it is copied freely and never freed.
 */
#ifndef LIQCASCADE_BASE_ERROR_H
#define LIQCASCADE_BASE_ERROR_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The code of an error is also the exit status of the command. */
enum error_code {
    ERROR_NONE = 0,
    ERROR_USAGE = 2,        /* the command line */
    ERROR_SCENARIO = 3,     /* a scenario file, or a --set */
    ERROR_DATA = 4,         /* market history, positions, bracket tables */
    ERROR_IO = 5,           /* the operating system: files, disk, memory */
    ERROR_NUMERICAL = 6,    /* a result that is not a number, a broken invariant */
    ERROR_INTERRUPTED = 130 /* SIGINT or SIGTERM */
};

struct error {
    int code;          /* enum error_code */
    long line;         /* 1-based; 0: not known */
    long column;       /* 1-based; 0: not known */
    char file[256];    /* empty: not about a file */
    char key[96];      /* scenario key or column name; empty: none */
    char message[512]; /* one sentence: the problem; expected ...; did you mean ...? */
};

/* Fills `err` (which may be NULL) and returns `code`, so that a caller can write
   `return error_set(err, ERROR_DATA, "...")`. Clears file, line, column and key. */
int error_set(struct error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same with a place. `file` and `key` may be NULL; `line` and `column` 0 when unknown. */
int error_at(struct error *err, int code, const char *file, long line, long column, const char *key,
             const char *format, ...) __attribute__((format(printf, 7, 8)));

/* ERROR_IO with the text of `errno_value` behind the message: "cannot open: No such file ...". */
int error_errno(struct error *err, const char *file, int errno_value, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* ERROR_IO: out of memory while doing `what`. In the header, so that whoever reads the code, man or
   program, sees that it never is ERROR_NONE. */
static inline int error_memory(struct error *err, const char *what)
{
    error_set(err, ERROR_IO, "out of memory while %s", what);
    return ERROR_IO;
}

/* Short name of a code ("scenario", "data", ...), never NULL. */
const char *error_code_name(int code);

/* Writes `file:line:col: key: message` with the parts that are known, no newline at the end.
   Returns what snprintf would. */
int error_format(const struct error *err, char *buffer, size_t size);

/* A growing list of errors, for input that is checked as a whole (scenario files). */
struct error_list {
    struct error *items; /* owned */
    size_t count;
    size_t capacity;
    int code; /* of the first error; ERROR_NONE while empty */
};

/* Appends a copy; when memory is short the error is still counted in `code`. */
void error_list_add(struct error_list *list, const struct error *err);
void error_list_free(struct error_list *list);

/* Cheap invariants stay on in release builds: prints the message with its place and aborts. */
#define liqcascade_bug_assert(condition, message)               \
    do {                                                        \
        if (__builtin_expect(!(condition), 0))                  \
            error_bug(__FILE__, __LINE__, #condition, message); \
    } while (0)

_Noreturn void error_bug(const char *file, int line, const char *condition, const char *message);

#endif
