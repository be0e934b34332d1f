"""An optimizer of one's own: Lion (Chen et al., 2023, arXiv:2302.06675, algorithm 2)."""

from dataclasses import dataclass

from ganforge import OptimizerSpec, Schedule, hookimpl, option


@dataclass(frozen=True, kw_only=True)
class Options:
    learning_rate: float | Schedule = option(1e-4, help="step size", above=0.0, scheduled=True)
    betas: tuple[float, float] = option((0.9, 0.99), help="decays", minimum=0.0, below=1.0)


@hookimpl
def ganforge_optimizers():
    yield OptimizerSpec(
        name="lion", summary="Signs of the momentum", build="ganforge_steps:build", options=Options
    )


def build(parameters, options):
    import torch

    class Lion(torch.optim.Optimizer):
        @torch.no_grad()
        def step(self):
            for group in self.param_groups:
                first, second = group["betas"]
                for parameter in group["params"]:
                    if parameter.grad is None:
                        continue
                    state = self.state[parameter]
                    if not state:
                        state["momentum"] = torch.zeros_like(parameter)
                    direction = state["momentum"].lerp(parameter.grad, 1 - first).sign()
                    parameter.sub_(group["lr"] * direction)
                    state["momentum"].lerp_(parameter.grad, 1 - second)

    return Lion(parameters, {"lr": options.learning_rate, "betas": options.betas})
