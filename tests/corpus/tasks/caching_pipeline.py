"""Caching on, off, with a key, and left at the default."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work(text: str = "") -> str:
    return text


@dsl.pipeline(name="inner-cached")
def inner():
    work().set_caching_options(False)
    work()


@dsl.pipeline(name="task-caching")
def task_caching(text: str = "x"):
    work()
    work().set_caching_options(True)
    work().set_caching_options(False)
    work(text=text).set_caching_options(enable_caching=True, cache_key="my-key")
    work().set_caching_options(True, "schlüssel 🚀")
    inner().set_caching_options(False)
    inner()
