"""An exception in a function of this file that the module calls, with a cause."""
from kfp import dsl


def parse(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise RuntimeError(f"not a number: {text!r}") from error


LIMIT = parse("twelve")
