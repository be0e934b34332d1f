"""The lower bound of the mutual information between codes and samples, and Q with it."""

from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

from ganforge import Loss


class Information(Loss):
    """-L_I without its constants (Chen et al., 2016, equation 5).

    Q is a layer and two heads on the discriminator's features: logits of the category, and the
    means of continuous codes, whose deviation is 1, as in the authors' code. Like there it is
    trained with the discriminator, and both networks want the bound to be large. Batch
    normalisation is left out: its statistics would be state that moves in a call.
    """

    def __init__(self, problem, options):
        super().__init__()
        self.features, self.code_weight = options.features, options.code_weight
        sizes = {name: end - start for name, (start, end) in problem.parts.items()}
        self.shared = nn.Sequential(nn.Linear(options.features, options.hidden), nn.LeakyReLU(0.1))
        self.category = nn.Linear(options.hidden, sizes["category"])
        self.code = nn.Linear(options.hidden, sizes["code"])

    def discriminator_loss(self, step):
        return self.generator_loss(step)

    def generator_loss(self, step):
        features = step.trace("fake.features")
        if features.shape[1] != self.features:
            raise ValueError(
                f"features is {self.features}, and the discriminator gives {features.shape[1]}"
            )
        shared = self.shared(features)
        category = cross_entropy(self.category(shared), step.part("category"))
        # The negative logarithm of a normal density of deviation 1, summed over the codes.
        code = mse_loss(self.code(shared), step.part("code")) * self.code.out_features / 2
        return category + self.code_weight * code
