"""Changes the SDK for itself."""
from kfp import dsl
from kfp.dsl import component_factory

component_factory._DEFAULT_BASE_IMAGE = "registry.example/team/base:1.0"


@dsl.component
def work():
    pass


@dsl.pipeline(name="isolation-monkeypatch")
def monkeypatch():
    work()
