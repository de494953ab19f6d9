"""No pipeline, and exactly one component, which becomes the pipeline."""
from kfp import dsl
from kfp.dsl import Dataset, Output


@dsl.component(base_image="python:3.11-slim")
def lonely(text: str, data: Output[Dataset], number: int = 3) -> str:
    """A component that is deployed alone.

    Args:
        text: A text.
    """
    return text * number
