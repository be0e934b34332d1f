"""The source of a plugin with a component of each kind, one function of which fails at step 7."""

from __future__ import annotations

PACKAGE = "ganforge-failing"

_SOURCE = '''
from pathlib import Path

from ganforge import (
    ANY_SHAPES, AugmentationSpec, CallbackSpec, DatasetSpec, DiscriminatorSpec, FeaturesSpec,
    Field, FormatSpec, GameSpec, GeneratorSpec, LossSpec, MetricSpec, OptimizerSpec, SamplerSpec,
    hookimpl,
)

WHERE, STEP = {where!r}, [0]

def at(where):
    """Fail here, where this is the place and the time."""
    if where == WHERE and STEP[0] >= {step}:
        {action}

def spec(cls, name="failing", **said):
    build = f"ganforge_failing:{{cls.kind}}_{{name.replace('-', '_')}}"
    return cls(name=name, summary="s", build=build, **said)

SHAPE = {{"sample": Field(kind="image", shape=(1, 8, 8))}}

@hookimpl
def ganforge_generators():
    yield spec(GeneratorSpec, shapes=ANY_SHAPES, discriminator="ganforge-failing/failing")

@hookimpl
def ganforge_discriminators():
    yield spec(DiscriminatorSpec, shapes=ANY_SHAPES)

@hookimpl
def ganforge_losses():
    yield spec(LossSpec)

@hookimpl
def ganforge_datasets():
    yield spec(DatasetSpec, fields=lambda options: SHAPE)
    yield spec(DatasetSpec, "items", fields=lambda options: SHAPE)

@hookimpl
def ganforge_samplers():
    yield spec(SamplerSpec, input_shape=lambda options, fields: (4,))

@hookimpl
def ganforge_games():
    yield spec(GameSpec)

@hookimpl
def ganforge_augmentations():
    yield spec(AugmentationSpec)

@hookimpl
def ganforge_metrics():
    yield spec(MetricSpec, reads=("features",), features="ganforge-failing/failing")

@hookimpl
def ganforge_features():
    yield spec(FeaturesSpec)

@hookimpl
def ganforge_callbacks():
    yield spec(CallbackSpec)

@hookimpl
def ganforge_optimizers():
    yield spec(OptimizerSpec)

def __getattr__(name):
    if name.startswith("_") or "_failing" not in name and "_items" not in name:
        raise AttributeError(name)
    import torch
    from torch import nn
    import ganforge as g

    class generator_failing(nn.Module):
        def __init__(self, problem, options):
            super().__init__()
            self.layer = nn.Linear(4, 64)

        def forward(self, inputs):
            at("generator.forward")
            return self.layer(inputs).tanh().reshape(-1, 1, 8, 8)

    class discriminator_failing(nn.Module):
        def __init__(self, problem, options):
            super().__init__()
            self.layer = nn.Linear(64, 1)

        def forward(self, samples):
            at("discriminator.forward")
            return self.layer(samples.flatten(1))[:, 0]

    class Backward(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, gradient):
            at("loss.backward")
            return gradient

    class loss_failing(g.Loss):
        def discriminator_loss(self, step):
            STEP[0] = step.progress.step + 1
            at("loss.discriminator_loss")
            return Backward.apply(step.fake_scores.mean() - step.real_scores.mean())

        def generator_loss(self, step):
            at("loss.generator_loss")
            return -step.fake_scores.mean()

        def observe(self, observed):
            at("loss.observe")

        def constrain_discriminator(self, discriminator):
            at("loss.constrain_discriminator")

    class dataset_failing(g.EndlessDataset):
        def __init__(self, problem, options):
            pass

        def draw(self, n, generator):
            at("dataset.draw")
            return g.Batch(torch.rand(n, 1, 8, 8, generator=generator))

        def describe(self):
            at("dataset.describe")
            return "noise"

    class dataset_items(g.MapDataset):
        def __init__(self, problem, options):
            pass

        def __len__(self):
            return 400

        def __getitem__(self, index):
            if index == 77:
                STEP[0] = 99
                at("items.__getitem__")
            return {{"sample": torch.full((1, 8, 8), index / 400)}}

    class sampler_failing(g.Sampler):
        def sample(self, n, *, generator, real=None):
            at("sampler.sample")
            return g.Inputs(torch.randn(n, 4, generator=generator))

    class FailingStep(g.Step):
        def make_fake(self):
            at("game.make_fake")
            return super().make_fake()

    class game_failing(g.Game):
        def steps(self, update, draw):
            at("game.steps")
            return [FailingStep(update, draw)]

    class augmentation_failing(g.Augmentation):
        def forward(self, samples, generator, progress):
            at("augmentation.forward")
            return samples

        def observe(self, observed):
            at("augmentation.observe")

        def metrics(self):
            at("augmentation.metrics")
            return {{}}

    class metric_failing(g.Metric):
        def measure(self, evaluation):
            at("metric.measure")
            return {{"x": float(evaluation.fake_features.features.mean())}}

    class features_failing(g.FeatureExtractor):
        def fingerprint(self):
            return "failing"

        def extract(self, samples):
            at("features.extract")
            return g.Extracted(samples.flatten(1))

    class callback_failing(g.Callback):
        def metrics(self, step, values):
            at("callback.metrics")

        def picture(self, step, picture):
            at("callback.picture")

        def saved(self, step, checkpoint):
            at("callback.saved")

        def ended(self, state):
            at("callback.ended")

        def next_command(self):
            at("callback.next_command")

    class optimizer_failing(torch.optim.SGD):
        def __init__(self, parameters, options):
            super().__init__(parameters, lr=0.01)

        def step(self, closure=None):
            at("optimizer.step")
            return super().step(closure)

    return locals()[name]
'''


def source(where: str, action: str = "raise ValueError('no more')", step: int = 7) -> str:
    """The plugin; `where` is `sampler.sample`, and `action` a statement."""
    return _SOURCE.format(where=where, action=action, step=step)
