"""A loop over a list of artifacts."""
from typing import List

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Output


@dsl.component(base_image="python:3.11-slim")
def part(number: int, data: Output[Dataset]):
    pass


@dsl.component(base_image="python:3.11-slim")
def clean(data: Input[Dataset], cleaned: Output[Dataset]):
    pass


@dsl.pipeline(name="make-parts")
def make_parts() -> List[Dataset]:
    with dsl.ParallelFor([1, 2, 3]) as number:
        made = part(number=number)
    return dsl.Collected(made.outputs["data"])


@dsl.component(base_image="python:3.11-slim")
def merge(parts: Input[List[Dataset]]):
    pass


@dsl.pipeline(name="loop-artifact-items")
def loop_artifact_items():
    parts = make_parts()
    with dsl.ParallelFor(parts.output, parallelism=2) as item:
        cleaned = clean(data=item)
    merge(parts=dsl.Collected(cleaned.outputs["cleaned"]))
