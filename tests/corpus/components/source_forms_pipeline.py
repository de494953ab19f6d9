'''Function bodies whose source is awkward to carry: quotes, templates, tabs, comments, nested functions.'''
from kfp import dsl


def noted(function):
    return function


@dsl.component(base_image="python:3.11-slim")
@noted
def quotes(text: str) -> str:
    a = """triple "double" quotes"""
    b = '''triple 'single' quotes'''
    c = f"{text!r:>{10}} {{literal}} {'nested' if text else 'empty'}"
    d = r"raw \d+\n and $0 $@ `id` $(id) %s {0}"
    return a + b + c + d + "\\ \t \x00 \u00e9 \N{ROCKET}"


@dsl.component(
    base_image="python:3.11-slim",
    packages_to_install=[
        "requests==2.32.3",  # a comment inside the decorator
    ],
)
def comments(text: str) -> str:  # a comment on the line of the definition
    # a comment before the body

    def inner(value):  # def inside def
        return [item for item in value if item != "#"]

    class Local:
        """A class in the body."""

        value = 1

    square = lambda number: number**2  # noqa: E731

    return "".join(inner(text)) + str(square(Local.value))
    # a comment at the end


@dsl.component(base_image="python:3.11-slim")
def multi_line_signature(
    a: str,  # first
    b: int = 1,
    *,
    c: float = 0.5,
) -> str:
    return f"""{a}
    {b}
  {c}"""


@dsl.component(base_image="python:3.11-slim")
def one_line(a: str) -> str: return a


@dsl.component(base_image="python:3.11-slim")
def yaml_like() -> str:
    return """
---
key: value
# not a comment
- item
...
"""


@dsl.component(base_image="python:3.11-slim")
def unicode_body(größe: str = "ü") -> str:
    return "→ " + größe + " 🚀 𝔘"


@dsl.pipeline(name="source-forms")
def source_forms(text: str = "x"):
    quotes(text=text)
    comments(text=text)
    multi_line_signature(a=text)
    one_line(a=text)
    yaml_like()
    unicode_body()
