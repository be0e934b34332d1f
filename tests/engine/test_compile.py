"""Compiled networks compute what the others do, and are not compiled where that would be wrong."""

from __future__ import annotations

import shutil

import pytest
import torch

from ganforge.errors import DeviceError

needs_compiler = pytest.mark.skipif(
    shutil.which("g++") is None, reason="torch.compile needs a C++ compiler"
)


@needs_compiler
@pytest.mark.filterwarnings("default")  # what torch.compile itself warns of
def test_compiled_networks_train_to_the_same_weights(make_trainer):
    plain = make_trainer(name="plain")
    compiled = make_trainer("execution.compile=true", name="compiled")
    for _ in range(3):
        plain.train_step()
        compiled.train_step()
    for name in ("generator", "discriminator"):
        left = plain.assembly.training.sides[name].network
        right = compiled.assembly.training.sides[name].network
        assert right._compiled_call_impl is not None
        assert left._compiled_call_impl is None
        assert left.state_dict().keys() == right.state_dict().keys()
        for ours, theirs in zip(left.parameters(), right.parameters(), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


def test_a_network_that_a_term_differentiates_twice_is_not_compiled(make_trainer):
    with pytest.warns(UserWarning, match="the discriminator is not compiled, since 'r1'"):
        a = make_trainer("execution.compile=true", losses=("nonsat", "r1")).assembly
    assert a.training.sides.generator.network._compiled_call_impl is not None
    assert a.training.sides.discriminator.network._compiled_call_impl is None
    assert a.training.sides.ema.module._compiled_call_impl is None


def test_without_a_compiler_there_is_an_error_that_says_so(make_trainer, monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(DeviceError, match="needs the C\\+\\+ compiler 'no-such-compiler'"):
        make_trainer("execution.compile=true")
