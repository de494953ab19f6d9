"""A default whose second line is a key of the specification; the file parses, and says something else."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def show(text: str):
    print(text)


@dsl.pipeline(name="malformed-injected-key")
def injected_key(text: str = "x\nstolen: y #"):
    show(text=text)
