"""Annotations that the interpreter leaves as strings, which the SDK does not resolve."""
from __future__ import annotations

from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work(text: str) -> str:
    return text
