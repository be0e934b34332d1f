"""Runs that are well and runs that are not: trains them, keeps their metrics, draws their curves.

    python scripts/healthy_and_sick_runs.py FOLDER

A run that FOLDER has is not trained again; all of them take half an hour of one core. What the
tests of the diagnosis read is written to `tests/data/diagnosis`, a file per run: its command and
what is to be found, and then its lines of metrics. `docs/images/is-it-going-well.png` shows, side
by side, a run that is well and one that is not, for each finding.
"""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

from ganforge.cli import main as ganforge
from ganforge.diagnosis.rules import RULES
from ganforge.pictures.curves import draw_curves
from ganforge.runs.panels import Curve, Panel
from ganforge.runs.run import Run
from ganforge.runs.thinning import Thinned

ROOT = Path(__file__).resolve().parents[1]
RECORDS = ROOT / "tests" / "data" / "diagnosis"
PICTURE = ROOT / "docs" / "images" / "is-it-going-well.png"

#: adversarial losses alone, with Adam as in DCGAN: what keeps a run well is what is left out
PLAIN = "--no-companions --betas 0.5,0.999 --learning-rate 0.0004"
SMALL = (
    "--generator mlp --image-size 8 --latent-size 8 --batch-size 32 "
    "--set generator.hidden=[32] --set discriminator.hidden=[32]"
)
CONDITIONAL = (
    "--generator conditional --discriminator conditional --conditional --image-size 16 "
    "--batch-size 32 --set generator.width=4 --set discriminator.widths=[8,16]"
)
AHEAD = (
    "--set training.num_generator_steps=10 --set ema.half_life=0 "
    "--set generator_optimizer.learning_rate=0.002"
)
STRONG = (
    "--set training.num_discriminator_steps=4 --set discriminator_optimizer.learning_rate=0.002"
)
FEW = (
    "--set evaluation.holdout=0.995 --set ema.half_life=0 --loss nonsat --loss r1 "
    "--learning-rate 0.002 --set generator.hidden=[64] --set discriminator.hidden=[64]"
)

#: name -> the arguments of `ganforge train`, and what is to be found
RUNS: dict[str, tuple[str, tuple[str, ...]]] = {
    "gaussian-1d": ("--recipe gaussian-1d --steps 1500", ()),
    "ring": ("--recipe ring --steps 1500", ()),
    "grid": ("--recipe grid --steps 1500", ()),
    "f-divergence": ("--recipe f-divergence --steps 1500", ()),
    "autoencoder": ("--recipe autoencoder --dataset digits --steps 600", ()),
    "adversarial-autoencoder": (
        "--recipe adversarial-autoencoder --dataset digits --steps 500",
        (),
    ),
    "mlp": ("--generator mlp --dataset digits --steps 1500", ()),
    "dcgan": ("--steps 700", ()),
    "conditional": ("--recipe conditional --dataset digits --image-size 16 --steps 500", ()),
    "wgan": ("--recipe wgan --dataset digits --image-size 16 --generator mlp --steps 900", ()),
    "wgan-gp": ("--recipe wgan-gp --dataset digits --steps 250", ()),
    "discriminator-ahead": (
        "--generator mlp --steps 800 --set training.num_discriminator_steps=5 "
        "--set discriminator_optimizer.learning_rate=0.003",
        (),
    ),
    "hinge-ahead": (
        "--generator mlp --loss hinge --steps 800 --set training.num_discriminator_steps=5 "
        "--set discriminator_optimizer.learning_rate=0.003",
        (),
    ),
    "diverged": ("--generator mlp --learning-rate 1e6 --steps 300", ("divergence",)),
    "saturated": (
        "--generator mlp --steps 800 --set generator_optimizer.learning_rate=0.02",
        ("discriminator-won",),
    ),
    "minimax": (
        f"--generator mlp --loss minimax --steps 600 {STRONG}",
        ("discriminator-won", "vanishing-gradient"),
    ),
    "collapsed": (f"{SMALL} --steps 800 {AHEAD}", ("collapse",)),
    "collapsed-within-classes": (
        f"{CONDITIONAL} --steps 650 {AHEAD}",
        ("collapse-within-classes",),
    ),
    "memorised": (f"{SMALL} --steps 2000 {FEW}", ("memorisation",)),
}

#: what a picture of each finding shows: groups of quantities, a run that is well, one that is not
SHOWN = (
    ("weight_growth", "mlp", "diverged"),
    ("ranking", "mlp", "minimax"),
    ("relative_gradient", "mlp", "minimax"),
    ("diversity", "mlp", "collapsed"),
    ("diversity_within_classes", "conditional", "collapsed-within-classes"),
    ("nearest", None, "memorised"),
)
LOSSES = ("loss/discriminator", "loss/generator", "score/real", "score/fake")


def main(folder: Path) -> int:
    RECORDS.mkdir(parents=True, exist_ok=True)
    for name, (command, expected) in RUNS.items():
        path = folder / name
        if "--recipe" not in command:
            command = f"{PLAIN} {command}"
        if not path.is_dir():
            quiet = "--sample-every 100000 --checkpoint-every 100000 --device cpu"
            ganforge(["train", *shlex.split(f"{command} {quiet}"), "--out", str(path)])
        (RECORDS / f"{name}.jsonl").write_text(record(path, command, expected), encoding="utf-8")
    panels = [
        panel
        for group, well, sick in SHOWN
        for panel in (panel_of(folder, group, well), panel_of(folder, group, sick))
        if panel is not None
    ]
    PICTURE.write_bytes(draw_curves(panels, "Runs that are well, and runs that are not"))
    return 0


def record(path: Path, command: str, expected: tuple[str, ...]) -> str:
    """A run in a few kilobytes: what the rules read, to five digits."""
    needed = {name for rule in RULES for name in rule.needs} | {"step", *LOSSES}
    needed |= {"saturated/generated", "saturated/real"}
    needed |= {f"weight_growth/{side}" for side in ("generator", "discriminator")}
    lines: list[dict[str, object]] = [
        {"command": f"ganforge train {command}", "expected": list(expected)}
    ]
    for text in (path / "metrics.jsonl").read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        if "loss/generator" in line:
            kept = {key: value for key, value in line.items() if key in needed}
            lines.append({key: float(f"{value:.5g}") for key, value in kept.items()})
    return "".join(f"{json.dumps(line)}\n" for line in lines)


def panel_of(folder: Path, group: str, name: str | None) -> Panel | None:
    """The curves of a group of quantities of one run."""
    if name is None:
        return None
    metrics = Run(folder / name).metrics
    curves = [
        Curve(name=quantity.rpartition("/")[2], points=Thinned.of(series).points)
        for quantity, series in metrics.items()
        if quantity.partition("/")[0] == group
    ]
    healthy = not RUNS[name][1]
    title = f"{group.replace('_', ' ')}: {name.replace('-', ' ')}{' (well)' if healthy else ''}"
    return Panel(title=title, curves=tuple(curves))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
