"""A pipeline that returns a parameter."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def double(number: int) -> int:
    return number * 2


@dsl.pipeline(name="output-parameter")
def output_parameter(number: int = 1) -> int:
    return double(number=double(number=number).output).output
