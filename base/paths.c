#include "base/paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_directory(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

bool paths_exists(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0;
}

static int join(const char *folder, size_t folder_length, const char *name,
                char out_path[PATHS_SIZE], struct error *err)
{
    int length = snprintf(out_path, PATHS_SIZE, "%.*s/%s", (int)folder_length, folder, name);

    if (folder_length >= PATHS_SIZE || length < 0 || length >= PATHS_SIZE)
        return error_at(err, ERROR_IO, name, 0, 0, NULL, "the path is longer than %d bytes",
                        PATHS_SIZE - 1);
    return ERROR_NONE;
}

/* The share directory of an installed command: `<prefix>/bin/liqcascade` finds
   `<prefix>/share/liqcascade`. */
static bool installed_share(char out_path[PATHS_SIZE])
{
    static const char tail[] = "/../share/liqcascade";
    ssize_t length = readlink("/proc/self/exe", out_path, PATHS_SIZE - sizeof(tail));
    char *slash;

    if (length <= 0)
        return false;
    out_path[length] = '\0';
    slash = strrchr(out_path, '/');
    if (slash == NULL)
        return false;
    memcpy(slash, tail, sizeof(tail));
    return is_directory(out_path);
}

int paths_shipped(const char *relative, char out_path[PATHS_SIZE], struct error *err)
{
    const char *chosen = getenv("LIQCASCADE_SHARE");
    char share[PATHS_SIZE];

    if (chosen != NULL && *chosen != '\0') {
        if (!is_directory(chosen))
            return error_at(err, ERROR_IO, chosen, 0, 0, NULL,
                            "LIQCASCADE_SHARE is not a directory");
        return join(chosen, strlen(chosen), relative, out_path, err);
    }
    if (installed_share(share))
        return join(share, strlen(share), relative, out_path, err);
    if (is_directory(LIQCASCADE_SOURCE_DIR))
        return join(LIQCASCADE_SOURCE_DIR, strlen(LIQCASCADE_SOURCE_DIR), relative, out_path, err);
    return error_at(err, ERROR_IO, relative, 0, 0, NULL,
                    "no shipped files beside the command; expected its share/liqcascade, or "
                    "LIQCASCADE_SHARE to name it");
}

int paths_relative_to(const char *base_file, const char *path, char out_path[PATHS_SIZE],
                      struct error *err)
{
    const char *slash = strrchr(base_file, '/');

    if (*path != '/' && slash != NULL)
        return join(base_file, (size_t)(slash - base_file), path, out_path, err);
    if (strlen(path) >= PATHS_SIZE)
        return error_at(err, ERROR_IO, path, 0, 0, NULL, "the path is longer than %d bytes",
                        PATHS_SIZE - 1);
    memcpy(out_path, path, strlen(path) + 1);
    return ERROR_NONE;
}
