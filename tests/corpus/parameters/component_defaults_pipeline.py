"""Defaults of components that the pipeline leaves alone, overrides, and overrides with the same value."""
from typing import Dict, List

from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def train(
    data: str,
    epochs: int = 10,
    rate: float = 1e-3,
    name: str = "model",
    shuffle: bool = True,
    layers: List[int] = [64, 32],
    options: Dict[str, str] = {"optimizer": "adam", "loss": "mse"},
    note: str = "two\nlines, 1e3 and 🚀",
) -> float:
    return rate


@dsl.pipeline(name="component-defaults")
def component_defaults(data: str = "d"):
    train(data=data)
    train(data=data, epochs=20, layers=[])
    train(data=data, epochs=10, rate=1e-3, name="model", shuffle=True)
    train(data=data, options={})
