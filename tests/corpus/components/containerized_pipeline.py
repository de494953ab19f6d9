"""Components built into an image of their own."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim", target_image="registry.example/team/train:1.0.0")
def train(epochs: int) -> float:
    return 1 / epochs


@dsl.component(base_image="python:3.11-slim", target_image="registry.example/team/train:1.0.0",
               packages_to_install=["scikit-learn==1.5.2"])
def evaluate(loss: float) -> bool:
    return loss < 0.1


@dsl.pipeline(name="containerized")
def containerized(epochs: int = 10):
    evaluate(loss=train(epochs=epochs).output)
