"""dsl.OneOf inside a branch, and its value used outside and in a loop."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def flip(seed: int = 0) -> str:
    return "heads"


@dsl.component(base_image="python:3.11-slim")
def show(text: str) -> str:
    return text


@dsl.pipeline(name="condition-nested-one-of")
def condition_nested_one_of() -> str:
    outer, inner = flip(), flip(seed=1)
    with dsl.If(outer.output == "heads"):
        with dsl.If(inner.output == "heads"):
            a = show(text="both")
        with dsl.Else():
            b = show(text="outer only")
        first = show(text=dsl.OneOf(a.output, b.output))
    with dsl.Else():
        second = show(text="neither")
    chosen = dsl.OneOf(first.output, second.output)
    with dsl.ParallelFor(["x", "y"]) as item:
        show(text=item)
        show(text=chosen)
    return chosen
