"""dsl.Elif without dsl.If."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="elif-without-if")
def elif_without_if(text: str = "x"):
    with dsl.Elif(text == "x"):
        work()
