"""Trackers of runs for zoo: MLflow, and Weights & Biases."""

from collections.abc import Iterator

import zoo


@zoo.hookimpl
def zoo_trackers() -> Iterator[zoo.TrackerSpec]:
    yield zoo.TrackerSpec(
        name="mlflow",
        summary="MLflow, at MLFLOW_TRACKING_URI (pip install 'zoo-trackers[mlflow]')",
        target="zoo_trackers.mlflow_runs:MLflow",
        secrets=("MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_PASSWORD"),
    )
    yield zoo.TrackerSpec(
        name="wandb",
        summary="Weights & Biases, or files of it by WANDB_MODE=offline (pip install 'zoo-trackers[wandb]')",
        target="zoo_trackers.wandb_runs:WandB",
        secrets=("WANDB_API_KEY",),
    )
