#include "sim/cli/directory.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "reports/results.h"

int directory_choose(const char *output, const char *scenario, char out[PATHS_SIZE],
                     struct error *err)
{
    const char *name = strrchr(scenario, '/') != NULL ? strrchr(scenario, '/') + 1 : scenario;
    const char *dot = strrchr(name, '.');
    int length = dot != NULL && dot != name ? (int)(dot - name) : (int)strlen(name);
    int written = output != NULL ? snprintf(out, PATHS_SIZE, "%s", output)
                                 : snprintf(out, PATHS_SIZE, "results/%.*s", length, name);
    if (written >= PATHS_SIZE - DIRECTORY_SUFFIX_SIZE)
        return error_set(err, ERROR_USAGE, "the results directory's name is too long");
    for (size_t end = strlen(out); end > 1 && out[end - 1] == '/'; end--)
        out[end - 1] = '\0';
    return ERROR_NONE;
}

int directory_check(const char *directory, bool force, struct error *err)
{
    if (force || !results_blocked(directory))
        return ERROR_NONE;
    return error_at(err, ERROR_IO, directory, 0, 0, NULL,
                    "exists already; expected a new directory: choose another with -o, or replace "
                    "it with --force");
}

int directory_if_asked(const char *output, bool force, const char *scenario, char out[PATHS_SIZE],
                       struct error *err)
{
    out[0] = '\0';
    if (output == NULL)
        return ERROR_NONE;
    int code = directory_choose(output, scenario, out, err);
    return code == ERROR_NONE ? directory_check(out, force, err) : code;
}

void directory_make_folder(const char *directory)
{
    char folder[PATHS_SIZE];
    const char *slash = strrchr(directory, '/');
    if (slash == NULL || slash == directory)
        return;
    snprintf(folder, sizeof folder, "%.*s", (int)(slash - directory), directory);
    mkdir(folder, 0777);
}
