"""A pipeline without tasks."""
from kfp import dsl


@dsl.pipeline(name="no-tasks")
def no_tasks(text: str = "x"):
    pass
