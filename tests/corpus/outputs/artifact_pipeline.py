"""A pipeline that returns an artifact."""
from kfp import dsl
from kfp.dsl import Dataset, Output


@dsl.component(base_image="python:3.11-slim")
def make(data: Output[Dataset], note: Output[dsl.Markdown]):
    pass


@dsl.pipeline(name="output-artifact")
def output_artifact() -> Dataset:
    return make().outputs["data"]
