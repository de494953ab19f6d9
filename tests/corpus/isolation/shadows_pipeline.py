"""Names at module level that hide builtins and the SDK's own, and a docstring that is no docstring."""
from kfp import dsl as d

list = tuple
print = repr
component = d.component
pipeline = d.pipeline


@component(base_image="python:3.11-slim")
def open(text: str) -> str:
    return text


@pipeline(name="isolation-shadows")
def dsl(text: str = "x"):
    open(text=text)
