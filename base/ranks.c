#include "base/ranks.h"

#include <stdlib.h>
#include <string.h>

enum { UNSET = -1 };

/* A place among the processes of one launcher; size 0: not started by it. */
struct place {
    int rank, size;
};

/* Digits only: no sign, no space, nothing behind. */
static bool parse_number(const char *text, size_t length, int *out_value)
{
    int value = 0;
    if (length == 0 || length > 9)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = 10 * value + (text[i] - '0');
    }
    *out_value = value;
    return true;
}

/* UNSET when the environment does not have it. */
static int read_variable(const char *name, int *out_value, struct error *err)
{
    const char *text = getenv(name);
    *out_value = UNSET;
    if (text == NULL || parse_number(text, strlen(text), out_value))
        return ERROR_NONE;
    return error_at(err, ERROR_USAGE, NULL, 0, 0, name,
                    "\"%.64s\" in the environment; expected a whole number; give --shard I/N",
                    text);
}

static int parse_shard(const char *text, struct ranks *out_ranks, struct error *err)
{
    const char *slash = strchr(text, '/');
    int index, size;
    if (slash == NULL || !parse_number(text, (size_t)(slash - text), &index) ||
        !parse_number(slash + 1, strlen(slash + 1), &size))
        return error_at(err, ERROR_USAGE, NULL, 0, 0, "--shard",
                        "\"%.64s\"; expected I/N, two whole numbers such as 3/16", text);
    if (size < 1 || size > RANKS_MAX)
        return error_at(err, ERROR_USAGE, NULL, 0, 0, "--shard",
                        "%d shards; expected 1 to %d of them", size, RANKS_MAX);
    if (index < 1 || index > size)
        return error_at(err, ERROR_USAGE, NULL, 0, 0, "--shard",
                        "shard %d of %d; shards are counted from 1 to %d", index, size, size);
    *out_ranks = (struct ranks){.rank = index - 1, .size = size, .from = "--shard"};
    return ERROR_NONE;
}

/* ---- launchers -------------------------------------------------------------------------- */

static int check_place(const char *rank_name, const char *size_name, struct place place,
                       struct error *err)
{
    if (place.size < 1 || place.size > RANKS_MAX)
        return error_at(err, ERROR_USAGE, NULL, 0, 0, size_name,
                        "%d processes; expected 1 to %d; give --shard I/N", place.size, RANKS_MAX);
    if (place.rank >= place.size)
        return error_at(err, ERROR_USAGE, NULL, 0, 0, rank_name,
                        "rank %d among %d processes (%s); give --shard I/N", place.rank, place.size,
                        size_name);
    return ERROR_NONE;
}

static int read_pair(const char *rank_name, const char *size_name, struct place *out_place,
                     struct error *err)
{
    struct place place;
    int code = read_variable(rank_name, &place.rank, err);
    if (code == ERROR_NONE)
        code = read_variable(size_name, &place.size, err);
    *out_place = (struct place){0};
    if (code != ERROR_NONE || (place.rank == UNSET && place.size == UNSET))
        return code;
    if (place.rank == UNSET || place.size == UNSET) {
        bool rank_missing = place.rank == UNSET;
        return error_at(err, ERROR_USAGE, NULL, 0, 0, rank_missing ? rank_name : size_name,
                        "missing in the environment though %s is there; give --shard I/N",
                        rank_missing ? size_name : rank_name);
    }
    *out_place = place;
    return check_place(rank_name, size_name, place, err);
}

/* A batch script has SLURM_PROCID and SLURM_NTASKS too; it is no step. */
static int read_step(struct place *out_place, struct error *err)
{
    *out_place = (struct place){0};
    if (getenv("SLURM_STEP_NUM_TASKS") != NULL)
        return read_pair("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", out_place, err);
    if (getenv("SLURM_STEP_ID") != NULL)
        return read_pair("SLURM_PROCID", "SLURM_NTASKS", out_place, err);
    return ERROR_NONE;
}

/* ---- processes -------------------------------------------------------------------------- */

enum launcher { LAUNCHER_OPEN_MPI, LAUNCHER_PMI, LAUNCHER_STEP, LAUNCHER_COUNT };

static const struct {
    const char *name, *in_array; /* for people */
    const char *rank_name;
} launchers[LAUNCHER_COUNT] = {
    {"Open MPI", "a Slurm array of Open MPI's processes", "OMPI_COMM_WORLD_RANK"},
    {"PMI", "a Slurm array of PMI's processes", "PMI_RANK"},
    {"srun", "a Slurm array of srun's tasks", "SLURM_PROCID"},
};

static int contradiction(const char *key, const struct place *places, enum launcher one,
                         enum launcher other, struct error *err)
{
    return error_at(err, ERROR_USAGE, NULL, 0, 0, key,
                    "rank %d of %d by %s, but %d of %d by %s; give --shard I/N", places[one].rank,
                    places[one].size, launchers[one].name, places[other].rank, places[other].size,
                    launchers[other].name);
}

/* A launcher with one process inside a step of several: each task of the step would do all the
   work, or the variables were left over from another job. Otherwise the step's tasks may be the
   daemons of the launcher. */
static int check_launchers(const struct place *places, struct error *err)
{
    const struct place *mpi = &places[LAUNCHER_OPEN_MPI], *pmi = &places[LAUNCHER_PMI];
    if (mpi->size > 0 && pmi->size > 0 && (mpi->size != pmi->size || mpi->rank != pmi->rank))
        return contradiction("PMI_RANK", places, LAUNCHER_PMI, LAUNCHER_OPEN_MPI, err);
    for (enum launcher i = LAUNCHER_OPEN_MPI; i < LAUNCHER_STEP; i++)
        if (places[i].size == 1 && places[LAUNCHER_STEP].size > 1)
            return contradiction(launchers[i].rank_name, places, i, LAUNCHER_STEP, err);
    return ERROR_NONE;
}

static int check_pmix(const struct place *places, enum launcher launcher, struct error *err)
{
    int rank;
    int code = read_variable("PMIX_RANK", &rank, err);
    if (code != ERROR_NONE || rank == UNSET)
        return code;
    if (launcher == LAUNCHER_COUNT)
        return error_at(err, ERROR_USAGE, NULL, 0, 0, "PMIX_RANK",
                        "rank %d, but nothing says of how many; give --shard I/N", rank);
    if (rank != places[launcher].rank)
        return error_at(err, ERROR_USAGE, NULL, 0, 0, "PMIX_RANK",
                        "rank %d, but %d of %d by %s; give --shard I/N", rank,
                        places[launcher].rank, places[launcher].size, launchers[launcher].name);
    return ERROR_NONE;
}

/* LAUNCHER_COUNT: started by none. */
static int read_process(struct place *out_place, enum launcher *out_launcher, struct error *err)
{
    struct place places[LAUNCHER_COUNT];
    enum launcher launcher = LAUNCHER_OPEN_MPI;
    int code =
        read_pair("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", &places[LAUNCHER_OPEN_MPI], err);
    if (code == ERROR_NONE)
        code = read_pair("PMI_RANK", "PMI_SIZE", &places[LAUNCHER_PMI], err);
    if (code == ERROR_NONE)
        code = read_step(&places[LAUNCHER_STEP], err);
    if (code == ERROR_NONE)
        code = check_launchers(places, err);
    if (code != ERROR_NONE)
        return code;
    while (launcher < LAUNCHER_COUNT && places[launcher].size == 0)
        launcher++;
    *out_launcher = launcher;
    *out_place = launcher < LAUNCHER_COUNT ? places[launcher] : (struct place){.size = 1};
    return check_pmix(places, launcher, err);
}

/* ---- array ------------------------------------------------------------------------------ */

struct array {
    int id, first, last, count, step;
};

/* The index of a task; -1 where ids and count do not make a row without gaps. */
static int array_index(const struct array *array)
{
    int step = array->count > 1 ? array->step : 1; /* a single task may have any step */
    if (step < 1 || array->id < array->first || (array->id - array->first) % step != 0)
        return -1;
    int index = (array->id - array->first) / step;
    bool gaps =
        array->last != UNSET && array->last != array->first + (int64_t)step * (array->count - 1);
    return gaps || index >= array->count ? -1 : index;
}

static int read_array_variables(struct array *array, struct error *err)
{
    const struct {
        const char *name;
        int *value;
    } variables[] = {{"SLURM_ARRAY_TASK_ID", &array->id},
                     {"SLURM_ARRAY_TASK_MIN", &array->first},
                     {"SLURM_ARRAY_TASK_MAX", &array->last},
                     {"SLURM_ARRAY_TASK_COUNT", &array->count},
                     {"SLURM_ARRAY_TASK_STEP", &array->step}};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        int code = read_variable(variables[i].name, variables[i].value, err);
        if (code != ERROR_NONE)
            return code;
    }
    if (array->step == UNSET)
        array->step = 1;
    return ERROR_NONE;
}

static int read_array(struct place *out_place, struct error *err)
{
    struct array array;
    *out_place = (struct place){0};
    int code = read_array_variables(&array, err);
    if (code != ERROR_NONE || array.id == UNSET)
        return code;
    if (array.first == UNSET || array.count == UNSET)
        return error_at(err, ERROR_USAGE, NULL, 0, 0, "SLURM_ARRAY_TASK_COUNT",
                        "the environment has SLURM_ARRAY_TASK_ID without the array's least id and "
                        "count; give --shard I/N");
    struct place place = {.rank = array_index(&array), .size = array.count};
    if (place.rank < 0)
        return error_at(err, ERROR_USAGE, NULL, 0, 0, "SLURM_ARRAY_TASK_ID",
                        "task %d of an array of %d tasks from %d by %d: the array has gaps; give "
                        "--shard I/N, or --array=1-N to sbatch",
                        array.id, array.count, array.first, array.step);
    *out_place = place;
    return check_place("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", place, err);
}

/* ---- choice ----------------------------------------------------------------------------- */

int ranks_choose(const char *shard, struct ranks *out_ranks, struct error *err)
{
    struct place array, process;
    enum launcher launcher;
    *out_ranks = (struct ranks){.rank = 0, .size = 1, .from = "this process alone"};
    if (shard != NULL)
        return parse_shard(shard, out_ranks, err);
    int code = read_process(&process, &launcher, err);
    if (code == ERROR_NONE)
        code = read_array(&array, err);
    if (code != ERROR_NONE)
        return code;
    if (launcher < LAUNCHER_COUNT)
        *out_ranks = (struct ranks){process.rank, process.size, launchers[launcher].name};
    if (array.size == 0)
        return ERROR_NONE;
    if (array.size > RANKS_MAX / process.size)
        return error_at(
            err, ERROR_USAGE, NULL, 0, 0, "SLURM_ARRAY_TASK_COUNT",
            "%d tasks of %d processes each; expected at most %d processes; give --shard I/N",
            array.size, process.size, RANKS_MAX);
    out_ranks->rank = array.rank * process.size + process.rank;
    out_ranks->size = array.size * process.size;
    out_ranks->from = process.size > 1 ? launchers[launcher].in_array : "a Slurm array";
    return ERROR_NONE;
}

bool ranks_owns(const struct ranks *self, uint64_t item)
{
    return item % (uint64_t)self->size == (uint64_t)self->rank;
}

uint64_t ranks_share(const struct ranks *self, uint64_t items)
{
    uint64_t size = (uint64_t)self->size, rank = (uint64_t)self->rank;
    return items / size + (rank < items % size ? 1 : 0);
}
