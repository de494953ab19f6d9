"""Function names and what the compiler makes of them."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def _leading() -> str:
    return ""


@dsl.component(base_image="python:3.11-slim")
def Mixed_Case_Name(text: str) -> str:
    return text


@dsl.component(base_image="python:3.11-slim")
def camelCaseName(text: str) -> str:
    return text


@dsl.component(base_image="python:3.11-slim")
def with__double___underscores_(text: str) -> str:
    return text


@dsl.component(base_image="python:3.11-slim")
def step_2(text: str) -> str:
    return text


@dsl.component(base_image="python:3.11-slim")
def step(text: str) -> str:
    return text


@dsl.pipeline(name="name-forms")
def name_forms():
    text = _leading().output
    text = Mixed_Case_Name(text=text).output
    text = camelCaseName(text=text).output
    text = with__double___underscores_(text=text).output
    text = step(text=text).output
    text = step(text=text).output
    step_2(text=text)
