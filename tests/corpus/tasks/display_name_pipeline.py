"""Display names of tasks: awkward ones, repeated ones, and of every kind of task."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="inner")
def inner():
    work().set_display_name("inside")


@dsl.pipeline(name="task-display-name")
def task_display_name():
    for name in ("Train the model", "1e3", "null", "yes", "a: b # c", "größe 🚀", "two\nlines", "", "x" * 300, "same", "same"):
        work().set_display_name(name)
    inner().set_display_name("A sub-pipeline")
    dsl.importer("s3://bucket/data", dsl.Dataset).set_display_name("Import data")
