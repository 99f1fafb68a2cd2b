#!/bin/bash
# SPDX-FileCopyrightText: The omni_graspd authors
# SPDX-License-Identifier: Apache-2.0
#
# A dataset on all nodes of a Slurm job: a Ray cluster inside the job, and graspd on it.
#
#   sbatch --nodes=4 slurm.sh generate --object 'meshes/*.obj' --grasps 1000 --out /shared/set
#   sbatch --nodes=4 slurm.sh evaluate /shared/set --lift
#
# The folder and the Python environment (pip install 'omni-graspd[ray]') must be the same on all nodes. A minute before
# the time is up Slurm sends SIGTERM, and graspd ends; the same line resumes where it stopped.
#SBATCH --job-name=graspd
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --time=04:00:00
#SBATCH --signal=B:TERM@60
set -euo pipefail

mapfile -t hosts < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
head=${hosts[0]}
export RAY_ADDRESS="$head:$((20000 + SLURM_JOB_ID % 20000))" RAY_USAGE_STATS_ENABLED=0
cores=${SLURM_CPUS_PER_TASK:-1}
command=$1
shift

steps=()
trap 'kill "${steps[@]}" 2> /dev/null || true; wait' EXIT

srun --overlap --nodes=1 --ntasks=1 --nodelist="$head" \
  ray start --head --port="${RAY_ADDRESS##*:}" --num-cpus="$cores" --block &
steps+=($!)
for _ in $(seq 60); do
  ray status > /dev/null 2>&1 && break
  sleep "${GRASPD_SLURM_WAIT:-2}"
done
if [ "$SLURM_JOB_NUM_NODES" -gt 1 ]; then
  others=$((SLURM_JOB_NUM_NODES - 1))
  srun --overlap --nodes="$others" --ntasks="$others" --exclude="$head" \
    ray start --address="$RAY_ADDRESS" --num-cpus="$cores" --block &
  steps+=($!)
fi

# In the background, since bash waits for what is not before it looks at signals.
graspd "$command" "$@" --executor ray --log "graspd_$SLURM_JOB_ID.log" &
work=$!
trap 'kill -TERM "$work" 2> /dev/null || true' TERM
status=0
wait "$work" || status=$?
# A signal ends the first wait; what graspd makes of it is known after the second.
if kill -0 "$work" 2> /dev/null; then
  status=0
  wait "$work" || status=$?
fi
exit "$status"
