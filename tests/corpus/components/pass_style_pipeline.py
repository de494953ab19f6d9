"""A mix of the ways to pass outputs on."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def produce(number: int) -> int:
    return number


@dsl.component(base_image="python:3.11-slim")
def consume(number: int, ratio: float = 1) -> float:
    return number * ratio


@dsl.pipeline(name="pass-style")
def pass_style(number: int = 3):
    produced = produce(number=number)
    consume(number=produced.output)
    consume(number=produced.outputs["Output"], ratio=2.0)
    consume(**{"number": produced.output, "ratio": 0.25})
