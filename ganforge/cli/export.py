"""`ganforge export`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import click

from ganforge.config.settings import ExecutionSettings
from ganforge.export.exporting import (
    TRAINING_STATE,
    ExportRequest,
    FormatName,
    write_card,
    write_export,
)
from ganforge.plugin.discovery import discover
from ganforge.printable import printable
from ganforge.runs.run import Run
from ganforge.storage.derived import generator_file
from ganforge.storage.tensor_header import GENERATOR, read_document

from .console import go_on_without_output, warn_of_failures
from .grouped import GroupedCommand, option_in
from .paths import NEW_PATH, PATH
from .progress import print_line


@click.command("export", cls=GroupedCommand)
@click.argument("source", metavar="RUN|FILE", type=PATH)
@option_in(
    "What",
    "--format",
    "form",
    type=click.Choice(get_args(FormatName)),
    required=True,
    help="What other program is to read it.",
)
@option_in(
    "What",
    "--batch",
    metavar="N",
    type=click.IntRange(1),
    help="Fix the size of a batch. [any size]",
)
@option_in(
    "What",
    "--truncation",
    metavar="T",
    type=click.FloatRange(min=0.0),
    help="Truncate the styles, for a generator that does so by itself.",
)
@option_in(
    "What",
    "--with-training-state",
    is_flag=True,
    help="Both networks and optimizers besides, to train on from.",
)
@option_in(
    "What", "--best", is_flag=True, help="The best generator, by evaluation.best, not the last."
)
@option_in("What", "--license", "license_name", metavar="NAME", help="License for the card. [none]")
@option_in(
    "Where", "--out", metavar="PATH", type=NEW_PATH, help="File or directory. [export in RUN]"
)
@click.pass_obj
def command(
    context: dict[str, bool], /, source: Path, form: FormatName, best: bool, **arguments: Any
) -> None:
    """Export the generator of RUN, or of a generator.safetensors, for other programs.

    \b
    --format onnx          one file that onnxruntime and others run
    --format torch-export  a .pt2 file that torch.export.load reads
    --format safetensors   the weights, with plain names

    Beside it goes a model card, README.md. Programs take any batch size and are compared with
    torch, in the runtime that they are for, before they are written.
    """
    go_on_without_output()
    run = Run(source) if source.is_dir() else None
    request = ExportRequest(
        generator=generator_file(source, best=best), run=run, form=form, **arguments
    )
    request.check()
    discovery = discover(third_party=context["third_party"])
    warn_of_failures(discovery)
    document = read_document(request.generator, GENERATOR)

    from ganforge.device.execution import Execution
    from ganforge.export.making import make
    from ganforge.export.weights import write_training_state
    from ganforge.sampling.trained_generator import open_generator

    # On the CPU, where the program can be run by everybody, and its check is exact.
    execution = Execution.from_settings(ExecutionSettings(device="cpu", memory_format="contiguous"))
    trained = open_generator(request.generator, discovery.registry, execution)
    made = make(request, trained, document)
    files = write_export(request, made.contents)
    if run is not None and request.with_training_state:
        files.append(request.folder / TRAINING_STATE)
        write_training_state(run.directory, files[-1])
    card = write_card(request, made.description)
    print_line(f"Wrote {', '.join(printable(path) for path in files)}")
    if made.check is not None:
        print_line(f"  {made.check}")
    if len(made.contents) > 1 and request.form == "onnx":
        print_line("  in two files, since ONNX holds 2 GB in one: keep them together")
    if card is None:
        print_line("  without a model card: there is a README.md that is not ganforge's")
    else:
        print_line(f"  {printable(card)} describes it")
