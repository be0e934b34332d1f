"""The patchwise contrastive loss of CUT."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy, normalize

from ganforge import Loss


class PatchNCE(Loss):
    """L_PatchNCE(G, H, X) + identity * L_PatchNCE(G, H, Y) (equations 2, 3 and 5).

    A place of the output is to be told by its features from other places of the same image: those
    of the same place of the input are to be nearest. H, two layers on the features of each level,
    belongs to this term. What the input gives is a constant.
    """

    def __init__(self, problem, options):
        super().__init__()
        self.patches, self.temperature = options.patches, options.temperature
        self.identity = options.identity
        self.heads = nn.ModuleList(
            nn.Sequential(
                nn.Linear(channels, options.size), nn.ReLU(), nn.Linear(options.size, options.size)
            )
            for channels in (problem.sample_shape[0], *options.channels)
        )

    def generator_loss(self, step):
        loss = self.contrast(step.fake_features, step.trace("generated.features"))
        if self.identity:
            loss = loss + self.identity * self.contrast(
                step.identity_features, step.target_features
            )
        return loss

    def contrast(self, outputs, inputs):
        """The mean over levels, lists of `[B, C, H, W]`, as in the code of the paper."""
        levels = [
            self.level(head, output, given)
            for head, output, given in zip(self.heads, outputs, inputs, strict=True)
        ]
        return torch.stack(levels).mean()

    def level(self, head, output, given):
        num = output.shape[2] * output.shape[3]
        places = torch.randperm(num, device=output.device)[: self.patches]
        queries = self.vectors(head, output, places)
        with torch.no_grad():
            keys = self.vectors(head, given, places)
        # [B, S, S]: the place that belongs to a query is on the diagonal.
        logits = queries @ keys.transpose(1, 2) / self.temperature
        belonging = torch.arange(len(places), device=logits.device).expand(len(logits), -1)
        return cross_entropy(logits.flatten(0, 1), belonging.flatten())

    def vectors(self, head, features, places):
        """Unit vectors `[B, S, D]` of the features at some places."""
        return normalize(head(features.flatten(2)[:, :, places].transpose(1, 2)), dim=2)
