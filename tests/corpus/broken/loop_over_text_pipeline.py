"""A loop over something that is no list."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work(text: str):
    pass


@dsl.pipeline(name="loop-over-text")
def loop_over_text(text: str = "abc"):
    with dsl.ParallelFor(text) as item:
        work(text=item)
