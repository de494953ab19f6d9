"""The longest name allowed."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="n" * 128)
def name_long():
    work()
