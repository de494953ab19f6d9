"""A pipeline as a component, once and twice, beside plain tasks."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def step(text: str) -> str:
    return text


@dsl.pipeline(name="inner", description="Only described inside.")
def inner(text: str = "default", number: int = 1) -> str:
    return step(text=step(text=f"{text}{number}").output).output


@dsl.pipeline(name="nested-two-levels")
def outer(text: str = "x"):
    first = inner(text=text)
    second = inner(text=first.output, number=2)
    inner()
    step(text=second.output)
    inner(text="constant").after(second)
