"""A pipeline that returns an output it did not promise."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work() -> str:
    return ""


@dsl.pipeline(name="unannotated-pipeline-output")
def unannotated_pipeline_output():
    return work().output
