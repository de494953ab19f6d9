"""String defaults that start with, or contain, characters with a meaning in YAML."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def show(text: str):
    print(text)


@dsl.pipeline(name="str-indicators")
def str_indicators(
    dash: str = "- item",
    dash_only: str = "-",
    question: str = "? key",
    colon: str = "a: b",
    colon_end: str = "a:",
    comment: str = "a # b",
    comment_start: str = "# a",
    anchor: str = "&anchor",
    alias: str = "*alias",
    tag: str = "!!int 3",
    literal_block: str = "|",
    folded_block: str = ">-",
    single_quote: str = "it's",
    double_quote: str = 'say "hi"',
    both_quotes: str = """'"'""",
    percent: str = "%YAML 1.2",
    at: str = "@at",
    backtick: str = "`tick`",
    braces: str = "{a: b}",
    brackets: str = "[a, b]",
    comma: str = ", a",
    document_start: str = "---",
    document_end: str = "...",
    merge: str = "<<",
    equals: str = "=",
    backslash: str = "C:\\temp\\new",
    escapes: str = "\\n\\t\\u0041",
    template: str = "{{ value }}",
    placeholder_like: str = "{{$.inputs.parameters['x']}}",
    dollar: str = "${HOME} $(id) `id`",
):
    show(text=dash)
    show(text=placeholder_like)
