"""`ganforge push`: what a model repository gets, and the upload of it in one commit.

The token is found by huggingface_hub where it always is (`hf auth login`, `HF_TOKEN`). Here it is
neither asked for, nor kept, nor printed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ganforge.errors import DataError, PushError, UsageError
from ganforge.export import usage
from ganforge.export.card import card
from ganforge.printable import described, printable
from ganforge.runs.run import Run

GENERATOR, CARD, PICTURE = "generator.safetensors", "README.md", "samples.png"
USUAL_REVISION = "main"

_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_REVISION = re.compile(r"[A-Za-z0-9][\w./-]*")


@dataclass(frozen=True, kw_only=True)
class Push:
    """Files for a model repository, by their names there; all that is uploaded."""

    repository: str
    revision: str
    private: bool
    files: Mapping[str, bytes]
    message: str


def check_names(repository: str, revision: str) -> None:
    """Raise UsageError where a repository or a revision cannot be called so."""
    for text, pattern, what in (
        (repository, _REPOSITORY, "a repository is named OWNER/NAME"),
        (revision, _REVISION, "a revision is a branch, such as main"),
    ):
        sound = pattern.fullmatch(text) and len(text) <= 96 and ".." not in text
        if not sound or text.endswith((".", "-", ".git", ".lock", "/")):
            raise UsageError(f"{printable(text, 100)!r}: {what}")


def check_package() -> None:
    """Raise DataError where huggingface_hub, which uploads, is not installed."""
    if find_spec("huggingface_hub") is None:
        raise DataError(
            "push needs the package 'huggingface_hub', which is not installed: "
            'pip install "ganforge[hub]"; --dry-run does without'
        )


def collect(
    generator: Path,
    run: Run | None,
    description: Mapping[str, Any],
    *,
    repository: str,
    revision: str,
    private: bool,
    license_name: str | None,
) -> Push:
    """Collect what a push uploads: the generator's file, its card, and the run's newest picture."""
    files = {GENERATOR: generator.read_bytes()}
    if run is not None and run.grids:
        files[PICTURE] = run.grids[-1][1].read_bytes()
    listed = [usage.listing(GENERATOR, len(files[GENERATOR]), description, repository)]
    text = card(
        description,
        listed,
        title=repository.partition("/")[2],
        run=run,
        license_name=license_name,
        picture=PICTURE if PICTURE in files else None,
    )
    return Push(
        repository=repository,
        revision=revision,
        private=private,
        files={CARD: text.encode(), **files},
        message=f"Generator of {'a run' if run is None else run.name} by ganforge",
    )


def make_api() -> Any:
    """The client of the model hub: the one place where it comes from."""
    return import_module("huggingface_hub").HfApi()


def upload(push: Push, api: Any) -> str:
    """Make the repository where it is missing, upload everything in one commit; its address.

    `api` is a `huggingface_hub.HfApi`. Raises PushError, and UsageError where a repository that is
    there is public and a private one was asked for: nothing was uploaded then.
    """
    operation = import_module("huggingface_hub").CommitOperationAdd
    name = push.repository
    try:
        # Without a wish of the user's own, the repository is as the account makes them.
        made = api.create_repo(name, private=push.private or None, exist_ok=True)
        if push.private and not api.repo_info(name).private:
            raise UsageError(
                f"{name} is there already, and is public: leave out --private, or make it private "
                "first; nothing was uploaded"
            )
        if push.revision != USUAL_REVISION:
            api.create_branch(name, branch=push.revision, exist_ok=True)
        api.create_commit(
            name,
            [operation(path_in_repo=it, path_or_fileobj=data) for it, data in push.files.items()],
            commit_message=push.message,
            revision=push.revision,
        )
    except UsageError:
        raise
    except Exception as error:
        raise PushError(f"{name} was not pushed: {_reason(error)}") from error
    return printable(made)


def _reason(error: Exception) -> str:
    """The reason in a client's error, and what to do where it is the token or the network."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403):
        return (
            f"the hub refused it ({status}): log in with `hf auth login`, or set HF_TOKEN to a "
            "token that may write there"
        )
    if status is None:
        return f"{described(error)} (is the network there, and HF_ENDPOINT, if it is set, right?)"
    return described(error)
