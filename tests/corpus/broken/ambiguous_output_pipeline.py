"""`.output` of a task with two outputs."""
from kfp import dsl
from kfp.dsl import Dataset, Output


@dsl.component(base_image="python:3.11-slim")
def work(data: Output[Dataset]) -> str:
    return ""


@dsl.component(base_image="python:3.11-slim")
def use(text: str):
    pass


@dsl.pipeline(name="ambiguous-output")
def ambiguous_output():
    use(text=work().output)
