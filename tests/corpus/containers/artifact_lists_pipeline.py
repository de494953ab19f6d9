"""A container component that takes a list of artifacts."""
from typing import List

from kfp import dsl
from kfp.dsl import Dataset, Input, Output


@dsl.component(base_image="python:3.11-slim")
def part(number: int, data: Output[Dataset]):
    pass


@dsl.container_component
def merge(parts: Input[List[Dataset]], merged: Output[Dataset]):
    return dsl.ContainerSpec(image="alpine:3.20", command=["merge"], args=["--parts", parts, "--out", merged.path])


@dsl.pipeline(name="container-artifact-lists")
def container_artifact_lists():
    with dsl.ParallelFor([1, 2, 3]) as number:
        made = part(number=number)
    merge(parts=dsl.Collected(made.outputs["data"]))
