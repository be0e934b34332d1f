"""The command line: one module per command, each imported when it is called."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

import click

from ganforge import __version__
from ganforge.errors import DEBUG_HINT, GanforgeError
from ganforge.printable import described, printable, represented
from ganforge.terminal import safe_streams

from .console import print_error, shown_warnings

#: command -> (module, one line of help); the modules are imported when their command is called
COMMANDS = {
    "train": ("train", "Train a GAN, or go on with a run."),
    "sample": ("sample", "Draw samples from a trained generator."),
    "evaluate": ("evaluate", "Measure how good the samples of a generator are."),
    "sweep": ("sweep", "Train with every combination of several values."),
    "benchmark": ("benchmark", "Measure configurations under published protocols."),
    "runs": ("runs", "List runs with their states and metrics, or remove some."),
    "compare": ("compare", "Compare runs: settings that differ, and metrics over seeds."),
    "diagnose": ("diagnose", "Say what goes wrong in a run, and what to try."),
    "doctor": ("doctor", "Check this installation, a run or a file for damage."),
    "export": ("export", "Export a trained generator for other programs."),
    "push": ("push", "Upload a trained generator to a model hub."),
    "report": ("report", "Write a report of a run as one HTML file."),
    "list-recipes": ("list_recipes", "List the recipes: whole configurations, run by name."),
    "list-plugins": ("list_plugins", "List the installed plugins and what they provide."),
    "show": ("show", "Describe a component and its options."),
    "new-plugin": ("new_plugin", "Write the package of a new plugin."),
    "check-plugin": ("check_plugin", "Check a plugin against the contracts of its components."),
}


#: where a command finds what was typed after `ganforge`
TYPED = "ganforge.typed"


COMPLETION = "_GANFORGE_COMPLETE"  # the variable by which a shell asks what could come next


class _LazyGroup(click.Group):
    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        context.meta[TYPED] = tuple(args)
        return super().parse_args(context, args)

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(f"{__name__}.{COMMANDS[name][0]}").command
        if COMPLETION in os.environ:
            from .completion import complete_parameters

            return complete_parameters(command)
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ganforge")
@click.option("--no-plugins", is_flag=True, help="Load the bundled plugins only.")
@click.pass_context
def cli(context: click.Context, no_plugins: bool) -> None:
    """Train generative adversarial networks made of plugins.

    \b
    ganforge train                       train on the embedded digits
    ganforge train --dataset my/images   train on a folder of images
    ganforge train --recipe ring         run a recipe of `ganforge list-recipes`
    ganforge list-plugins                see what can be combined
    """
    context.obj = {"third_party": not no_plugins}


def main(arguments: list[str] | None = None) -> int:
    """The console script; returns the exit code.

    A program may call it from any thread; standard output and error are its own again afterwards.
    """
    with safe_streams() as output, shown_warnings():
        code = _run(arguments)
        if code == 0 and output.fault and not (output.unread or output.is_secondary):
            print_error(f"{output.label} cannot be written: {output.fault}")
            code = 1
    return code


def _run(arguments: list[str] | None) -> int:
    """The exit code of a command; every error is a paragraph on standard error."""
    debug = bool(os.environ.get("GANFORGE_DEBUG"))
    try:
        result: Any = cli.main(arguments, prog_name="ganforge", standalone_mode=False)
    except click.ClickException as error:
        error.message = printable(error.message)  # type: ignore[misc]  # it holds what was typed
        error.show()
        return error.exit_code
    except click.exceptions.Abort:
        return 130
    except GanforgeError as error:
        if debug:
            raise
        print_error(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        print_error("interrupted")
        return 130
    except SystemExit as error:  # click leaves by another way, but for completion: it is a plugin's
        if debug or COMPLETION in os.environ:
            raise
        print_error(f"a plugin called sys.exit({represented(error.code)}) {DEBUG_HINT}")
        return 1
    except Exception as error:
        # Nothing that anybody had in mind; still no reason for a page of source code.
        if debug:
            raise
        print_error(f"{_explained(error)} {DEBUG_HINT}")
        return 1
    return result if isinstance(result, int) else 0


def _explained(error: Exception) -> str:
    """An error that nobody foresaw, with the file that one of the system is about."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{printable(error.filename, 200)}: {error.strerror}"
    return described(error)
