"""Descriptions of artifact outputs and parameter outputs, of components and of the pipeline."""
from typing import NamedTuple

from kfp import dsl
from kfp.dsl import Dataset, Model


class Trained(NamedTuple):
    model: Model
    data: Dataset
    loss: float


@dsl.component(base_image="python:3.11-slim")
def train(epochs: int) -> Trained:
    """Trains.

    Args:
        epochs: Passes over the data.

    Returns:
        model: The trained model: größer, "quoted" and # with a sign.
        data: What it was trained on,
            on two lines.
        loss: The last loss.
    """
    return None


@dsl.pipeline(name="described-outputs")
def described_outputs(epochs: int = 1) -> Trained:
    """Trains once.

    Args:
        epochs: Passes.

    Returns:
        model: The model.
        data: The data.
        loss: The loss.
    """
    trained = train(epochs=epochs)
    return Trained(model=trained.outputs["model"], data=trained.outputs["data"], loss=trained.outputs["loss"])
