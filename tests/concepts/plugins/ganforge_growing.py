"""A network that grows: a finer layer is faded in with progress (Karras et al., 2018).

Both networks are told the progress, the generator's average too; nothing of it is stored.
"""

from ganforge import DiscriminatorSpec, GeneratorSpec, ImageShapes, hookimpl

SQUARES = (ImageShapes(square=True, minimum=8, multiple_of=4),)


@hookimpl
def ganforge_generators():
    yield GeneratorSpec(
        name="growing",
        summary="Coarse first",
        build="ganforge_growing:generator",
        shapes=SQUARES,
        discriminator="growing",
    )


@hookimpl
def ganforge_discriminators():
    yield DiscriminatorSpec(
        name="growing",
        summary="Coarse first",
        build="ganforge_growing:discriminator",
        shapes=SQUARES,
        batch_independent=True,
    )


def faded(progress):
    """The weight of the finer layer: 0 in the first third, 1 in the last."""
    return min(1.0, max(0.0, 3 * progress.share - 1))


def generator(problem, options):
    from torch import nn
    from torch.nn.functional import interpolate

    channels, side, _ = problem.sample_shape

    class Growing(nn.Module):
        def __init__(self):
            super().__init__()
            self.alpha = 0.0
            self.start = nn.Linear(problem.input_shape[0], 4 * (side // 4) ** 2)
            self.coarse = nn.Conv2d(4, channels, 1)
            self.fine = nn.Conv2d(4, channels, 3, padding=1)

        def set_progress(self, progress):
            self.alpha = faded(progress)

        def forward(self, inputs):
            grid = self.start(inputs).relu().view(-1, 4, side // 4, side // 4)
            coarse = interpolate(self.coarse(grid), scale_factor=4)
            fine = self.fine(interpolate(grid, scale_factor=4))
            return ((1 - self.alpha) * coarse + self.alpha * fine).tanh()

    return Growing()


def discriminator(problem, options):
    from torch import nn
    from torch.nn.functional import avg_pool2d

    channels, side, _ = problem.sample_shape

    class Growing(nn.Module):
        def __init__(self):
            super().__init__()
            self.alpha = 0.0
            self.coarse = nn.Conv2d(channels, 4, 1)
            self.fine = nn.Conv2d(channels, 4, 4, stride=4)
            self.score = nn.Linear(4 * (side // 4) ** 2, 1)

        def set_progress(self, progress):
            self.alpha = faded(progress)

        def forward(self, samples):
            coarse, fine = self.coarse(avg_pool2d(samples, 4)), self.fine(samples)
            grid = (1 - self.alpha) * coarse + self.alpha * fine
            return self.score(grid.relu().flatten(1)).squeeze(1)

    return Growing()
