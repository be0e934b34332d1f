"""What the engine does for systems: state, growth, terms with networks, batches in parts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable

import pytest
import torch

from ganforge.device.execution import Execution
from ganforge.engine.signals import StopRequest
from ganforge.engine.trainer import Trainer
from ganforge.plugin.discovery import discover
from ganforge.sampling.trained_generator import open_generator
from tests.systems.harness import NUM_STEPS, System, Workshop, final
from tests.systems.test_systems import SYSTEMS

Prepare = Callable[[System], Workshop]

#: one for each way in which an update has more than scores: state, traces, a game, packs, a fit
IN_PARTS = ("StyleGAN2", "ADA", "VAE-GAN", "CUT", "CTGAN", "bCR", "gradient normalisation")


@pytest.mark.parametrize("name", IN_PARTS)
def test_a_batch_may_come_in_parts(name: str, workshop: Prepare) -> None:
    place = workshop(SYSTEMS[name])
    whole = final(place.train("whole"))
    parts = final(place.train("parts", "training.num_accumulation_steps=2"))
    assert parts.keys() == whole.keys()
    assert all(it.isfinite().all() for it in parts.values())
    assert not all(torch.equal(whole[it], parts[it]) for it in whole)


def test_state_moves_once_per_update_however_many_parts_the_batch_has(workshop: Prepare) -> None:
    place = workshop(SYSTEMS["ADA"])
    seen = []
    for parts in (1, 2, 4):
        trained = place.trainer(f"in-{parts}", f"training.num_accumulation_steps={parts}")
        module = trained.assembly.training.augmenting.chosen[0].module
        observe, calls = module.observe, []
        module.observe = lambda observed, calls=calls, observe=observe: (
            calls.append(len(observed.real_scores)),
            observe(observed),
        )
        trained.train()
        seen.append(calls)
    assert seen == [[8] * NUM_STEPS] * 3


def growth(trained: Trainer) -> list[tuple[int, float]]:
    sides = trained.assembly.training.sides
    modules = (sides.generator.network, sides.discriminator.network, sides.ema.module)
    return [(it.growth.level, it.growth.alpha) for it in modules]


def test_a_growing_network_its_partner_and_its_average_are_at_one_place(workshop: Prepare) -> None:
    place = workshop(SYSTEMS["progressive growing"])
    trained = place.trainer("growing", "training.num_discriminator_steps=3")
    places = []
    for _ in range(NUM_STEPS):
        trained.train_step()
        generator, discriminator, average = growth(trained)
        assert generator == discriminator == average
        places.append(generator)
    assert places[0][0] < places[-1][0]


def test_a_grown_generator_is_sampled_from_as_grown_as_it_was(workshop: Prepare) -> None:
    trained = workshop(SYSTEMS["progressive growing"]).train("grown")
    average = trained.assembly.source.network
    opened = open_generator(
        trained.run.generator, discover().registry, Execution(device=torch.device("cpu"))
    ).source.network
    assert opened.growth.level == average.growth.level > 0
    latents = torch.randn(3, *trained.assembly.problem.input_shape)
    with torch.inference_mode():
        assert torch.equal(opened(latents), average.eval()(latents))


def test_a_term_is_trained_with_the_side_that_its_spec_names(workshop: Prepare) -> None:
    trained = workshop(SYSTEMS["InfoGAN"]).trainer("heads")
    training = trained.assembly.training
    (term,) = (it for it in training.objective.terms if it.name.endswith("information"))
    before = term.loss.category.weight.detach().clone()
    trained.train_step()
    assert not torch.equal(before, term.loss.category.weight)
    side = training.sides.by_name[term.selection.spec.parameters]
    assert id(term.loss.category.weight) in {id(it) for it in side.parameters}


WARM = ("generator.init=runs/ancestor", "discriminator.init=runs/ancestor")


def test_a_warm_start_does_not_need_its_ancestor_again(workshop: Prepare) -> None:
    place = workshop(SYSTEMS["DRAGAN"])
    place.train("ancestor")
    child = place.trainer("child", *WARM)
    assert (
        child.train(StopRequest(lambda: "interrupted" if child.step >= NUM_STEPS // 2 else None))
        == "interrupted"
    )
    shutil.rmtree("runs/ancestor")
    answer = place.cli("train", "--resume", place.folder / "runs" / "child")
    assert answer.code == 0, answer.err


def test_a_warm_start_is_written_down(workshop: Prepare) -> None:
    place = workshop(SYSTEMS["DRAGAN"])
    place.train("ancestor")
    child = place.folder / "runs" / "child"
    settings = [it for setting in WARM for it in ("--set", setting)]
    answer = place.cli("train", "--config", "runs/ancestor/config.toml", *settings, "--out", child)
    assert answer.code == 0, answer.err
    (session,) = json.loads((child / "environment.json").read_text())["sessions"]
    for side in ("generator", "discriminator"):
        assert session["init"][side]["loaded"] > 0
        assert len(session["init"][side]["digest"]) == 32


def test_a_warm_start_begins_with_the_average_of_its_ancestor(workshop: Prepare) -> None:
    place = workshop(SYSTEMS["DRAGAN"])
    stored = final(place.train("ancestor"))
    sides = place.trainer("child", *WARM).assembly.training.sides
    for name, tensor in sides.generator.network.state_dict().items():
        assert torch.equal(tensor, stored[f"ema/{name}"])
    for name, tensor in sides.discriminator.network.state_dict().items():
        assert torch.equal(tensor, stored[f"discriminator/{name}"])
    with pytest.warns(UserWarning, match=r"generator\.init: \d+ of \d+ tensors start from runs/"):
        place.trainer("wider", "generator.init=runs/ancestor", "generator.width=5")
