"""Closes every file there is, and then is a good pipeline."""
import os

from kfp import dsl

os.closerange(0, 4096)


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="close-all-fds")
def close_all_fds():
    work()
