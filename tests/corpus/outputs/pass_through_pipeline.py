"""Outputs of an inner pipeline passed on by the outer one."""
from typing import NamedTuple

from kfp import dsl
from kfp.dsl import Dataset, Output


@dsl.component(base_image="python:3.11-slim")
def make(text: str, data: Output[Dataset]) -> str:
    return text


Pair = NamedTuple("Pair", [("text", str), ("data", Dataset)])


@dsl.pipeline(name="inner-pair")
def inner(text: str) -> Pair:
    made = make(text=text)
    return Pair(text=made.outputs["Output"], data=made.outputs["data"])


@dsl.pipeline(name="output-pass-through")
def outer(text: str = "x") -> Pair:
    first = inner(text=text)
    second = inner(text=first.outputs["text"])
    return Pair(text=second.outputs["text"], data=first.outputs["data"])
