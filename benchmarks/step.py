"""What a training step of the engine costs, against two loops of this folder's own.

    python benchmarks/step.py [--device cuda] [--threads 1] [--networks dcgan,mlp] [--out FILE]

Five loops train the same networks from the same weights on the same 60,000 synthetic pictures, in
batches of 64, with the same Adam:

best          the best loop that one can write by hand for these two networks (`loops.BestLoop`,
              which says what is in it): fresh fakes for the generator's update
engine        ganforge with the same settings, from batch to line of metrics
best_reuse    `best`, with the discriminator's fakes used again for the generator's update
engine_reuse  ganforge with `training.reuse_fakes = true`
tutorial      the loop that tutorials teach (`loops.TutorialLoop`), its loading included

The networks are the bundled `dcgan` (width 32) at 32x32 and the bundled `mlp` (100-256-784) at
28x28. Before anything is timed, `best` and `engine` take a few steps on the same draws, and must
agree.

All loops run in one process by turns: a round is `num_steps` steps of each, in an order that
rotates from round to round, and a ratio is taken within a round, so that a machine that others use
too, or that grows hot, slows both of its terms. CPU time is that of this process, threads included
and `--workers` not; on an accelerator, which is waited for at both ends of a turn, only wall-clock
time is given. Threads wait for each other as they do in `ganforge train` (GOMP_SPINCOUNT).

Standard output is one JSON object and nothing else; progress goes to standard error. `ratios` hold
the median, the quartiles and the extremes over the rounds of engine / best (overhead: 1 is none)
and of tutorial / engine (speed-up); `milliseconds` those of one step of each loop.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ganforge.cli.threads import spin_briefly

NETWORKS = ("dcgan", "mlp")
RATIOS = (
    ("engine", "best"),
    ("engine_reuse", "best_reuse"),
    ("tutorial", "engine"),
    ("tutorial", "engine_reuse"),
    ("tutorial", "best"),
)
WARM_UP_ROUNDS = 2
#: what rounding may amount to where sums have no fixed order; a CPU has been seen to give 0
MOST_APART = {"losses": 1e-2, "weights": 0.1}


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _arguments(argv)
    load = _load_average()
    spin_briefly()  # before torch is loaded

    import torch

    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    report: dict[str, Any] = {"machine": _machine(arguments, load), "networks": {}}
    with tempfile.TemporaryDirectory() as folder:
        for network in arguments.networks:
            report["networks"][network] = _compare(network, arguments, Path(folder))
    text = json.dumps(report, indent=2)
    print(text)
    if arguments.out is not None:
        arguments.out.write_text(text + "\n", encoding="utf-8")
    return 0


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:N or mps [cpu]")
    parser.add_argument("--threads", type=int, help="of torch on the CPU [torch's choice]")
    parser.add_argument("--rounds", type=int, default=21, help="rounds that count [21]")
    parser.add_argument(
        "--round-seconds", type=float, default=0.6, help="of one loop in one round [0.6]"
    )
    parser.add_argument(
        "--networks",
        type=lambda text: text.split(","),
        default=list(NETWORKS),
        help="dcgan, mlp or both, separated by a comma [dcgan,mlp]",
    )
    parser.add_argument(
        "--workers", type=int, default=0, help="of the tutorial loop's DataLoader [0]"
    )
    parser.add_argument("--pictures", type=int, default=60_000, help="in the data set [60000]")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the JSON there too")
    arguments = parser.parse_args(argv)
    if unknown := set(arguments.networks) - set(NETWORKS):
        parser.error(f"no such network: {', '.join(sorted(unknown))}")
    return arguments


def _compare(network: str, arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Check, warm up and time the loops of one pair of networks."""
    from contenders import Setup, agreement, contenders

    setup = Setup(
        network=network,
        device=arguments.device,
        workers=arguments.workers,
        num_pictures=arguments.pictures,
        folder=folder,
    )
    agreements = {}
    for name, reuse_fakes in (("engine", False), ("engine_reuse", True)):
        agreements[name] = found = agreement(setup, reuse_fakes=reuse_fakes)
        _say(f"{network}: {name} and its partner are apart by {found}")
        if any(found[what] > most for what, most in MOST_APART.items()):
            raise SystemExit(f"{network}: {name} computes something else: {found}")
    loops = contenders(setup)
    wait = _waiter(arguments.device)
    # The first turn builds optimizer states and chooses kernels; the second is timed.
    _turn(loops["best"], 2, wait)
    seconds_per_step = _turn(loops["best"], 2, wait)["wall"]
    num_steps = max(2, round(arguments.round_seconds / seconds_per_step))
    rounds: list[dict[str, dict[str, float]]] = []
    names = list(loops)
    for number in range(WARM_UP_ROUNDS + arguments.rounds):
        shift = number % len(names)
        order = names[shift:] + names[:shift]
        times = {name: _turn(loops[name], num_steps, wait) for name in order}
        warm = number >= WARM_UP_ROUNDS
        if warm:
            rounds.append(times)
        shown = ", ".join(f"{name} {1e3 * times[name]['wall']:.2f}" for name in names)
        _say(f"{network}: {'round' if warm else 'warm-up'} {number + 1}, ms per step: {shown}")
    clocks = ["wall"] if arguments.device != "cpu" else ["cpu", "wall"]
    return {
        "num_rounds": arguments.rounds,
        "num_steps": num_steps,
        "agreement": agreements,
        "ratios": {
            clock: {
                f"{one}/{other}": _spread([r[one][clock] / r[other][clock] for r in rounds])
                for one, other in RATIOS
            }
            for clock in clocks
        },
        "milliseconds": {
            clock: {name: _spread([1e3 * r[name][clock] for r in rounds]) for name in names}
            for clock in clocks
        },
    }


def _turn(step: Callable[[], Any], num_steps: int, wait: Callable[[], None]) -> dict[str, float]:
    """Seconds per step, by clock."""
    wait()
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(num_steps):
        step()
    wait()
    return {
        "wall": (time.perf_counter() - wall) / num_steps,
        "cpu": (time.process_time() - cpu) / num_steps,
    }


def _waiter(device: str) -> Callable[[], None]:
    """What waits until an accelerator has done all that it was asked to."""
    import torch

    if device == "cpu":
        return lambda: None
    return lambda: torch.accelerator.synchronize(torch.device(device))


def _spread(values: Sequence[float]) -> dict[str, float]:
    """Median, quartiles and extremes."""
    quartiles = statistics.quantiles(values, method="inclusive") if len(values) > 1 else values * 3
    found = {
        "median": statistics.median(values),
        "lower_quartile": quartiles[0],
        "upper_quartile": quartiles[2],
        "min": min(values),
        "max": max(values),
    }
    return {name: round(value, 4) for name, value in found.items()}


def _machine(arguments: argparse.Namespace, load: list[float] | None) -> dict[str, Any]:
    import torch
    import torchvision

    device = arguments.device
    if device.startswith("cuda"):
        device = f"{device} ({torch.cuda.get_device_name(torch.device(device))})"
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "environment": {
            name: value for name, value in os.environ.items() if name.startswith(("OMP_", "GOMP_"))
        },
        "device": device,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "workers": arguments.workers,
        "load_average_before": load,
    }


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _load_average() -> list[float] | None:
    try:
        return [round(load, 2) for load in os.getloadavg()]
    except OSError:
        return None


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
