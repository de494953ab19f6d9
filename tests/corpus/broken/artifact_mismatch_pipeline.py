"""A model where a dataset is expected."""
from kfp import dsl
from kfp.dsl import Dataset, Input, Model, Output


@dsl.component(base_image="python:3.11-slim")
def produce(model: Output[Model]):
    pass


@dsl.component(base_image="python:3.11-slim")
def consume(data: Input[Dataset]):
    pass


@dsl.pipeline(name="artifact-mismatch")
def artifact_mismatch():
    consume(data=produce().outputs["model"])
