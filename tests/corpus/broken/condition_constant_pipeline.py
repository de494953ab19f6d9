"""A condition that Python decides at once."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="condition-constant")
def condition_constant():
    with dsl.If("a" == "b"):
        work()
