"""dsl.OneOf without dsl.Else."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work(text: str) -> str:
    return text


@dsl.pipeline(name="one-of-without-else")
def one_of_without_else(text: str = "x") -> str:
    with dsl.If(text == "x"):
        a = work(text="a")
    with dsl.Elif(text == "y"):
        b = work(text="b")
    return dsl.OneOf(a.output, b.output)
