"""`ganforge push`."""

from __future__ import annotations

from pathlib import Path

import click

from ganforge.config.settings import ExecutionSettings
from ganforge.export import pushing
from ganforge.plugin.discovery import discover
from ganforge.printable import size_in_words
from ganforge.runs.run import Run
from ganforge.storage.derived import generator_file
from ganforge.storage.tensor_header import GENERATOR, read_document

from .console import go_on_without_output, warn_of_failures
from .grouped import GroupedCommand, option_in
from .paths import PATH
from .progress import print_line


@click.command("push", cls=GroupedCommand)
@click.argument("source", metavar="RUN|FILE", type=PATH)
@click.argument("repository", metavar="OWNER/NAME")
@option_in(
    "What", "--best", is_flag=True, help="The best generator, by evaluation.best, not the last."
)
@option_in("What", "--license", "license_name", metavar="NAME", help="License for the card. [none]")
@option_in("Where", "--private", is_flag=True, help="In a repository that only you can see.")
@option_in(
    "Where",
    "--revision",
    metavar="BRANCH",
    default=pushing.USUAL_REVISION,
    help="Branch, made where it is missing. [main]",
)
@option_in("Where", "--dry-run", is_flag=True, help="Print what would be uploaded, and stop.")
@click.pass_obj
def command(
    context: dict[str, bool],
    /,
    source: Path,
    repository: str,
    best: bool,
    license_name: str | None,
    private: bool,
    revision: str,
    dry_run: bool,
) -> None:
    """Upload the generator of RUN to a model repository of the Hugging Face hub.

    The repository gets generator.safetensors, which `ganforge sample` takes, a model card, and the
    newest grid of the run; in one commit. The token is that of `hf auth login`, or HF_TOKEN.
    """
    pushing.check_names(repository, revision)
    run = Run(source) if source.is_dir() else None
    path = generator_file(source, best=best)
    if not dry_run:
        go_on_without_output()
        pushing.check_package()
    discovery = discover(third_party=context["third_party"])
    warn_of_failures(discovery)
    document = read_document(path, GENERATOR)

    from ganforge.device.execution import Execution
    from ganforge.export.interface import describe
    from ganforge.sampling.trained_generator import open_generator

    execution = Execution.from_settings(ExecutionSettings(device="cpu"))
    # Opened to see that it is whole, and that it is what it says.
    description = describe(open_generator(path, discovery.registry, execution), document, None)
    push = pushing.collect(
        path,
        run,
        description,
        repository=repository,
        revision=revision,
        private=private,
        license_name=license_name,
    )
    if dry_run:
        _show(push)
        return
    address = pushing.upload(push, pushing.make_api())
    print_line(f"Wrote {', '.join(push.files)} to {address}")


def _show(push: pushing.Push) -> None:
    """Everything that an upload would consist of; the card in full."""
    kind = "a private repository" if push.private else "the repository"
    print_line(f"Would upload, in one commit, to {kind} {push.repository}, {push.revision}:")
    for name, contents in push.files.items():
        print_line(f"  {name:<24}{size_in_words(len(contents)):>10}")
    print_line(f'with the message "{push.message}". {pushing.CARD}:\n')
    print_line(push.files[pushing.CARD].decode())
