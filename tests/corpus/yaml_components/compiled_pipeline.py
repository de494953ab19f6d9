"""A whole pipeline compiled to a temporary file, loaded back and used as a component, platform settings included."""
import os
import tempfile

from kfp import compiler
from kfp import components
from kfp import dsl
from kfp import kubernetes


@dsl.component(base_image="python:3.11-slim")
def work(text: str) -> str:
    return text


def _make():

    @dsl.pipeline(name="stored")
    def stored(text: str = "stored") -> str:
        task = work(text=text)
        kubernetes.add_pod_label(task, "team", "data")
        return work(text=task.output).output

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "stored.yaml")
        compiler.Compiler().compile(stored, path)
        return components.load_component_from_file(path)


loaded = _make()


@dsl.pipeline(name="yaml-compiled")
def yaml_compiled(text: str = "x"):
    first = loaded(text=text)
    work(text=first.output)
    loaded()
