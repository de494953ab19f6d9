"""A default nested deeper than the interpreter can follow."""
from kfp import dsl

deep = []
for _ in range(5000):
    deep = [deep]


@dsl.component(base_image="python:3.11-slim")
def work(items: list):
    pass


@dsl.pipeline(name="deep-data")
def deep_data(items: list = deep):
    work(items=items)
