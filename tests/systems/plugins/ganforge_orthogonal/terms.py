"""Penalties on weights: what the filters of a layer have in common."""

import torch

from ganforge import Loss


def overlap(weight, *, diagonal):
    """|W W^T (1 - I)|^2, and |W W^T - I|^2 with the diagonal, for a weight `[rows, ...]`.

    Brock et al., 2019, equation 3, and Brock et al., 2017, equation 1. A row is a filter. BigGAN
    writes W^T W; in its code, as here, it is the filters that are at right angles.
    """
    rows = weight.flatten(1)
    products = rows @ rows.T
    if diagonal:
        return (products - torch.eye(len(rows), device=rows.device)).square().sum()
    # The squared norms are taken away, so that no mask is made of them.
    return products.square().sum() - products.diagonal().square().sum()


class Orthogonal(Loss):
    """beta times the overlap, summed over the weights of two axes or more.

    Vectors, such as the gains of a normalisation, have nothing to be orthogonal to.
    """

    def __init__(self, problem, options):
        super().__init__()
        self.beta = options.beta
        self.diagonal = options.diagonal

    def penalty(self, step, side):
        weights = [it for it in step.weights(side) if it.dim() > 1]
        total = sum(overlap(it, diagonal=self.diagonal) for it in weights)
        return step.progress.value(self.beta) * total


class OrthogonalGenerator(Orthogonal):
    def generator_loss(self, step):
        return self.penalty(step, "generator")


class OrthogonalDiscriminator(Orthogonal):
    def discriminator_loss(self, step):
        return self.penalty(step, "discriminator")
