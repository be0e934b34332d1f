"""Metrics, callbacks and recipes that are wrong in one way each, and fail that check alone."""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from ganforge import (
    Callback,
    CallbackSpec,
    DatasetSpec,
    Field,
    Fit,
    ImageShapes,
    InMemoryDataset,
    Metric,
    MetricSpec,
    RecipeSpec,
    VectorShapes,
)
from ganforge.testing.catalogue import check_subject
from ganforge.testing.checks import callbacks, metrics, recipes
from ganforge.testing.finding import subject_of
from ganforge.testing.framework import Subject, checks_in, perform_all


def failed(results):
    return [(it.check, it.message) for it in results if it.failed]


class Correct(Metric):
    """How far the mean of the generated samples is from that of the real ones."""

    def measure(self, evaluation):
        return {"distance": (evaluation.fake.mean() - evaluation.real.mean()).abs().item()}


class Unnamed(Correct):
    def measure(self, evaluation):
        return {"the mean": super().measure(evaluation)["distance"]}


class Tensors(Correct):
    def measure(self, evaluation):
        return {"mean": evaluation.fake.mean()}


class Logarithm(Correct):
    """Minus infinity, where the generator collapses."""

    def measure(self, evaluation):
        return {"log_std": evaluation.fake.std(0).mean().log().item()}


class Unequal(Correct):
    def measure(self, evaluation):
        fake, real = (it.flatten().sort().values for it in (evaluation.fake, evaluation.real))
        return {"distance": (fake - real).abs().mean().item()}


class Drawing(Correct):
    def measure(self, evaluation):
        some = torch.randperm(len(evaluation.fake))[:8]
        return {"mean": evaluation.fake[some].mean().item()}


class Centring(Correct):
    def measure(self, evaluation):
        evaluation.real.sub_(evaluation.real.mean())
        return {"mean": evaluation.fake.mean().item()}


class Comparing(Correct):
    def measure(self, evaluation):
        return {"mse": (evaluation.reconstruction - evaluation.real).square().mean().item()}


class Nearest(Correct):
    def measure(self, evaluation):
        mixture = evaluation.dataset.mixture
        if mixture is None:
            return {"distance": 0.0}
        return {"distance": torch.cdist(evaluation.fake, mixture.means).amin(1).mean().item()}


class Paired(Correct):
    """Sample by sample, as if they belonged together."""

    def measure(self, evaluation):
        number = min(len(evaluation.fake), len(evaluation.real))
        error = evaluation.fake[:number] - evaluation.real[:number]
        return {"mse": error.square().mean().item()}


class Caching(Correct):
    """What it keeps is of the generator as it was first."""

    kept: float | None = None

    def measure(self, evaluation):
        if self.kept is None:
            self.kept = evaluation.fake.mean().item()
        return {"mean": self.kept + 0 * evaluation.fake.sum().item()}


class Averaging(Correct):
    def __init__(self, problem, options):
        self.means = []

    def measure(self, evaluation):
        self.means.append(evaluation.fake.mean().item())
        return {"mean": sum(self.means) / len(self.means)}


class Seeding(Correct):
    def measure(self, evaluation):
        torch.manual_seed(0)
        return super().measure(evaluation)


class Blind(Correct):
    """Real samples against themselves."""

    def measure(self, evaluation):
        return {"distance": (evaluation.real.mean() - evaluation.real.mean()).abs().item()}


class Captioned(Correct):
    """How far samples are from their captions, which are like them."""

    def measure(self, evaluation):
        told = evaluation.conditions.get("caption")
        if told is None:
            return super().measure(evaluation)
        return {"distance": (evaluation.fake.mean() - told.mean()).abs().item()}


class Subset(Correct):
    """A few samples, chosen by a seed of its own."""

    def measure(self, evaluation):
        some = torch.randperm(len(evaluation.fake), generator=torch.Generator().manual_seed(0))
        return {"mean": evaluation.fake[some[:20]].mean().item()}


class ByClass(Correct):
    """The distance of the first class."""

    def measure(self, evaluation):
        first = evaluation.fake[evaluation.fake_labels == 0]
        return {"distance": (first.mean() - evaluation.real.mean()).abs().item()}


def metric(built: type, **said: Any) -> MetricSpec:
    target = f"{__name__}:{built.__name__}"
    shapes = (ImageShapes(), VectorShapes())
    return MetricSpec(name="wrong", summary="A metric", build=target, **{"shapes": shapes, **said})


WRONG_METRICS = [
    (Unnamed, {}, "numbers-have-names"),
    (Tensors, {}, "numbers-have-names"),
    (Logarithm, {}, "numbers-are-finite"),
    (Unequal, {}, "fewer-real-samples-are-accepted"),
    (Drawing, {}, "same-numbers-twice"),
    (Centring, {}, "samples-are-left-unchanged"),
    (Correct, {"reads": ("reconstruction",)}, "reads-are-as-declared"),
    (Correct, {"reads": ("labels",)}, "reads-are-as-declared"),
    (Comparing, {}, "reads-are-as-declared"),
    (Nearest, {}, "reads-are-as-declared"),
    (Paired, {}, "order-of-samples-does-not-count"),
    (Caching, {}, "same-numbers-twice"),
    (Averaging, {}, "same-numbers-twice"),
    (Seeding, {}, "same-numbers-twice"),
    (Blind, {}, "reads-are-as-declared"),
    (Captioned, {}, "reads-are-as-declared"),
    (Correct, {"reads": ("mixture",)}, "reads-are-as-declared"),
]


@pytest.mark.parametrize(
    ("built", "said", "check"),
    WRONG_METRICS,
    ids=[f"{it.__name__}-{check}" for it, _, check in WRONG_METRICS],
)
def test_a_wrong_metric_fails_its_own_check_and_no_other(built, said, check):
    results = perform_all(checks_in(metrics), subject_of(metric(built, **said)))
    assert [it for it in failed(results) if it[0] != check] == []
    assert [it.check for it in results if it.failed] == [check]


@pytest.mark.parametrize(
    ("built", "said"),
    [
        (Correct, {}),
        (Comparing, {"reads": ("reconstruction",)}),
        (Captioned, {"reads": ("caption",)}),
        (Subset, {}),
        (ByClass, {"reads": ("labels",)}),
        (Nearest, {"reads": ("mixture",), "shapes": (VectorShapes(),)}),
    ],
)
def test_a_correct_metric_fails_none(built, said):
    results = perform_all(checks_in(metrics), subject_of(metric(built, **said)))
    assert failed(results) == []
    assert len(results) == len(checks_in(metrics))


class Columns(Correct):
    """Correct, and made for its plugin's data set: a column of it, by its name in the fit."""

    def __init__(self, problem, options):
        if problem.fit is None:
            raise ValueError("there are no columns without the fit of the data set 'rows'")
        self.column = problem.fit.facts["columns"].index("height")

    def measure(self, evaluation):
        assert evaluation.dataset.fit.facts["columns"][self.column] == "height"
        told = evaluation.conditions["weight"].mean()
        fake = evaluation.fake[:, self.column]
        return {"height": (fake.mean() - evaluation.real[:, self.column].mean() * told).item()}


class Logarithmic(Columns):
    """Not a number, where the generator collapses."""

    def measure(self, evaluation):
        low, high = evaluation.fake[:, self.column].aminmax()
        return {**super().measure(evaluation), "spread": (high - low).log().item()}


def rows(problem: Any, options: Any) -> InMemoryDataset:
    values = torch.rand(50, 3, generator=torch.Generator().manual_seed(0)) * 2 - 1
    fit = Fit(facts={"columns": ["age", "height"]})
    return InMemoryDataset(values[:, :2], others={"weight": values[:, 2:]}, fit=fit)


ROWS = DatasetSpec(
    name="rows",
    summary="Rows of a table",
    build=f"{__name__}:rows",
    fields=lambda options: {
        "sample": Field(kind="vector", shape=(2,)),
        "weight": Field(kind="vector", shape=(1,)),
    },
)


def beside_its_data(built: type) -> Subject[Any]:
    spec = metric(built, shapes=(VectorShapes(),), reads=("weight",))
    return replace(subject_of(spec), partners=(subject_of(ROWS),))


def test_a_metric_is_checked_with_the_data_set_of_its_plugin():
    results = check_subject(beside_its_data(Columns))
    assert failed(results) == []
    assert {it.status for it in results if it.check == "can-be-built"} == {"passed"}
    passed = {it.check for it in results if it.status == "passed"}
    assert passed >= {check.name for check in checks_in(metrics)}
    results = check_subject(beside_its_data(Logarithmic))
    assert [it.check for it in results if it.failed] == ["numbers-are-finite"]


def test_what_a_metric_raises_is_told_with_its_shapes():
    results = perform_all(checks_in(metrics), subject_of(metric(Mistaken)))
    assert "for [64, 3, 11, 11] real and [64, 3, 11, 11] generated samples" in failed(results)[0][1]


class Mistaken(Correct):
    def measure(self, evaluation):
        return {"mean": (evaluation.fake @ evaluation.real[0, 0, 0]).mean().item() / 0}


class Quiet(Callback):
    """Correct: one line per line of metrics."""

    def __init__(self, problem: Any, options: Any) -> None:
        self.file = Path("metrics.txt")

    def started(self, run_directory, step, config):
        self.file = run_directory / "metrics.txt"
        self.file.touch()

    def metrics(self, step, values):
        with self.file.open("a", encoding="utf-8") as file:
            file.write(f"{step} {sorted(values)}\n")


class ColourAlone(Quiet):
    def picture(self, step, picture):
        _, _, channels = picture.shape
        assert channels == 3


class Exclusive(Quiet):
    def started(self, run_directory, step, config):
        (run_directory / "log").mkdir()
        super().started(run_directory, step, config)


class Summarising(Quiet):
    def __init__(self, problem, options):
        super().__init__(problem, options)
        self.steps = []

    def metrics(self, step, values):
        self.steps.append(step)

    def ended(self, state):
        self.file.write_text(f"{self.steps[-1]}\n", encoding="utf-8")


class Roaming(Quiet):
    def ended(self, state):
        (Path.home() / "last.txt").write_text(state, encoding="utf-8")


class Early(Quiet):
    def __init__(self, problem, options):
        super().__init__(problem, options)
        place = Path("runs/run")
        place.mkdir(parents=True, exist_ok=True)
        (place / "built.txt").touch()


class Temporary(Quiet):
    def ended(self, state):
        (Path(tempfile.gettempdir()) / "last.txt").write_text(state, encoding="utf-8")


class Appending(Quiet):
    """A table that is never cut."""

    def metrics(self, step, values):
        with self.file.open("a", encoding="utf-8") as file:
            file.write(f"{step} {sorted(values.values())}\n")


class Threaded(Quiet):
    def started(self, run_directory, step, config):
        super().started(run_directory, step, config)
        threading.Thread(target=time.sleep, args=(0.5,), daemon=True).start()


class Consuming(Quiet):
    def metrics(self, step, values):
        values.pop("step")


def callback(built: type) -> CallbackSpec:
    return CallbackSpec(name="wrong", summary="A logger", build=f"{__name__}:{built.__name__}")


WRONG_CALLBACKS = [
    (ColourAlone, "whole-run-is-told"),
    (Exclusive, "resumed-run-is-told"),
    (Summarising, "short-run-is-told"),
    (Roaming, "files-lie-in-the-run"),
    (Temporary, "files-lie-in-the-run"),
    (Appending, "resumed-run-is-told"),
    (Threaded, "nothing-goes-on-after-the-end"),
    (Early, "nothing-is-written-when-built"),
    (Consuming, "what-is-told-is-left-unchanged"),
]


@pytest.mark.parametrize(("built", "check"), WRONG_CALLBACKS)
def test_a_wrong_callback_fails_its_own_check_and_no_other(built, check):
    results = perform_all(checks_in(callbacks), subject_of(callback(built)))
    assert [it for it in failed(results) if it[0] != check] == []
    assert [it.check for it in results if it.failed] == [check]


def test_a_correct_callback_fails_none():
    results = perform_all(checks_in(callbacks), subject_of(callback(Quiet)))
    assert [it.status for it in results] == ["passed"] * len(checks_in(callbacks))


HEADER = "# ganforge train --recipe wrong\n# A recipe (Nobody, 2020).\n\n"
VALUES = "[training]\nsteps = 10\n"

WRONG_RECIPES = [
    ("", "file-is-toml"),
    (VALUES, "file-begins-with-its-command"),
    (VALUES + HEADER, "file-begins-with-its-command"),
    ("# ganforge train --recipe other\n" + VALUES, "file-begins-with-its-command"),
    ("[training]\nstep = 10\n", "run-can-be-made-of-it"),
    ("[generator]\nname = 'nobody'\n", "run-can-be-made-of-it"),
    ("[execution]\ndevice = 'cuda:1'\n", "no-device-and-no-path-is-fixed"),
    ("[dataset]\nname = 'images'\nroot = 'photos'\n", "no-device-and-no-path-is-fixed"),
    ("[callback.tensorboard]\ndirectory = '/logs'\n", "no-device-and-no-path-is-fixed"),
]


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    def write(text: str) -> RecipeSpec:
        (tmp_path / "shipped.py").write_text("", encoding="utf-8")
        (tmp_path / "wrong.toml").write_text(text, encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        return RecipeSpec(name="wrong", summary="A recipe", file="shipped:wrong.toml")

    yield write
    sys.modules.pop("shipped", None)


@pytest.mark.parametrize(("text", "check"), WRONG_RECIPES)
def test_a_wrong_recipe_fails_its_own_check_and_no_other(recipe, text, check):
    whole = text if check == "file-begins-with-its-command" else HEADER + text
    results = perform_all(checks_in(recipes), subject_of(recipe(whole)))
    assert [it for it in failed(results) if it[0] != check] == []
    assert [it.check for it in results if it.failed] == [check]


@pytest.mark.parametrize(
    "text",
    [
        HEADER + VALUES,
        "# What's shown first\n# ganforge train --recipe wrong --set dataset.root=data\n"
        "[dataset]\nname = 'images'\n",
        "# ganforge train --recipe wrong --dataset ./photos\n[training]\nsteps = 1\n",
    ],
)
def test_a_correct_recipe_fails_none(recipe, text):
    results = perform_all(checks_in(recipes), subject_of(recipe(text)))
    assert [(it.status, it.message) for it in results] == [("passed", "")] * len(checks_in(recipes))


def test_what_a_recipe_lacks_is_said(recipe):
    results = perform_all(
        checks_in(recipes), subject_of(recipe(HEADER + "[dataset]\nname = 'images'"))
    )
    (message,) = (it.message for it in results if it.failed)
    assert "dataset.root" in message


@pytest.mark.parametrize("kit", [metrics, callbacks, recipes])
def test_every_check_has_a_component_that_fails_it(kit):
    known = {check for *_, check in [*WRONG_METRICS, *WRONG_CALLBACKS, *WRONG_RECIPES]}
    assert {check.name for check in checks_in(kit)} <= known
