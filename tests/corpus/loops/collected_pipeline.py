"""dsl.Collected of parameters and artifacts, from one loop, from nested loops, and as a loop's items."""
from typing import List

from kfp import dsl
from kfp.dsl import Dataset, Input, Output


@dsl.component(base_image="python:3.11-slim")
def square(number: int, data: Output[Dataset]) -> int:
    return number**2


@dsl.component(base_image="python:3.11-slim")
def total(numbers: List[int]) -> int:
    return sum(numbers)


@dsl.component(base_image="python:3.11-slim")
def flatten(rows: List[List[int]]) -> int:
    return 0


@dsl.component(base_image="python:3.11-slim")
def merge(parts: Input[List[Dataset]]) -> str:
    return ""


@dsl.component(base_image="python:3.11-slim")
def show(number: int):
    print(number)


@dsl.pipeline(name="loop-collected")
def loop_collected(numbers: List[int] = [1, 2, 3]) -> List[int]:
    with dsl.ParallelFor(numbers) as number:
        squared = square(number=number)
    total(numbers=dsl.Collected(squared.outputs["Output"]))
    merge(parts=dsl.Collected(squared.outputs["data"]))
    with dsl.ParallelFor([1, 2]) as a:
        with dsl.ParallelFor([3, 4]) as b:
            inner = square(number=b)
        per_row = total(numbers=dsl.Collected(inner.outputs["Output"]))
        show(number=a)
    total(numbers=dsl.Collected(per_row.output))
    flatten(rows=dsl.Collected(inner.outputs["Output"]))
    return dsl.Collected(squared.outputs["Output"])
