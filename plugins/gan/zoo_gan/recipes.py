"""The recipes: each is the shared step with what its two players minimise.

minimax: L_D = -E log s(D(x)) - E log(1 - s(D(G(z)))), L_G = E log(1 - s(D(G(z)))); Goodfellow et al., 2014, eq. 1.
non_saturating: the same L_D, L_G = -E log s(D(G(z))); the same paper, section 3.
least_squares: L_D = E (D(x) - 1)^2 / 2 + E D(G(z))^2 / 2, L_G = E (D(G(z)) - 1)^2 / 2; Mao et al., 2017, eq. 9.
hinge: L_D = E max(0, 1 - D(x)) + E max(0, 1 + D(G(z))), L_G = -E D(G(z)); Lim and Ye, 2017; Miyato et al., 2018.
wasserstein_gan: L_D = E D(G(z)) - E D(x) + w E (|grad D(u)| - 1)^2 with u between x and G(z), L_G = -E D(G(z));
Gulrajani et al., 2017.
relativistic: L_D = E softplus(D(G(z)) - D(x)) + w/2 (E |grad D(x)|^2 + E |grad D(G(z))|^2), L_G = E softplus(D(x) -
D(G(z))); Huang et al., 2024 (R3GAN).
freeze_discriminator: L_D and L_G of non_saturating on new data, the lower stages of D kept; Mo et al., 2020.
"""

from functools import partial

from torch import nn

import zoo
from zoo_gan import objectives
from zoo_gan.settings import (
    FreezeDiscriminatorSettings,
    RelativisticSettings,
    WassersteinSettings,
)
from zoo_gan.training import AdversarialTraining, Penalty

Classes = tuple[str, ...]


minimax = partial(AdversarialTraining, objective=objectives.MINIMAX)
non_saturating = partial(AdversarialTraining, objective=objectives.NON_SATURATING)
least_squares = partial(AdversarialTraining, objective=objectives.LEAST_SQUARES)
hinge = partial(AdversarialTraining, objective=objectives.HINGE)


def wasserstein_gan(
    settings: WassersteinSettings, model: nn.Module, classes: Classes, preprocessing: zoo.Preprocessing
) -> AdversarialTraining:
    penalty = Penalty("between", settings.penalty)
    return AdversarialTraining(
        settings, model, classes, preprocessing, objective=objectives.WASSERSTEIN, penalty=penalty
    )


def relativistic(
    settings: RelativisticSettings, model: nn.Module, classes: Classes, preprocessing: zoo.Preprocessing
) -> AdversarialTraining:
    penalty = Penalty("both", settings.penalty)
    return AdversarialTraining(
        settings, model, classes, preprocessing, objective=objectives.RELATIVISTIC, penalty=penalty
    )


def freeze_discriminator(
    settings: FreezeDiscriminatorSettings, model: nn.Module, classes: Classes, preprocessing: zoo.Preprocessing
) -> AdversarialTraining:
    training = non_saturating(settings, model, classes, preprocessing)
    if settings.method == "full":
        stages = training.model.feature_info
        if settings.frozen_stages > len(stages):
            raise zoo.UsageError(
                f"frozen_stages={settings.frozen_stages} of a discriminator with {len(stages)}; set fewer"
            )
        for stage in stages[: settings.frozen_stages]:
            training.model.get_submodule(stage.module).requires_grad_(False)
    return training
