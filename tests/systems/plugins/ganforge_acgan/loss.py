"""The log-likelihood of the right class, L_C of ACGAN."""

from torch.nn.functional import cross_entropy

from ganforge import Loss


class AuxiliaryClassifier(Loss):
    """-E log P(C = c | x) - E log P(C = c | G(c, z)), which both networks want to be small.

    Odena et al., 2017, equation 3; the first does not depend on the generator.
    """

    def __init__(self, problem, options):
        super().__init__()

    def discriminator_loss(self, step):
        real = cross_entropy(step.trace("real.classes"), step.labels)
        return real + self.generator_loss(step)

    def generator_loss(self, step):
        return cross_entropy(step.trace("fake.classes"), step.fake_labels)
