"""An output of a task in a loop, used outside of it without dsl.Collected."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work(text: str) -> str:
    return text


@dsl.pipeline(name="output-from-loop")
def output_from_loop():
    with dsl.ParallelFor(["a", "b"]) as item:
        inside = work(text=item)
    work(text=inside.output)
