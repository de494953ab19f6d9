"""Must not see what the file before it, in the alphabet of its siblings, changed."""
from kfp import dsl


@dsl.component
def work():
    pass


@dsl.pipeline(name="isolation-after-monkeypatch")
def after_monkeypatch():
    work()
