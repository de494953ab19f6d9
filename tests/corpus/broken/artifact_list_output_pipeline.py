"""A component that returns a list of artifacts, which only pipelines may."""
from typing import List

from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work() -> List[dsl.Dataset]:
    return []


@dsl.pipeline(name="artifact-list-output")
def artifact_list_output():
    work()
