#!/bin/bash
#SBATCH --job-name=doceo
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=32
#SBATCH --signal=TERM@120
# sbatch examples/launch/slurm.sh rows.jsonl BASE OUT
# All three have to lie where every node sees them. Two minutes before the time is over a checkpoint is saved; the same
# sbatch line goes on from it.
set -euo pipefail

first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
srun --cpus-per-task="$SLURM_CPUS_PER_TASK" torchrun \
  --nnodes="$SLURM_NNODES" --nproc_per_node=8 \
  --rdzv_id="$SLURM_JOB_ID" --rdzv_backend=c10d --rdzv_endpoint="$first:29500" \
  -m doceo finetune "$1" --base "$2" --out "$3" --batch-size 64
