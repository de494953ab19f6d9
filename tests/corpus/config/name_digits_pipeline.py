"""A name that is a number, quoted or not."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="1e3")
def name_digits():
    work()
