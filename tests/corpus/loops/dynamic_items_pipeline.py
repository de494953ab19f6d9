"""Loops over pipeline parameters and task outputs, of typed and untyped lists."""
from typing import Dict, List

from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def names() -> List[str]:
    return ["a"]


@dsl.component(base_image="python:3.11-slim")
def matrix() -> List[List[int]]:
    return [[1]]


@dsl.component(base_image="python:3.11-slim")
def settings() -> List[dict]:
    return [{}]


@dsl.component(base_image="python:3.11-slim")
def untyped() -> list:
    return []


@dsl.component(base_image="python:3.11-slim")
def text(value: str) -> str:
    return value


@dsl.component(base_image="python:3.11-slim")
def number(value: int):
    pass


@dsl.component(base_image="python:3.11-slim")
def row(value: List[int]):
    pass


@dsl.component(base_image="python:3.11-slim")
def mapping(value: dict):
    pass


@dsl.pipeline(name="loop-dynamic-items")
def loop_dynamic_items(words: List[str] = ["x", "y"], numbers: List[int] = [1, 2], plain: list = ["p"]):
    with dsl.ParallelFor(words) as item:
        text(value=item)
    with dsl.ParallelFor(numbers, parallelism=4, name="numbers") as item:
        number(value=item)
    with dsl.ParallelFor(plain) as item:
        text(value=item)
    with dsl.ParallelFor(names().output) as item:
        text(value=item)
    with dsl.ParallelFor(matrix().output) as item:
        row(value=item)
    with dsl.ParallelFor(settings().output) as item:
        mapping(value=item)
    with dsl.ParallelFor(untyped().output) as item:
        text(value=item)
