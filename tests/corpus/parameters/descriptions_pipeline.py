"""Descriptions of inputs and outputs taken from docstrings in several styles."""
from typing import NamedTuple

from kfp import dsl
from kfp.dsl import Dataset, Input, Output


@dsl.component(base_image="python:3.11-slim")
def google_style(text: str, data: Input[Dataset], out: Output[Dataset], count: int = 1) -> str:
    """Copies data.

    A longer explanation: with a colon, "quotes" and a # sign.

    Args:
        text: A text, on
            two lines.
        data (Dataset): The data.
        out: The copy.
        count: How often.

    Returns:
        Output: The text again.
    """
    return text


@dsl.component(base_image="python:3.11-slim")
def numpy_style(text: str, count: int = 1) -> NamedTuple("Result", [("text", str), ("count", int)]):
    """Repeats.

    Parameters
    ----------
    text : str
        A text.
    count : int
        How often.

    Returns
    -------
    text : str
        The text.
    """
    return (text, count)


@dsl.component(base_image="python:3.11-slim")
def sphinx_style(text: str, out: Output[Dataset]):
    """Writes.

    :param text: A text with ümlaut and 🚀.
    :param out: The file.
    """


@dsl.pipeline(name="descriptions")
def descriptions(text: str = "x", count: int = 2) -> str:
    """A pipeline described by its docstring.

    It has a longer explanation as well,
    on two lines.

    Args:
        text: What to say.
        count: How often to say it.

    Returns:
        Output: What was said.
    """
    written = sphinx_style(text=text)
    copied = google_style(text=text, data=written.outputs["out"], count=count)
    numpy_style(text=copied.outputs["Output"])
    return copied.outputs["Output"]
