#include "base/threads.h"

#include <omp.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS_LIMIT 4096 /* above this a number is a mistake */

/* A count from the environment; 0 when unset or not a count. OMP_NUM_THREADS may be a list, one
   number per nesting level ("4,2"): the first is ours. */
static int from_environment(const char *name)
{
    const char *text = getenv(name);
    char *end;
    long count;

    if (text == NULL)
        return 0;
    count = strtol(text, &end, 10);
    if (end == text || (*end != '\0' && *end != ',') || count < 1 || count > THREADS_LIMIT)
        return 0;
    return (int)count;
}

/* CPUs that this process may run on: what taskset, cgroup sets and schedulers leave it. */
static int from_affinity(void)
{
    cpu_set_t set;
    long online;

    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) == 0)
        return CPU_COUNT(&set);
    /* A machine with more CPUs than a cpu_set_t holds. */
    online = sysconf(_SC_NPROCESSORS_ONLN);
    return online < 1 ? 1 : (int)online;
}

int threads_choose(int requested)
{
    int count = requested;

    if (count <= 0)
        count = from_environment("OMP_NUM_THREADS");
    if (count <= 0)
        count = from_environment("SLURM_CPUS_PER_TASK");
    if (count <= 0)
        count = from_affinity();
    return count < 1 ? 1 : count;
}

int threads_set(int requested)
{
    int count = threads_choose(requested);

    omp_set_num_threads(count);
    return count;
}
