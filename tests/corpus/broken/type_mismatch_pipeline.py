"""A text where a number is expected."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def produce() -> str:
    return ""


@dsl.component(base_image="python:3.11-slim")
def consume(number: int):
    pass


@dsl.pipeline(name="type-mismatch")
def type_mismatch():
    produced = produce()
    consume(number=produced.output)
