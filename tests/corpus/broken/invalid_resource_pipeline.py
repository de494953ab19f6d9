"""A memory limit with an unknown unit."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="invalid-resource")
def invalid_resource():
    work().set_cpu_limit("1").set_memory_limit("1GB")
