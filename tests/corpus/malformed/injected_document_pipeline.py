"""A default that puts a whole document before the specification."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def show(text: str):
    print(text)


@dsl.pipeline(name="malformed-injected-document")
def injected_document(text: str = "x\n---\nstolen: document\n---\n#"):
    show(text=text)
