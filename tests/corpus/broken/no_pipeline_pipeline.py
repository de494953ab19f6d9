"""Neither a pipeline nor a component."""
from kfp import dsl

IMAGE = "python:3.11-slim"


def helper() -> str:
    return dsl.PIPELINE_ROOT_PLACEHOLDER
