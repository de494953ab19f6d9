"""A loop over an empty list."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work(text: str):
    pass


@dsl.pipeline(name="empty-loop")
def empty_loop():
    with dsl.ParallelFor([]) as item:
        work(text=item)
