"""Uses the workspace without configuring one."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work(folder: str):
    pass


@dsl.pipeline(name="workspace-missing")
def workspace_missing():
    work(folder=dsl.WORKSPACE_PATH_PLACEHOLDER)
