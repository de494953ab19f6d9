"""A name that the compiler makes from the function's."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline
def My_Pipeline__from_function():
    work()
