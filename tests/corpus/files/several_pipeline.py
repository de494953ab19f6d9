"""Three pipelines, none inside another."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work(text: str = ""):
    pass


@dsl.pipeline(name="several-first", description="The first.")
def first():
    work(text="1")


@dsl.pipeline(name="several-second")
def second(text: str = "2"):
    work(text=text)


@dsl.pipeline(name="several-third")
def third():
    work(text="3")
