"""Components and helpers from sibling modules, a package and a nested module."""
import helpers
from helpers import greet
from kfp import dsl
from package.steps.text import shout


@dsl.pipeline(name="sibling-imports")
def sibling_imports(text: str = "x"):
    greeted = greet(text=text)
    helpers.configure(shout(text=greeted.output))
