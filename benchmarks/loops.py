"""The two loops that the engine is measured against, both written by hand.

Both train the networks that they are given by the same mathematics as the engine does: the
non-saturating loss (Goodfellow et al., 2014), one discriminator update and one generator update per
step, the generator's on fresh latents unless `reuse_fakes` is set.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from pictures import PILPictures
from torch import Tensor, nn
from torch.nn.functional import softplus
from torch.optim import Adam
from torch.utils.data import DataLoader
from torchvision import transforms


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """What the loops share with the engine's configuration."""

    batch_size: int
    latent_size: int
    learning_rate: float
    betas: tuple[float, float]
    epsilon: float
    half_life: float
    ramp_up: float
    device: torch.device

    def adam(self, network: nn.Module, *, fused: bool) -> Adam:
        return Adam(
            network.parameters(),
            self.learning_rate,
            self.betas,
            self.epsilon,
            fused=fused or None,
        )


class BestLoop:
    """What an expert writes for these two networks alone.

    In it: uint8 pictures in memory on the device, `[N, H, W, C]`, cut by `index_select` from one
    shuffled order per pass and scaled per batch; channels-last networks; fused Adam; no graph for
    the discriminator's fakes unless they are reused; no weight gradients of the discriminator in
    the generator's update; no value read back; the moving average of the generator, which is what
    the engine trains too.

    Not in it, and so part of what the engine is measured for: the check for values that are not
    finite, the norms of the gradients, the means of losses and scores, the lines of metrics, draws
    that follow from seed and step alone, the counters, and all choice between components.
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        pictures: Tensor,
        hyper: Hyperparameters,
        *,
        reuse_fakes: bool,
    ) -> None:
        """`pictures` are uint8 `[N, C, H, W]`; the networks are on the device, channels-last."""
        self.generator, self.discriminator = generator, discriminator
        self.hyper, self.reuse_fakes = hyper, reuse_fakes
        self.pictures = pictures.permute(0, 2, 3, 1).contiguous().to(hyper.device)
        self.generator_adam = hyper.adam(generator, fused=True)
        self.discriminator_adam = hyper.adam(discriminator, fused=True)
        self.parameters = list(generator.parameters())
        self.order = torch.empty(0, dtype=torch.int64)
        self.used = self.images = 0
        self.average = copy.deepcopy(generator).requires_grad_(False).eval()
        ours, theirs = _state(self.average), _state(generator)
        self.averaged = [t for t in ours if t.is_floating_point()]
        self.sources = [t for t in theirs if t.is_floating_point()]
        self.copies = [
            (a, b) for a, b in zip(ours, theirs, strict=True) if not a.is_floating_point()
        ]

    def real(self) -> Tensor:
        """The next batch `[B, C, H, W]`, float32 in [-1, 1]."""
        size = self.hyper.batch_size
        if self.used + size > len(self.order):
            self.order = torch.randperm(len(self.pictures)).to(self.hyper.device)
            self.used = 0
        indices = self.order[self.used : self.used + size]
        self.used += size
        batch = self.pictures.index_select(0, indices).to(torch.float32)
        return batch.div_(127.5).sub_(1.0).permute(0, 3, 1, 2)

    def latents(self) -> Tensor:
        """The next latents `[B, Z]`."""
        return torch.randn(self.hyper.batch_size, self.hyper.latent_size, device=self.hyper.device)

    def step(self) -> tuple[Tensor, Tensor]:
        """One step; the losses of the discriminator and the generator, on the device."""
        generator, discriminator = self.generator, self.discriminator
        real, latents = self.real(), self.latents()
        with torch.set_grad_enabled(self.reuse_fakes):
            fake = generator(latents)
        d_loss = softplus(-discriminator(real)).mean()
        d_loss = d_loss + softplus(discriminator(fake.detach())).mean()
        self.discriminator_adam.zero_grad()
        d_loss.backward()
        self.discriminator_adam.step()

        if not self.reuse_fakes:
            fake = generator(self.latents())
        g_loss = softplus(-discriminator(fake)).mean()
        self.generator_adam.zero_grad()
        g_loss.backward(inputs=self.parameters)
        self.generator_adam.step()
        self._update_average()
        return d_loss.detach(), g_loss.detach()

    @torch.no_grad()
    def _update_average(self) -> None:
        self.images += self.hyper.batch_size
        half_life = min(self.hyper.half_life, self.hyper.ramp_up * self.images)
        weight = 1.0 - 0.5 ** (self.hyper.batch_size / half_life)
        torch._foreach_lerp_(self.averaged, self.sources, weight)
        for ours, theirs in self.copies:
            ours.copy_(theirs)


def _state(module: nn.Module) -> list[Tensor]:
    return [p.detach() for p in module.parameters()] + list(module.buffers())


class TutorialLoop:
    """What tutorials teach, `.item()` each step included.

    PIL images through torchvision's transforms and a DataLoader; contiguous networks; Adam as it
    comes; cross-entropy with filled targets; fakes generated once for the discriminator and again
    for the generator; the generator's backward pass through all of the discriminator's weights. No
    moving average.
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        hyper: Hyperparameters,
        *,
        count: int,
        size: int | None,
        workers: int,
    ) -> None:
        """The first `count` pictures, resized to `size` one by one unless that is None."""
        contiguous = torch.contiguous_format
        self.generator = generator.to(memory_format=contiguous)
        self.discriminator = discriminator.to(memory_format=contiguous)
        self.hyper = hyper
        self.generator_adam = hyper.adam(generator, fused=False)
        self.discriminator_adam = hyper.adam(discriminator, fused=False)
        self.criterion = nn.BCEWithLogitsLoss()
        resize = [] if size is None else [transforms.Resize(size)]
        to_tensor = [transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))]
        self.loader = DataLoader(
            PILPictures(count, transforms.Compose([*resize, *to_tensor])),
            batch_size=hyper.batch_size,
            shuffle=True,
            drop_last=True,
            num_workers=workers,
            persistent_workers=workers > 0,
        )
        self.batches = self._batches()
        self.history: list[tuple[float, float]] = []

    def _batches(self) -> Iterator[Tensor]:
        while True:
            for images, _ in self.loader:
                yield images

    def latents(self) -> Tensor:
        return torch.randn(self.hyper.batch_size, self.hyper.latent_size, device=self.hyper.device)

    def step(self) -> None:
        """One step."""
        generator, discriminator = self.generator, self.discriminator
        real = next(self.batches).to(self.hyper.device)
        valid = torch.ones(len(real), device=self.hyper.device)
        invalid = torch.zeros(len(real), device=self.hyper.device)

        self.discriminator_adam.zero_grad()
        fake = generator(self.latents())
        d_loss = self.criterion(discriminator(real), valid)
        d_loss = d_loss + self.criterion(discriminator(fake.detach()), invalid)
        d_loss.backward()
        self.discriminator_adam.step()

        self.generator_adam.zero_grad()
        g_loss = self.criterion(discriminator(generator(self.latents())), valid)
        g_loss.backward()
        self.generator_adam.step()
        self.history.append((d_loss.item(), g_loss.item()))
