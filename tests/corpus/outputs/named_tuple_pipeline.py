"""A pipeline with several outputs, of every type."""
from typing import List, NamedTuple

from kfp import dsl
from kfp.dsl import Dataset, Metrics, Model, Output


@dsl.component(base_image="python:3.11-slim")
def train(model: Output[Model], metrics: Output[Metrics]) -> NamedTuple("Trained", [("loss", float), ("name", str)]):
    return (0.1, "m")


@dsl.component(base_image="python:3.11-slim")
def part(number: int, data: Output[Dataset]) -> int:
    return number


@dsl.component(base_image="python:3.11-slim")
def everything() -> NamedTuple("Everything", items=list, mapping=dict, flag=bool):
    return ([], {}, True)


class Result(NamedTuple):
    loss: float
    model: Model
    metrics: Metrics
    items: list
    mapping: dict
    flag: bool
    numbers: List[int]
    parts: List[Dataset]


@dsl.pipeline(name="output-named-tuple")
def output_named_tuple() -> Result:
    trained, rest = train(), everything()
    with dsl.ParallelFor([1, 2]) as number:
        made = part(number=number)
    return Result(
        loss=trained.outputs["loss"],
        model=trained.outputs["model"],
        metrics=trained.outputs["metrics"],
        items=rest.outputs["items"],
        mapping=rest.outputs["mapping"],
        flag=rest.outputs["flag"],
        numbers=dsl.Collected(made.outputs["Output"]),
        parts=dsl.Collected(made.outputs["data"]),
    )
