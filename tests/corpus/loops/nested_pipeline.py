"""Loops in loops, three deep, with items of outer levels used inside."""
from typing import List

from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def split(text: str) -> List[str]:
    return list(text)


@dsl.component(base_image="python:3.11-slim")
def show(text: str) -> str:
    return text


@dsl.pipeline(name="loop-nested")
def loop_nested(words: List[str] = ["ab", "cd"], suffix: str = "!"):
    first = show(text="outside")
    with dsl.ParallelFor(words, parallelism=2) as word:
        letters = split(text=word)
        with dsl.ParallelFor(letters.output, parallelism=3) as letter:
            shown = show(text=f"{word}{letter}{suffix}")
            with dsl.ParallelFor([1, 2]) as number:
                show(text=f"{first.output}{word}{number}{shown.output}")
