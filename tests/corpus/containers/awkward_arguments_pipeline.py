"""Arguments that are hard to quote."""
from kfp import dsl


@dsl.container_component
def run(text: str):
    return dsl.ContainerSpec(
        image="alpine:3.20",
        command=["sh", "-c"],
        args=[
            "yes", "no", "1e3", "0o10", "null", "~", "", " ", "-", "--", "- a", "a: b", "# c", "it's", 'say "x"',
            "two\nlines", "tab\there", "\\", "%s", "{{x}}", "${X}", "*", "&a", "!b", "|", ">", "@", "`x`", "🚀", "é",
            "x" * 500, text,
        ],
    )


@dsl.pipeline(name="container-awkward-arguments")
def container_awkward_arguments(text: str = "x"):
    run(text=text)
