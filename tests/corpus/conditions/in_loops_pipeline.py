"""Conditions on the item of a loop, loops in branches, tasks after a branch."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def score(item: str) -> float:
    return 0.5


@dsl.component(base_image="python:3.11-slim")
def show(text: str) -> str:
    return text


@dsl.pipeline(name="condition-in-loops")
def condition_in_loops(items: list = ["a", "b"], limit: float = 0.3):
    with dsl.ParallelFor(items) as item:
        scored = score(item=item)
        with dsl.If(scored.output > limit):
            good = show(text=item)
            with dsl.ParallelFor(["x", "y"]) as other:
                with dsl.If(other == "x"):
                    show(text=f"{item} {other} {good.output}")
        with dsl.Elif(item == "b"):
            show(text="b")
        with dsl.Else():
            show(text="bad")
