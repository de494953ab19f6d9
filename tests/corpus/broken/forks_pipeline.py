"""Forks at import; both processes go on and are a good pipeline."""
import os

from kfp import dsl

os.fork()


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="forks")
def forks():
    work()
