"""Optional artifact inputs, left out and given, of components and of pipelines."""
from typing import Optional

from kfp import dsl
from kfp.dsl import Dataset, Input, Model, Output


@dsl.component(base_image="python:3.11-slim")
def prepare(data: Output[Dataset], model: Output[Model]):
    pass


@dsl.component(base_image="python:3.11-slim")
def train(data: Input[Dataset], base: Optional[Input[Model]] = None, extra: Input[Dataset] = None) -> str:
    return base.uri if base else ""


@dsl.pipeline(name="inner-optional")
def inner(data: Input[Dataset], base: Input[Model] = None):
    train(data=data, base=base)


@dsl.pipeline(name="optional-artifacts")
def optional_artifacts():
    prepared = prepare()
    train(data=prepared.outputs["data"])
    train(data=prepared.outputs["data"], base=prepared.outputs["model"], extra=prepared.outputs["data"])
    inner(data=prepared.outputs["data"])
    inner(data=prepared.outputs["data"], base=prepared.outputs["model"])
