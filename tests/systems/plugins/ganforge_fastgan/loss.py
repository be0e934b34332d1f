"""The self-supervision of FastGAN's discriminator."""

from torch.nn.functional import l1_loss

from ganforge import Loss


class SelfSupervision(Loss):
    """E |G(f) - T(x)| over features f of real samples x (Liu et al., 2021, equation 3).

    The authors' code measures the distance by LPIPS, whose network has weights from elsewhere; here
    it is the mean absolute one. What was shown is as it was augmented.
    """

    def __init__(self, problem, options):
        super().__init__()

    def discriminator_loss(self, step):
        pairs = zip(step.trace("real.decoded"), step.trace("real.shown"), strict=True)
        return sum(l1_loss(decoded, shown.detach()) for decoded, shown in pairs)
