"""An output of a task in a branch, used outside of it."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work(text: str) -> str:
    return text


@dsl.pipeline(name="output-from-branch")
def output_from_branch(text: str = "x"):
    with dsl.If(text == "x"):
        inside = work(text="a")
    work(text=inside.output)
