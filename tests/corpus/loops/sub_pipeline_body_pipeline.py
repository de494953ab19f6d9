"""A loop whose body is a pipeline with a loop."""
from typing import List

from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def show(text: str) -> str:
    return text


@dsl.pipeline(name="body")
def body(word: str, letters: List[str] = ["a", "b"]) -> List[str]:
    with dsl.ParallelFor(letters) as letter:
        shown = show(text=f"{word}{letter}")
    return dsl.Collected(shown.output)


@dsl.pipeline(name="loop-sub-pipeline-body")
def loop_sub_pipeline_body():
    with dsl.ParallelFor(["x", "y"]) as word:
        body(word=word)
        body(word=word, letters=["c"])
