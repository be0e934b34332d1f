"""The commands of slurm as far as submitit calls them, for one machine: jobs are processes.

Jobs are pending while a file `full` stands beside the commands.
"""

from __future__ import annotations

import stat
from pathlib import Path

_SBATCH = """#!/bin/sh
state="$(dirname "$0")/state"; mkdir -p "$state"
for script in "$@"; do :; done
number=$(ls "$state" | wc -l); id=$((1000 + number))
echo PENDING > "$state/$id"
(
  while [ -e "$(dirname "$0")/full" ]; do sleep 0.1; done
  echo RUNNING > "$state/$id"
  SLURM_JOB_ID=$id SLURM_PROCID=0 SLURM_LOCALID=0 SLURM_NODEID=0 SLURM_NTASKS=1 \\
  SLURM_JOB_NUM_NODES=1 SLURM_JOB_NODELIST=localhost sh "$script" > "$state/../log-$id" 2>&1
  echo COMPLETED > "$state/$id"
) > /dev/null 2>&1 &
echo "Submitted batch job $id"
"""
_SRUN = """#!/bin/sh
while [ "$1" != "" ]; do
  case "$1" in
    --output|--error) shift 2;;
    -*) shift;;
    *) break;;
  esac
done
exec "$@"
"""
_SACCT = """#!/bin/sh
echo "JobID|State|NodeList"
for file in "$(dirname "$0")"/state/*; do echo "$(basename "$file")|$(cat "$file")|localhost"; done
"""
_NOTHING = "#!/bin/sh\nexit 0\n"
COMMANDS = {
    "sbatch": _SBATCH,
    "srun": _SRUN,
    "sacct": _SACCT,
    "scancel": _NOTHING,
    "scontrol": "#!/bin/sh\necho localhost\n",
}


def write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in COMMANDS.items():
        path = folder / name
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
