"""Pipelines in pipelines in pipelines, with artifacts handed through and the same component at every level."""
from kfp import dsl
from kfp.dsl import Dataset, Input, Output


@dsl.component(base_image="python:3.11-slim")
def make(text: str, data: Output[Dataset]):
    pass


@dsl.component(base_image="python:3.11-slim")
def change(data: Input[Dataset], changed: Output[Dataset]) -> int:
    return 1


@dsl.pipeline(name="level-three")
def three(data: Input[Dataset]) -> Dataset:
    return change(data=data).outputs["changed"]


@dsl.pipeline(name="level-two")
def two(data: Input[Dataset]) -> Dataset:
    changed = change(data=data)
    return three(data=changed.outputs["changed"]).output


@dsl.pipeline(name="nested-three-levels")
def one(text: str = "x") -> Dataset:
    made = make(text=text)
    first = two(data=made.outputs["data"])
    second = three(data=first.output)
    return change(data=second.output).outputs["changed"]
