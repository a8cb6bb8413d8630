#!/usr/bin/env bash
# A Slurm array and its dependent merge, as sweep.sbatch submits them, give the bytes of one process;
# so they do after a shard was cancelled, sent back into the queue at its time limit, or lost. On a
# Slurm of one node that this script starts, with all that it writes in the script's own folder.
set -euo pipefail
missing=
for program in munged slurmctld slurmd sbatch squeue scontrol scancel sinfo; do
    PATH=$PATH:/usr/sbin command -v $program >/dev/null || missing+=" $program"
done
[ -z "$missing" ] || { echo "skipped: not installed:$missing"; exit 77; }
if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null || { echo 'skipped: Slurm needs root'; exit 77; }
    exec sudo -n --preserve-env=LIQCASCADE_SOURCE_DIR,LIQCASCADE_COMMAND,LIQCASCADE_TEST_DATA \
        bash "${BASH_SOURCE[0]}" "$@"
fi
positions_per_bar=80
# shellcheck source=tests/cluster/support.bash
source "$(dirname "${BASH_SOURCE[0]}")/support.bash"
PATH=$PATH:/usr/sbin

# ---- a Slurm of one node

daemons=()
undo() {
    local process
    for process in "${daemons[@]}"; do
        kill "$process" 2>/dev/null || true
    done
    for _ in $(seq 50); do # slurmd that has no controller does not end by itself
        kill -0 "${daemons[@]}" 2>/dev/null || break
        sleep 0.1
    done
    for process in "${daemons[@]}"; do
        kill -KILL "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
}

# munged refuses a socket that others cannot reach and keys that they can.
chmod 755 .
mkdir -m 755 run
mkdir -m 700 munge state spool
head -c 1024 /dev/urandom >munge/key
chmod 400 munge/key

# Ports that nobody listens to: two, from what the kernel does not hand out itself.
free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 10000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo $port
}

# No control groups and no accounting, so that it runs in a container. The node says that it has more
# cores than the machine, so that shards run side by side.
node=$(hostname -s)
cat >slurm.conf <<CONF
ClusterName=test
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/run/munge.sock
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/run/slurmctld.pid
SlurmdPidFile=$folder/run/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=1,batch_sched_delay=0
ReturnToService=2
KillWait=5
NodeName=$node NodeAddr=127.0.0.1 CPUs=16 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF=$folder/slurm.conf
# What a job around this test may have left.
for name in $(compgen -e | grep -E '^(SLURM|SBATCH)_' | grep -vx SLURM_CONF || true); do
    unset "$name"
done

munged --foreground --num-threads=1 --key-file="$folder/munge/key" --seed-file="$folder/munge/seed" \
    --socket="$folder/run/munge.sock" --pid-file="$folder/run/munged.pid" \
    --log-file="$folder/munge/log" >munged.txt 2>&1 &
daemons+=($!)
for _ in $(seq 50); do
    [ ! -S run/munge.sock ] || break
    sleep 0.1
done
SECONDS=0
slurmctld -D -c >slurmctld.txt 2>&1 &
daemons+=($!)
slurmd -D >slurmd.txt 2>&1 &
daemons+=($!)
# idle: whether the node is ready; without a controller sinfo would wait long.
idle() { [ "$(timeout 3 sinfo -h -o %t 2>/dev/null)" = idle ]; }
until idle; do
    [ $SECONDS -lt 40 ] ||
        skip "Slurm does not start: $(tail -qn 5 ./*.txt munge/log slurmctld.log slurmd.log 2>/dev/null)"
    sleep 0.1
done

# ---- helpers

submitted() { sed -n "s/^$1.*: job //p" submit.txt; }

# submit STATUS ARGUMENT...: shards and merge of a sweep; $array and $merge are their jobs.
submit() {
    local status=$1 got=0
    shift
    bash "$shipped/sweep.sbatch" "$@" >submit.txt 2>err.txt || got=$?
    [ $got -eq "$status" ] || fail "sweep.sbatch $* ends with $got: $(cat submit.txt err.txt)"
    array=$(submitted shards) merge=$(submitted merge)
}

# Until nothing is queued or running.
finish() {
    for _ in $(seq 600); do
        [ -n "$(squeue -h)" ] || return 0
        sleep 0.2
    done
    fail "jobs do not end: $(squeue; tail -n 20 ./*.log)"
}

state_of() { scontrol show job "$1" 2>/dev/null | sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p' | sort -u; }

logs() { tail -vn 20 liqcascade*.log 2>&1; }

# ---- undisturbed

submit 0 sweep.yaml out/results 3 --cpus-per-task=2 --time=10
finish
[ "$(state_of "$array")" = COMPLETED ] || fail "shards: $(state_of "$array"): $(logs)"
[ "$(state_of "$merge")" = COMPLETED ] || fail "merge: $(state_of "$merge"): $(logs)"
same out/results
for shard in 1 2 3; do
    grep -q "shard $shard of 3" "liqcascade-$array-$shard.log" || fail "no shard $shard: $(logs)"
done
scontrol show job "${array}_2" >job.txt
grep -q 'CPUs/Task=2' job.txt || fail "options do not count: $(cat job.txt)"
scontrol show job "$merge" >job.txt
grep -q 'TimeLimit=00:10:00' job.txt || fail "options do not count for the merge: $(cat job.txt)"

# ---- what cannot work is refused before it is queued

submit 5 sweep.yaml out/results 3
grep -q 'exists already' err.txt || fail "$(cat err.txt)"
rm -r out/results
submit 4 sweep.yaml out/results 4
grep -q 'another number than 4' err.txt || fail "$(cat err.txt)"
sed 's/60e9/61e9/' sweep.yaml >changed.yaml
submit 3 changed.yaml out/results 3
grep -q 'scenario changed' err.txt || fail "$(cat err.txt)"
sed 's/gamma/gama/' sweep.yaml >wrong.yaml
submit 3 wrong.yaml out/other 3
submit 2 sweep.yaml out/results
submit 2 sweep.yaml out/results 1
[ -z "$(squeue -h)" ] || fail "refused, but queued: $(squeue)"

# ---- a shard that is lost: it alone is computed again, then merged

rm -r out/results.shards/shard-0002-of-0003
submit 0 sweep.yaml out/results 3
grep -q '^shards 2: job' submit.txt || fail "not the missing shard alone: $(cat submit.txt)"
finish
same out/results
rm -r out/results

# All are there: only the merge is left.
submit 0 sweep.yaml out/results 3
[ -z "$array" ] || fail "finished shards are computed again: $(cat submit.txt)"
finish
same out/results
rm -r out/results out/results.shards

# ---- the time limit: Slurm's warning, as --signal sends it

submit 0 sweep.yaml out/results 2 --cpus-per-task=1
for _ in $(seq 300); do
    [ -z "$(find out/results.shards -name 'shard-0001*.journal' -size +1k 2>/dev/null)" ] || break
    sleep 0.02
done
scancel --batch --signal=USR1 "${array}_1"
for _ in $(seq 100); do
    grep -q 'shard 1 goes on in a new job' "liqcascade-$array-1.log" && break
    sleep 0.1
done
grep -q 'shard 1 goes on in a new job' "liqcascade-$array-1.log" || fail "not sent back: $(logs)"
# Slurm starts what was sent back two minutes later.
for _ in $(seq 50); do
    scontrol show job "${array}_1" >job.txt
    ! grep -q 'JobState=PENDING' job.txt || break
    sleep 0.1
done
grep -q 'Restarts=1' job.txt || fail "not sent back: $(cat job.txt)"
[ "$(state_of "$merge")" = PENDING ] || fail "merge does not wait: $(state_of "$merge")"
# Not within the second of its end: Slurm would take the new start for the old one, which it has
# revoked.
sleep 2
scontrol update JobId="${array}_1" StartTime=now
finish
grep -q 'going on after' "liqcascade-$array-1.log" || fail "nothing was kept: $(logs)"
[ "$(state_of "$merge")" = COMPLETED ] || fail "merge: $(state_of "$merge"): $(logs)"
same out/results
rm -r out/results out/results.shards

# ---- cancelled: the merge goes too; the same line goes on

submit 0 sweep.yaml out/results 2 --cpus-per-task=1
for _ in $(seq 300); do
    [ -z "$(find out/results.shards -name 'shard-0002*.journal' -size +1k 2>/dev/null)" ] || break
    sleep 0.02
done
scancel "${array}_2"
finish
[ "$(state_of "$merge")" = CANCELLED ] || fail "merge after a cancelled shard: $(state_of "$merge")"
[ ! -e out/results ] || fail 'half a sweep was merged'
submit 0 sweep.yaml out/results 2
grep -q '^shards 2: job' submit.txt || fail "not the missing shard alone: $(cat submit.txt)"
finish
grep -q 'going on after' "liqcascade-$array-2.log" || fail "nothing was kept: $(logs)"
same out/results
echo 'a Slurm of one node: whole, lost, sent back and cancelled shards'
