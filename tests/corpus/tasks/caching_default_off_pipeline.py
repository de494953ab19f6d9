"""Switches the default of caching off for this file alone, the way a program would rather than a flag."""
from kfp import dsl
from kfp.dsl.pipeline_context import Pipeline

Pipeline._execution_caching_default = False


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="task-caching-default-off")
def task_caching_default_off():
    work()
    work().set_caching_options(True)
