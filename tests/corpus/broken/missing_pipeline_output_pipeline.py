"""A pipeline that promises an output and returns none."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work() -> str:
    return ""


@dsl.pipeline(name="missing-pipeline-output")
def missing_pipeline_output() -> str:
    work()
