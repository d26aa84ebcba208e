"""What recipes do with a backbone, of which they know the protocol alone."""

from typing import cast

from torch import Tensor, nn

import zoo


def pooled(model: nn.Module, images: Tensor, preprocessing: zoo.Preprocessing) -> Tensor:
    """Return pooled features (batch, num_features) of pictures in [0, 1]."""
    backbone = cast(zoo.Backbone, model)
    return backbone.forward_head(backbone.forward_features(zoo.normalize(images, preprocessing)), pre_logits=True)


def with_classes(model: nn.Module, num_classes: int) -> nn.Module:
    """Give the model a fresh head where its classes are not as many; 0 takes the head away."""
    backbone = cast(zoo.Backbone, model)
    if backbone.num_classes != num_classes:
        device = next(model.parameters()).device
        backbone.reset_classifier(num_classes)
        model.to(device)
    return model
