"""Components that run in a virtual environment."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim", use_venv=True)
def plain():
    pass


@dsl.component(base_image="python:3.11-slim", use_venv=True, packages_to_install=["requests==2.32.3"],
               pip_index_urls=["https://pypi.org/simple"])
def with_packages():
    pass


@dsl.component(base_image="python:3.11-slim", use_venv=True, install_kfp_package=False)
def without_kfp():
    pass


@dsl.pipeline(name="venv")
def venv():
    plain()
    with_packages()
    without_kfp()
