"""Every system of the field that is here as a plugin from outside, put through the same tests."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import pytest

from tests.systems.harness import (
    PLUGINS,
    System,
    Workshop,
    is_sampled_alone,
    is_seen,
    keeps_every_contract,
    resumes_to_the_bit,
    uses_the_public_interface_alone,
)

#: modules beside this one, each with a dictionary of systems by name
GROUPS = ("regularisation", "architectures", "conditions", "kinds_of_data")
SYSTEMS: dict[str, System] = {}
for group in GROUPS:
    SYSTEMS |= import_module(f"tests.systems.{group}").SYSTEMS


def test_every_plugin_is_a_system():
    folders = {it.name for it in PLUGINS.iterdir() if (it / "__init__.py").is_file()}
    assert folders == {system.module for system in SYSTEMS.values()}


@pytest.mark.parametrize("name", SYSTEMS)
def test_it_uses_the_public_interface_alone(name: str):
    uses_the_public_interface_alone(SYSTEMS[name])


@pytest.mark.parametrize("name", SYSTEMS)
def test_it_trains_resumes_to_the_bit_is_seen_and_is_sampled_from_alone(
    name: str, workshop: Callable[[System], Workshop]
):
    place = workshop(SYSTEMS[name])
    trained = resumes_to_the_bit(place)
    is_seen(place, trained)
    is_sampled_alone(place, trained)


#: three quarters of the time that the kit takes on all systems
LONG = (
    *("CTGAN", "FastGAN", "ACGAN", "CUT", "VQGAN", "SPADE", "SAGAN", "SRGAN", "SRResNet"),
    *("pix2pix of two folders", "pix2pix of halves", "Gumbel-softmax text", "WaveGAN"),
    *("gradient normalisation", "VAE-GAN", "feature matching", "SNGAN with projection"),
    *("StackGAN", "3D-GAN", "forty attributes"),
)


@pytest.mark.parametrize(
    "name", [pytest.param(it, marks=pytest.mark.slow) if it in LONG else it for it in SYSTEMS]
)
def test_it_passes_the_kit(name: str, workshop: Callable[[System], Workshop]):
    keeps_every_contract(workshop(SYSTEMS[name]).system)
