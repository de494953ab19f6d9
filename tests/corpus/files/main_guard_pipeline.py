"""What a file does when it is run does not happen when it is imported."""
from kfp import compiler
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="main-guard")
def main_guard():
    work()


if __name__ == "__main__":
    compiler.Compiler().compile(main_guard, __file__ + ".yaml")
    raise SystemExit("this file must not be run by a test")
