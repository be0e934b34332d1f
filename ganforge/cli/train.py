"""`ganforge train`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from ganforge.config.data_path import path_layer
from ganforge.config.layers import Entry, Flag, Layer, Names, from_file, from_settings
from ganforge.config.recipes import recipe_layer
from ganforge.config.resolve import resolve
from ganforge.config.settings import DEFAULT_STEPS, TrainingSettings
from ganforge.config.shortcuts import SHORTCUTS
from ganforge.engine.resuming import open_to_resume, resume_config
from ganforge.engine.session import new_run, train
from ganforge.engine.signals import EXIT_CODES, Stopped, StopRequest
from ganforge.errors import UsageError
from ganforge.plugin.discovery import discover
from ganforge.plugin.registry import Registry
from ganforge.printable import printable

from . import TYPED
from .console import go_on_without_output, print_error, warn_of_failures
from .grouped import GroupedCommand, option_in
from .paths import NEW_PATH, PATH
from .progress import choose_display
from .threads import spin_briefly
from .watching import watchable, watchdogs

#: kind of which a run has any number -> the flag that names its components
FLAGS_OF_TABLES = {
    "loss": "loss",
    "augmentation": "augment",
    "metric": "metric",
    "features": "features",
    "callback": "callback",
}


NOT_BEGUN = "the run was not begun, and left nothing behind"


@click.command("train", cls=GroupedCommand)
@option_in("What", "--generator", metavar="NAME", help="Generator network. [dcgan]")
@option_in(
    "What",
    "--discriminator",
    metavar="NAME",
    help="Discriminator network. [the generator's partner]",
)
@option_in("What", "--loss", metavar="NAME", multiple=True, help="Loss term; repeatable. [nonsat]")
@option_in(
    "What",
    "--no-companions",
    is_flag=True,
    default=None,
    help="Nothing beside the losses that are named.",
)
@option_in("What", "--dataset", metavar="NAME|PATH", help="Data set, or folder or zip. [digits]")
@option_in("What", "--sampler", metavar="NAME", help="Draws the generator's inputs. [normal]")
@option_in(
    "What", "--augment", metavar="NAME", multiple=True, help="Augment what D sees; repeatable."
)
@option_in("What", "--game", metavar="NAME", help="How the networks are connected. [generator's]")
@option_in("What", "--recipe", metavar="NAME", help="Start from a recipe. [none]")
@option_in(
    "What",
    "--conditional/--no-conditional",
    default=None,
    help="Tell both networks the label. [for digits]",
)
@option_in(
    "What",
    "--condition",
    metavar="NAME",
    multiple=True,
    help="Tell both networks this field of the data set; repeatable.",
)
@option_in("What", "--init", metavar="RUN|FILE", help="Start from the weights of a run or file.")
@option_in("What", "--image-size", metavar="PIXELS", type=int, help="Side of the images.")
@option_in("What", "--channels", metavar="C", type=int, help="1 for grey, 3 for colour images.")
@option_in("What", "--latent-size", metavar="Z", type=int, help="Latent dimension.")
@option_in(
    "How long", "--steps", metavar="N", type=int, help=f"Generator updates. [{DEFAULT_STEPS}]"
)
@option_in("How long", "--epochs", metavar="N", type=int, help="Passes over the data instead.")
@option_in(
    "How",
    "--batch-size",
    metavar="B",
    type=int,
    help=f"Samples per update. [{TrainingSettings().batch_size}]",
)
@option_in(
    "How",
    "--learning-rate",
    metavar="RATE",
    type=float,
    help="Learning rate of both optimizers.",
)
@option_in(
    "How",
    "--betas",
    metavar="B1,B2",
    callback=lambda context, parameter, value: _numbers(value),
    help="Betas of both optimizers, where they are Adam's.",
)
@option_in("How", "--seed", metavar="N", type=int, help="Random seed. [0]")
@option_in("How", "--device", metavar="NAME", help="auto, cpu, cuda, cuda:N or mps. [auto]")
@option_in("How", "--workers", metavar="N", type=int, help="Processes that read images. [2]")
@option_in("How", "--compile", is_flag=True, default=None, help="Compile the networks.")
@option_in("Output", "--sample-every", metavar="N", type=int, help="Steps between grids. [250]")
@option_in(
    "Output", "--checkpoint-every", metavar="N", type=int, help="Steps between checkpoints. [500]"
)
@option_in(
    "Output",
    "--preview",
    metavar="WHEN",
    help="Show grids in the terminal: end, grids (each) or never. [end]",
)
@option_in("Output", "--metric", metavar="NAME", multiple=True, help="Measure this; repeatable.")
@option_in(
    "Output",
    "--features",
    metavar="NAME",
    multiple=True,
    help="Extractor that metrics look through. [what suits]",
)
@option_in(
    "Output", "--best", metavar="METRIC", help="Keep the best checkpoint by this metric. [none]"
)
@option_in(
    "Output",
    "--logger",
    "--callback",
    "callback",
    metavar="NAME",
    multiple=True,
    help="Log to csv, tensorboard or another callback; repeatable.",
)
@option_in("Run", "--out", metavar="DIR", type=NEW_PATH, help="Run directory. [runs/NNNNN-...]")
@option_in("Run", "--overwrite", is_flag=True, help="Replace the run that is in --out.")
@option_in("Run", "--resume", metavar="RUN", type=PATH, help="Go on with a run.")
@option_in(
    "Run",
    "--override",
    "overrides",
    metavar="KEY=VALUE",
    multiple=True,
    help="With --resume, change what else cannot change; recorded, repeatable.",
)
@option_in(
    "Run",
    "--allow-versions",
    is_flag=True,
    help="Resume with another major version of a plugin.",
)
@option_in(
    "Run", "--allow-nonfinite", is_flag=True, help="Resume a checkpoint that holds NaN or infinity."
)
@option_in("Run", "--config", metavar="FILE", type=PATH, help="Start from a TOML file.")
@option_in(
    "Run",
    "--set",
    "settings",
    metavar="KEY=VALUE",
    multiple=True,
    help="Any setting, such as generator.width=128; repeatable.",
)
@option_in("Run", "--dry-run", is_flag=True, help="Print the whole configuration, and stop.")
@watchable("Run")
@click.pass_obj
def command(
    context: dict[str, bool],
    /,
    out: Path | None,
    overwrite: bool,
    resume: Path | None,
    overrides: tuple[str, ...],
    allow_versions: bool,
    allow_nonfinite: bool,
    dry_run: bool,
    **given: Any,
) -> int:
    """Train a GAN, or go on with a run.

    Without options a DCGAN learns the embedded handwritten digits. `ganforge list-plugins` lists
    the names, `ganforge show NAME` the options that --set takes.
    """
    recipe = given["recipe"]
    if resume is not None and (out or overwrite or given["config"] or recipe):
        raise UsageError(
            "--resume goes on in the run's own directory, with its own configuration; "
            "leave out --out, --overwrite, --config and --recipe"
        )
    _check_flags(out, resume, overwrite, overrides, allow_versions or allow_nonfinite)
    discovery = discover(third_party=context["third_party"])
    registry = discovery.registry
    layers = layers_from(given, registry)
    changes = None
    if resume is not None:
        run = open_to_resume(resume)
        named = from_settings(overrides, "--override")
        resolved, changes = resume_config(run, layers, registry, named)
    else:
        resolved = resolve(layers, registry)
    if dry_run:
        click.echo(resolved.to_toml(), nl=False)
        return 0
    go_on_without_output()
    warn_of_failures(discovery)
    resolved.check_available()
    request = StopRequest()
    if resume is None:
        run = new_run(resolved, out, recipe, overwrite=overwrite)
    spin_briefly()
    display = choose_display()
    try:
        with request.listening():
            result = train(
                resolved,
                run,
                resume=resume is not None,
                overwrite=overwrite,
                changes=changes,
                allow=[
                    *(["versions"] if allow_versions else []),
                    *(["nonfinite"] if allow_nonfinite else []),
                ],
                observers=[display, *watchdogs(run)],
                stop=request,
                remedies=registry,
                command=("ganforge", *click.get_current_context().meta[TYPED]),
            )
    except Stopped as stopped:
        display.stopped()
        after = f"{run} goes on from its last checkpoint" if run.config.is_file() else NOT_BEGUN
        print_error(f"{stopped.state} at once; {after}")
        return EXIT_CODES[stopped.state]
    display.summary(run, result)
    return EXIT_CODES[result.state]


def _check_flags(
    out: Path | None,
    resume: Path | None,
    overwrite: bool,
    overrides: tuple[str, ...],
    allows: bool,
) -> None:
    """Raise UsageError for flags that say nothing without another one."""
    if overwrite and out is None:
        raise UsageError("--overwrite replaces a run in the directory of --out, so name that too")
    if resume is None and overrides:
        raise UsageError("--override belongs to --resume; in a new run, --set sets everything")
    if resume is None and allows:
        raise UsageError("--allow-versions and --allow-nonfinite belong to --resume")


def layers_from(
    given: Mapping[str, Any], registry: Registry, file: Layer | None = None
) -> list[Layer]:
    """The layers of configuration that the flags of this command amount to.

    `file` stands for the file of `--config` where that has been read already.
    """
    shortcuts = {name: given[name] for name in SHORTCUTS}
    if shortcuts["steps"] is not None and shortcuts["epochs"] is not None:
        raise UsageError("--steps and --epochs exclude each other")
    layers = []
    if given["recipe"] is not None:
        layers.append(recipe_layer(registry.find("recipe", given["recipe"])))
    if file is None and given["config"] is not None:
        file = from_file(given["config"])
        if not file.entries and not file.tables:
            # One that was cut off, or is still to be written: what it was named for is not there.
            raise UsageError(f"{printable(given['config'])}: has no settings in it")
    layers += [file] if file is not None else []
    dataset = given["dataset"]
    data = path_layer(dataset, registry).entries if dataset is not None else ()
    tables = {kind: given[flag] for kind, flag in FLAGS_OF_TABLES.items()}
    flags = _command_line(data, shortcuts, tables, given["settings"])
    layers.append(replace(flags, companions=not given["no_companions"]))
    return layers


def _command_line(
    data: tuple[Entry, ...],
    shortcuts: dict[str, Any],
    tables: dict[str, tuple[str, ...]],
    settings: tuple[str, ...],
) -> Layer:
    """Everything on the command line as one layer, `--set` over the other flags."""
    entries = list(data)
    for name, value in shortcuts.items():
        if value not in (None, ()):
            origin = Flag(f"--{name.replace('_', '-')}")
            entries += [Entry(path=path, value=value, origin=origin) for path in SHORTCUTS[name]]
    entries += from_settings(settings).entries
    flags = {"callback": "--logger", "augmentation": "--augment"}
    chosen = {
        kind: Names(names, Flag(flags.get(kind, f"--{kind}")))
        for kind, names in tables.items()
        if names
    }
    return Layer(entries=tuple(entries), tables=chosen)


def _numbers(text: str | None) -> list[object] | None:
    """`0.5,0.999` as numbers; what is none is left as it is, for the configuration to complain."""
    if text is None:
        return None
    found: list[object] = []
    for part in text.split(","):
        try:
            found.append(float(part))
        except ValueError:
            found.append(part)
    return found
