"""A display name with awkward characters, and one in the decorator beside a docstring."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="config-display-name", display_name="Anzeige: \"Größe\" 🚀 # 1")
def config_display_name():
    """Described here.

    At length.
    """
    work()
