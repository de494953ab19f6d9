"""An exception while the pipeline function is traced."""
from kfp import dsl

REGIONS = {"eu": 1}


@dsl.component(base_image="python:3.11-slim")
def work(number: int):
    pass


@dsl.pipeline(name="body-exception")
def body_exception():
    work(number=REGIONS["eu"])
    work(number=REGIONS["mars"])
