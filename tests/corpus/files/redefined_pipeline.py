"""A pipeline function defined twice under one name: the second replaces the first."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work(text: str):
    pass


@dsl.pipeline(name="redefined-old")
def redefined():
    work(text="old")


@dsl.pipeline(name="redefined-new")
def redefined():  # noqa: F811
    work(text="new")
