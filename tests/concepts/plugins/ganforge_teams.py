"""A game of two generators that share the work: each makes half of the samples of a batch.

After MAD-GAN (Ghosh et al., 2018, arXiv:1704.02906), without its classifier.
"""

from ganforge import GameSpec, hookimpl


@hookimpl
def ganforge_games():
    yield GameSpec(name="team", summary="Two generators take turns", build="ganforge_teams:build")


def build(problem, options):
    import torch
    from torch import nn

    from ganforge import Game, Step

    class TeamStep(Step):
        def make_fake(self):
            with torch.set_grad_enabled(self.update.trains_generator):
                return made(self.update.generator, self.inputs)

    def made(team, inputs):
        half = (len(inputs) + 1) // 2
        return torch.cat([team[0](inputs[:half]), team[1](inputs[half:])])

    class Team(Game):
        step_class = TeamStep

        def build_generator(self, make):
            return nn.ModuleList([make(self.problem), make(self.problem)])

        def generate(self, generator, inputs, **conditions):
            return made(generator, inputs)

    return Team(problem, options)
