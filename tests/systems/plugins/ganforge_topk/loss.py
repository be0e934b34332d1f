"""Top-k training of GANs (Sinha et al., 2020, arXiv:2002.06224)."""

from torch.nn.functional import relu, softplus

from ganforge import Loss, averaged


class TopK(Loss):
    """A usual loss, but of the generator over the k highest scores alone (algorithm 1).

    k falls from the size of the batch to nu times that; the paper's max(gamma^epoch B, nu B) is an
    exponential schedule from 1 to nu. Of a batch in parts, the best of each part are taken. A
    sample with several scores, one for each patch, is as good as their mean.
    """

    def __init__(self, problem, options):
        super().__init__()
        self.share = options.share
        self.hinge = options.loss == "hinge"

    def discriminator_loss(self, step):
        return averaged(self.told_apart, step.real_scores, step.fake_scores)

    def told_apart(self, real, fake):
        if self.hinge:
            return relu(1 - real).mean() + relu(1 + fake).mean()
        return softplus(-real).mean() + softplus(fake).mean()

    def generator_loss(self, step):
        share = step.progress.value(self.share)

        def best(scores):
            k = max(round(share * len(scores)), 1)
            chosen = scores.detach().reshape(len(scores), -1).mean(1).topk(k).indices
            scores = scores[chosen]
            return -scores.mean() if self.hinge else softplus(-scores).mean()

        return averaged(best, step.fake_scores)
