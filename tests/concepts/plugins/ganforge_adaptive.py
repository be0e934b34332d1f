"""An adaptive augmentation: its brightness follows how sure the discriminator is."""

from ganforge import ANY_SHAPES, AugmentationSpec, hookimpl


@hookimpl
def ganforge_augmentations():
    yield AugmentationSpec(
        name="flicker",
        summary="Brightness that adapts",
        build="ganforge_adaptive:build",
        shapes=ANY_SHAPES,
    )


def build(problem, options):
    import torch

    from ganforge import Augmentation

    class Flicker(Augmentation):
        def __init__(self):
            super().__init__(problem, options)
            self.register_buffer("strength", torch.zeros(()))

        def forward(self, samples, generator, progress):
            shape = (len(samples), *[1] * (samples.dim() - 1))
            noise = torch.randn(shape, generator=generator, device=samples.device)
            return samples + self.strength * noise

        def observe(self, observed):
            sure = observed.real_scores.sign().mean()
            self.strength.add_(0.05 * sure).clamp_(0.0, 1.0)

        def metrics(self):
            return {"strength": self.strength.clone()}

    return Flicker()
