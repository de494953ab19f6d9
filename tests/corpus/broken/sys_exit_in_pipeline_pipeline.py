"""Ends the program while the pipeline is traced."""
import sys

from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="sys-exit-in-pipeline")
def sys_exit_in_pipeline():
    work()
    sys.exit(0)
