"""A file name that starts with a digit."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="file-starts-with-digit")
def starts_with_digit():
    work()
