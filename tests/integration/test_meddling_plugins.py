"""A plugin that changes the process: no run is moved by it, and it is named."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import load_file

from tests.conftest import Command, FakePlugin

from .conftest import TINY

PACKAGE = "ganforge-meddling"
MEDDLE = """
    import os, random, signal, sys, warnings
    import torch
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(torch.get_num_threads() + 1)
    torch.use_deterministic_algorithms(True)
    random.seed(0)
    os.chdir("/")
    os.umask(0)
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.path.insert(0, "/evil")
"""
SOURCE = """
from ganforge import LossSpec, hookimpl

{at_import}

@hookimpl
def ganforge_losses():
    {in_hook}
    yield LossSpec(name="meddling", summary="s", build="ganforge_meddling:build")

def build(problem, options):
    {in_build}
    from ganforge import ScoreLoss

    class Loss(ScoreLoss):
        def discriminator(self, real_scores, fake_scores):
            return fake_scores.mean() - real_scores.mean()

        def generator(self, fake_scores):
            return -fake_scores.mean()

    return Loss()
"""
CHANGES = (
    "the environment variable CUDA_VISIBLE_DEVICES, the working directory, the umask, sys.path, "
    "the filters of warnings, the handler of SIGTERM"
)
OF_TORCH = "the default dtype, the number of threads and deterministic algorithms"
RUN = ("train", *TINY, "--steps=3")


def meddling(at_import: str = "", in_hook: str = "", in_build: str = "pass") -> str:
    at_import = "\n".join(line.strip() for line in at_import.splitlines())
    return SOURCE.format(at_import=at_import, in_hook=in_hook, in_build=in_build)


def same_generators(one: str, other: str) -> bool:
    """True where two runs have the same weights, to the bit."""
    first, second = (load_file(Path(run, "generator.safetensors")) for run in (one, other))
    return first.keys() == second.keys() and all(first[it].equal(second[it]) for it in first)


def test_a_plugin_that_is_installed_and_not_used_moves_no_run(
    ganforge: Command, fake_plugin: FakePlugin
) -> None:
    assert ganforge(*RUN, "--out=without").code == 0
    fake_plugin(PACKAGE, meddling(at_import=MEDDLE, in_hook="torch.set_grad_enabled(False)"))
    answer = ganforge(*RUN, "--out=with")
    assert answer.code == 0
    assert answer.err == (
        f"Warning: the plugin {PACKAGE!r} of {PACKAGE} 1.0: it changes {CHANGES}, Python's random "
        "generator, the default dtype, the number of threads, the gradient mode and deterministic "
        "algorithms when it is loaded, which every run shares; that was set back\n"
    )
    assert same_generators("with", "without")
    assert torch.get_default_dtype() is torch.float32


def test_it_is_listed_with_what_it_changes(ganforge: Command, fake_plugin: FakePlugin) -> None:
    fake_plugin(PACKAGE, meddling(at_import="import os; os.chdir('/')"))
    records = json.loads(ganforge("list-plugins", "--json").out)
    (record,) = [it for it in records if it["package"] == PACKAGE]
    assert record["status"] == "active"
    assert record["warnings"] == [
        "it changes the working directory when it is loaded, which every run shares; that was set "
        "back"
    ]


def test_a_builder_that_changes_the_process_is_named_and_moves_nothing_else(
    ganforge: Command, fake_plugin: FakePlugin
) -> None:
    site = fake_plugin(PACKAGE, meddling())
    loss = ("--loss=meddling", "--no-companions")
    assert ganforge(*RUN, *loss, "--out=without").err == ""
    Path(site, "ganforge_meddling.py").write_text(meddling(in_build=MEDDLE))
    import sys

    del sys.modules["ganforge_meddling"]
    answer = ganforge(*RUN, *loss, "--out=with")
    assert (answer.code, answer.err) == (
        0,
        f"Warning: the loss 'meddling' of {PACKAGE} 1.0 changed {CHANGES}, {OF_TORCH}, which every "
        "run shares; it was set back\n",
    )
    assert same_generators("with", "without")


def test_the_kit_fails_it(ganforge: Command, fake_plugin: FakePlugin) -> None:
    fake_plugin(PACKAGE, meddling(at_import="import os; os.chdir('/')", in_build=MEDDLE))
    answer = ganforge("check-plugin", PACKAGE, "--json")
    assert answer.code == 1
    failed = {
        it["check"]: it["message"]
        for it in json.loads(answer.out)["results"]
        if it["status"] == "failed"
    }
    assert failed.keys() == {
        "hook-module-changes-nothing",
        "process-is-untouched",
        "torch-settings-are-untouched",
    }
    assert "a change of the working directory. Fix" in failed["hook-module-changes-nothing"]
    listed = CHANGES.replace(", the handler", " and the handler")
    assert f"a change of {listed}. Fix" in failed["process-is-untouched"]
    assert f"a change of {OF_TORCH}. Fix" in failed["torch-settings-are-untouched"]


def test_a_plugin_for_a_newer_ganforge_is_not_loaded(
    ganforge: Command, fake_plugin: FakePlugin
) -> None:
    metadata = (
        f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: 1.0\nRequires-Dist: ganforge>=99\n"
    )
    fake_plugin(PACKAGE, "raise RuntimeError('imported')", metadata=metadata)
    answer = ganforge(*RUN, "--loss=meddling")
    assert answer.code == 2
    assert f"{PACKAGE} of {PACKAGE} 1.0 (it needs ganforge>=99, and " in answer.text
    assert ganforge(*RUN, "--dry-run").err == ""
