# -*- coding: latin-1 -*-
"""Declares an encoding other than UTF-8."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work(text: str) -> str:
    # a comment: Größe
    return text + "é"


@dsl.pipeline(name="source-latin1")
def latin1(text: str = "größe"):
    work(text=text)
