"""A pipeline input without a type."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work(text: str):
    pass


@dsl.pipeline(name="missing-pipeline-annotation")
def missing_pipeline_annotation(text="x"):
    work(text=text)
