"""A component that fails in a run is named with its function, and the run ends in good order.

`failing_plugin.py` has a component of each kind, whose functions fail one at a time.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.conftest import Command, FakePlugin

from .failing_plugin import PACKAGE, source

NAMES = ("generator", "loss", "sampler", "game", "augment", "metric", "features", "logger")
USING = (
    "train",
    *(f"--{name}=failing" for name in NAMES),
    *("--no-companions", "--batch-size=8", "--device=cpu", "--steps=9", "--checkpoint-every=5"),
    *("--sample-every=7", "--out=run", "--dataset=failing"),
    *(f"--set={side}_optimizer.name=failing" for side in ("generator", "discriminator")),
    *("--set=output.grid_samples=4", "--set=output.log_every=1"),
    *("--set=evaluation.every=7", "--set=evaluation.num_samples=16"),
)
#: function -> the component and where the message says that it failed
ENDING = {
    "generator.forward": "the generator 'failing' of {} failed in step 7, in forward()",
    "discriminator.forward": "the discriminator 'failing' of {} failed in step 7, in forward()",
    "loss.discriminator_loss": "the loss 'failing' of {} failed in the discriminator's update of "
    "step 7",
    "loss.generator_loss": "the loss 'failing' of {} failed in the generator's update of step 7",
    "loss.backward": f"the plugin {PACKAGE!r} of {{}} failed in step 7, in backward()",
    "loss.observe": "the loss 'failing' of {} failed in step 7, in observe()",
    "loss.constrain_discriminator": "the loss 'failing' of {} failed in step 7, in "
    "constrain_discriminator()",
    "dataset.draw": "the dataset 'failing' of {} failed in step 8, in draw()",
    "sampler.sample": "the sampler 'failing' of {} failed in step 7, in sample()",
    "game.steps": "the game 'failing' of {} failed in step 7, in steps()",
    "game.make_fake": "the game 'failing' of {} failed in step 7, in make_fake()",
    "augmentation.forward": "the augmentation 'failing' of {} failed in step 7, in forward()",
    "augmentation.observe": "the augmentation 'failing' of {} failed in step 7, in observe()",
    "augmentation.metrics": "the augmentation 'failing' of {} failed in step 7, in metrics()",
    "optimizer.step": "the optimizer 'failing' of {} failed in step 7, in step()",
}
WATCHING = {
    "metric.measure": "the metric 'failing' of {} failed: ValueError: no more; training goes on "
    "without this metric",
    "features.extract": "the feature extractor 'failing' of {} failed: ValueError: no more; "
    "training goes on without this metric",
    **{
        f"callback.{name}": "the callback 'failing' of {} failed: ValueError: no more; training "
        "goes on without it"
        for name in ("metrics", "picture", "saved", "ended")
    },
    "callback.next_command": "the callback 'failing' of {} failed: ValueError: no more",
}
#: a statement -> what the message says of it
RAISED = {
    "raise SystemExit(0)": "SystemExit: 0",
    "raise GeneratorExit": "GeneratorExit",
    "raise KeyboardInterrupt": "KeyboardInterrupt",
    "next(iter(()))": "RuntimeError: generator raised StopIteration",
    "at(where)": "RecursionError: maximum recursion depth exceeded",
    "raise type('Quit', (BaseException,), {})('bye')": "Quit: bye",
    "raise type('Mute', (Exception,), {'__str__': lambda self: 1 / 0})()": "Mute: its message "
    "cannot be shown",
    "raise ValueError('\\x1b[2J\\nError: forged\\u202e')": "ValueError: [2J Error: forged",
    "raise ValueError('x' * 1_000_000)": f"ValueError: {'x' * 485}...",
}


def state() -> str:
    return str(json.loads(Path("run/status.json").read_text())["state"])


def checkpoints() -> list[str]:
    return sorted(path.name for path in Path("run/checkpoints").iterdir())


@pytest.mark.parametrize(("where", "told"), ENDING.items(), ids=ENDING)
def test_a_function_that_fails_in_a_step_is_named_and_the_checkpoint_is_kept(
    ganforge: Command, fake_plugin: FakePlugin, where: str, told: str
) -> None:
    fake_plugin(PACKAGE, source(where))
    answer = ganforge(*USING)
    assert answer.code == 1
    assert answer.err.startswith(f"Error: {told.format(f'{PACKAGE} 1.0')}: ValueError: no more")
    assert answer.err.count("\n") == 1
    assert checkpoints() == ["step-00000005.safetensors"]
    assert state() == "failed"


def test_a_run_that_failed_goes_on_with_a_plugin_that_is_mended(
    ganforge: Command, fake_plugin: FakePlugin
) -> None:
    site = fake_plugin(PACKAGE, source("sampler.sample"))
    assert ganforge(*USING).code == 1
    sys.modules.pop("ganforge_failing")
    # Another length, for Python compares sizes and whole seconds with what it has compiled.
    (site / "ganforge_failing.py").write_text(source("nothing at all, it is mended"))
    answer = ganforge("train", "--resume=run")
    assert (answer.code, answer.err) == (0, "")
    assert state() == "finished"


@pytest.mark.parametrize(("where", "told"), WATCHING.items(), ids=WATCHING)
def test_what_only_watches_is_left_out_with_a_warning(
    ganforge: Command, fake_plugin: FakePlugin, where: str, told: str
) -> None:
    fake_plugin(PACKAGE, source(where))
    answer = ganforge(*USING)
    assert (answer.code, answer.err) == (0, f"Warning: {told.format(f'{PACKAGE} 1.0')}\n")
    assert checkpoints()[-1] == "step-00000009.safetensors"
    assert state() == "finished"


@pytest.mark.parametrize(("action", "told"), RAISED.items())
def test_whatever_is_raised_is_a_failure_of_the_component(
    ganforge: Command, fake_plugin: FakePlugin, action: str, told: str
) -> None:
    fake_plugin(PACKAGE, source("sampler.sample", action))
    answer = ganforge(*USING)
    named = f"Error: the sampler 'failing' of {PACKAGE} 1.0 failed in step 7, in sample(): "
    assert (answer.code, answer.err) == (1, f"{named}{told} (GANFORGE_DEBUG=1 shows where)\n")
    assert state() == "failed"


@pytest.mark.parametrize("action", ["raise SystemExit(0)", "raise GeneratorExit"])
@pytest.mark.parametrize("where", ["metric.measure", "callback.saved"])
def test_an_exit_of_what_only_watches_is_a_warning(
    ganforge: Command, fake_plugin: FakePlugin, where: str, action: str
) -> None:
    fake_plugin(PACKAGE, source(where, action))
    answer = ganforge(*USING)
    assert answer.code == 0
    assert f"the {where.partition('.')[0]} 'failing' of {PACKAGE} 1.0 failed: " in answer.err
    assert state() == "finished"


@pytest.mark.parametrize("where", [it for it in ENDING if not it.startswith(("loss", "optimizer"))])
def test_an_exit_before_the_first_step_is_named_too(
    ganforge: Command, fake_plugin: FakePlugin, where: str
) -> None:
    fake_plugin(PACKAGE, source(where, "raise SystemExit(0)", step=0))
    answer = ganforge(*USING)
    kind, _, function = where.partition(".")
    assert answer.code == 1
    assert answer.err.startswith(f"Error: the {kind} 'failing' of {PACKAGE} 1.0 fail")
    assert answer.err.count("\n") == 1
    seen = function in ("observe", "metrics")  # what is called first in a step
    assert Path("run").exists() == seen


@pytest.mark.parametrize("workers", [0, 1])
def test_an_item_that_exits_is_named_also_in_a_worker(
    ganforge: Command, fake_plugin: FakePlugin, workers: int
) -> None:
    fake_plugin(PACKAGE, source("items.__getitem__", "raise SystemExit(0)"))
    arguments = ("--dataset=items", f"--workers={workers}", "--steps=50")
    answer = ganforge(*USING, *arguments)
    told = f"Error: the dataset 'items' of {PACKAGE} 1.0 cannot give item 77: SystemExit: 0\n"
    assert (answer.code, answer.err) == (1, told)


def test_what_fails_after_training_is_named(ganforge: Command, fake_plugin: FakePlugin) -> None:
    site = fake_plugin(PACKAGE, source("nothing"))
    assert ganforge(*USING, "--steps=1").code == 0
    for length, where in enumerate(("sampler.sample", "generator.forward")):
        sys.modules.pop("ganforge_failing")
        text = source(where, "raise SystemExit(0)", step=0) + "#" * length
        (site / "ganforge_failing.py").write_text(text)
        kind = where.partition(".")[0]
        told = f"Error: the {kind} 'failing' of {PACKAGE} 1.0 failed: SystemExit: 0\n"
        for command in (("sample", "run"), ("evaluate", "run", "--metric=failing")):
            answer = ganforge(*command)
            assert (answer.code, answer.err) == (1, told)


#: what is replaced in the plugin -> by what, and the message
GARBAGE = {
    "the steps of a game": (
        "[FailingStep(update, draw)]",
        "FailingStep(update, draw)",
        f"Error: steps of the game 'failing' of {PACKAGE} 1.0 must return a list of ganforge.Step,",
    ),
    "what a game calls fake": (
        "super().make_fake()",
        "'noise'",
        f"Error: the game 'failing' of {PACKAGE} 1.0 must give fake as [B, ...], not 'noise'",
    ),
    "augmented samples": (
        "return samples\n",
        "return samples[:, :, :4]\n",
        f"Error: the augmentation 'failing' of {PACKAGE} 1.0 must give samples of shape "
        "[B, 1, 8, 8], float32, not torch.float32 [2, 1, 4, 8]",
    ),
    "numbers of an augmentation": (
        "            return {}",
        "            return {'p': '1'}",
        f"Error: the augmentation 'failing' of {PACKAGE} 1.0 must give scalars to log by name, "
        "not {'p': '1'}",
    ),
    "the length of a data set": (
        "return 400",
        "return -1",
        f"Error: the dataset 'items' of {PACKAGE} 1.0 breaks its contract: ValueError: __len__()",
    ),
    "an item": (
        '{"sample": torch.full((1, 8, 8), index / 400)}',
        "'text'",
        f"Error: the dataset 'items' of {PACKAGE} 1.0 cannot give item ",
    ),
    "samples on another device": (
        ".tanh()",
        ".tanh().to('meta')",
        f"Error: the generator 'failing' of {PACKAGE} 1.0 must give samples of shape "
        "[B, 1, 8, 8], float32, on the cpu, not on meta",
    ),
    "what cannot be shown": (
        "-step.fake_scores.mean()",
        "type('Mute', (), {'__repr__': lambda self: 1 / 0})()",
        f"Error: the loss 'failing' of {PACKAGE} 1.0 must return a scalar tensor for the "
        "generator, not <Mute object>",
    ),
}


@pytest.mark.parametrize(("old", "new", "told"), GARBAGE.values(), ids=GARBAGE)
def test_garbage_is_told_with_what_is_expected(
    ganforge: Command, fake_plugin: FakePlugin, old: str, new: str, told: str
) -> None:
    text = source("nothing")
    assert text.count(old) == 1
    fake_plugin(PACKAGE, text.replace(old, new))
    items = ("--dataset=items", "--workers=0") if "'items'" in told else ()
    answer = ganforge(*USING, *items)
    assert answer.code == 1
    assert answer.err.startswith(told)
    assert answer.err.count("\n") == 1


def test_a_plugin_that_is_gone_is_named_with_what_installs_it(
    ganforge: Command, fake_plugin: FakePlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = fake_plugin(PACKAGE, source("nothing"))
    assert ganforge(*USING, "--steps=1").code == 0
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != str(site)])
    for command in (("train", "--resume=run", "--steps=2"), ("sample", "run")):
        answer = ganforge(*command)
        assert answer.code == 1, answer.text
        assert f"pip install '{PACKAGE}==1.0'" in answer.text
        assert "Traceback" not in answer.err
