"""What predictions rest on, for zoo: maps over images and weights of words, with checks of whether to trust them."""

from collections.abc import Iterator

import zoo

_IMAGES = {
    "layercam": ("Gradients times activations of the last stage (Jiang et al., 2021)", "stages:LayerCAM"),
    "gradient_attention": ("Attention weighted by its gradients (Chefer et al., 2021)", "attending:GradientAttention"),
    "integrated_gradients": (
        "Gradients summed from black (Sundararajan et al., 2017)",
        "gradients:IntegratedGradients",
    ),
    "gradcam": ("Activations of the last stage by mean gradients (Selvaraju et al., 2017)", "stages:GradCAM"),
    "smoothgrad": ("Gradients averaged over noise (Smilkov et al., 2017)", "gradients:SmoothGrad"),
    "gradient_shap": ("Gradients between noisy and flat images (Lundberg and Lee, 2017)", "gradients:GradientSHAP"),
    "occlusion": ("How much is lost behind a grey square (Zeiler and Fergus, 2014)", "gradients:Occlusion"),
    "attention_rollout": ("Attention multiplied over blocks (Abnar and Zuidema, 2020)", "attending:AttentionRollout"),
    "reconstruction_error": ("Where an autoencoder fails to give an image back", "errors:ReconstructionError"),
    "patch_components": ("Principal components of the last map, as colors", "components:PatchComponents"),
}
_TEXTS = {
    "token_gradients": ("Gradients over embeddings, from a text of masks", "methods:TokenGradients"),
    "token_attention": ("Attention weighted by its gradients, of tokens", "methods:TokenAttention"),
    "written_attention": ("From which tokens each written one came", "written:WrittenAttention"),
    "cross_attention": ("Raw attention of each written token", "written:CrossAttention"),
}


def target_of(name: str) -> str:
    """Return where the method of this name is."""
    kind, methods = ("images", _IMAGES) if name in _IMAGES else ("texts", _TEXTS)
    return f"zoo_explain.{kind}.{methods[name][1]}"


@zoo.hookimpl
def zoo_explainers() -> Iterator[zoo.ExplainerSpec]:
    for name, (summary, _) in _IMAGES.items():
        yield zoo.ExplainerSpec(name=name, summary=summary, target=target_of(name), modality="image")
    for name, (summary, _) in _TEXTS.items():
        yield zoo.ExplainerSpec(name=name, summary=summary, target=target_of(name), modality="text")


@zoo.hookimpl
def zoo_commands() -> Iterator[zoo.CommandSpec]:
    yield zoo.CommandSpec(
        name="explain",
        summary="Show what predictions rest on, and whether that can be trusted.",
        target="zoo_explain.command:command",
    )
    yield zoo.CommandSpec(
        name="examine",
        summary="Examine a classifier: calibration, slices, mistakes, copies, wrong labels; one page.",
        target="zoo_explain.examine_command:command",
    )
