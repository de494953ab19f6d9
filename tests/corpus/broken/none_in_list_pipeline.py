"""None inside a list default, which the SDK cannot store."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work(items: list):
    pass


@dsl.pipeline(name="none-in-list")
def none_in_list(items: list = ["a", None]):
    work(items=items)
