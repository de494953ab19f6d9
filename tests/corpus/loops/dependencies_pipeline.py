"""Loops that depend on tasks, on each other, and tasks that wait for loops' outputs."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def step(text: str = "") -> str:
    return text


@dsl.component(base_image="python:3.11-slim")
def join(texts: list) -> list:
    return texts


@dsl.pipeline(name="loop-dependencies")
def loop_dependencies():
    start = step(text="start")
    with dsl.ParallelFor(["a", "b"]) as item:
        one = step(text=item).after(start)
        two = step(text=one.output)
    joined = join(texts=dsl.Collected(two.output))
    with dsl.ParallelFor(joined.output) as item:
        three = step(text=item)
    step(text="end").after(joined)
    join(texts=dsl.Collected(three.output))
