"""The game of PacGAN: what is judged is a pack of samples (Lin et al., 2018, section 3)."""

from dataclasses import replace
from functools import cached_property

from ganforge import Game, Step


def names_of(name, size):
    """The names of a condition of each sample in a pack."""
    return tuple(f"{name}-{number}" for number in range(1, size + 1))


class PackedStep(Step):
    """Packs of real samples against packs of G(z), each told the conditions of all in it."""

    def __init__(self, update, draw, size):
        super().__init__(update, draw)
        self.size = size

    def packed(self, samples):
        """Samples `[B, C, ...]` to `[B / m, m C, ...]`."""
        return samples.unflatten(0, (-1, self.size)).flatten(1, 2)

    def spread(self, conditions):
        """Conditions, and beside each that of the first in every pack, of the second, and so on."""
        found = dict(conditions)
        for name, values in conditions.items():
            of_each = values.unflatten(0, (-1, self.size)).unbind(1)
            found |= zip(names_of(name, self.size), of_each, strict=True)
        return found

    def make_real(self):
        return self.packed(super().make_real())

    def make_fake(self):
        return self.packed(super().make_fake())

    @cached_property
    def real_conditions(self):
        return self.spread(super().real_conditions)

    @cached_property
    def fake_conditions(self):
        return self.spread(super().fake_conditions)


class Packed(Game):
    """The usual game, in packs of samples that are joined along their first axis."""

    def build_discriminator(self, make, problem):
        told = {
            name: field
            for condition, field in problem.conditions.items()
            for name in names_of(condition, self.options.size)
        }
        return make(replace(problem, conditions=told))

    def steps(self, update, draw):
        size, keywords = self.options.size, {}
        for keyword, names in update.discriminator_keywords.items():
            several = "labels" if keyword == "label" and size > 1 else keyword
            keywords[several] = tuple(it for name in names for it in names_of(name, size))
        update = replace(update, discriminator_keywords=keywords)
        return [PackedStep(update, draw, size)]
