"""The item of a loop over an output, used two loops further in, which the SDK cannot wire."""
from typing import List

from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def split(text: str) -> List[str]:
    return list(text)


@dsl.component(base_image="python:3.11-slim")
def show(text: str):
    pass


@dsl.pipeline(name="nested-loop-item")
def nested_loop_item(words: List[str] = ["ab"]):
    with dsl.ParallelFor(words) as word:
        letters = split(text=word)
        with dsl.ParallelFor(letters.output) as letter:
            with dsl.ParallelFor([1, 2]) as number:
                show(text=f"{letter}{number}")
