"""A name with no character that is allowed."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="数据集")
def invalid_name():
    work()
