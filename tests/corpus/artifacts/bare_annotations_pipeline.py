"""Artifacts annotated without Input and Output, and returned."""
from typing import List, NamedTuple

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Model


@dsl.component(base_image="python:3.11-slim")
def make() -> Dataset:
    return Dataset(uri=dsl.get_uri(), metadata={"rows": 3})


@dsl.component(base_image="python:3.11-slim")
def train(data: Dataset, epochs: int = 1) -> NamedTuple("Outputs", model=Model, loss=float):
    outputs = NamedTuple("Outputs", model=Model, loss=float)
    return outputs(model=Model(uri=dsl.get_uri("model")), loss=0.1)


@dsl.component(base_image="python:3.11-slim")
def inspect_(artifact: Artifact, models: List[Model]):
    print(artifact.uri, [model.uri for model in models])


@dsl.pipeline(name="bare-annotations")
def bare_annotations() -> Dataset:
    data = make()
    with dsl.ParallelFor([1, 2]) as epochs:
        trained = train(data=data.output, epochs=epochs)
    inspect_(artifact=data.output, models=dsl.Collected(trained.outputs["model"]))
    return data.output
