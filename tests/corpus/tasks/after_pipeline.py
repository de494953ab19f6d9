"""Explicit order: one, several, repeated, in groups and across pipelines."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work(text: str = "") -> str:
    return text


@dsl.pipeline(name="inner")
def inner():
    work().after(work(text="first"))


@dsl.pipeline(name="task-after")
def task_after():
    a, b, c = work(text="a"), work(text="b"), inner()
    work(text="one").after(a)
    work(text="many").after(a, b, c)
    work(text="twice").after(a).after(b).after(a)
    inner().after(a)
    work(text=a.output).after(a, b)
    with dsl.ParallelFor([1, 2]):
        first = work(text="in a loop").after(a)
        work(text="in a loop, later").after(first)
    with dsl.If(b.output == "x"):
        work(text="in a branch").after(c)
