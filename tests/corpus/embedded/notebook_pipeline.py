"""A notebook as a component, given as a file and as a folder, with and without packages."""
import pathlib

from kfp import dsl

NOTEBOOKS = pathlib.Path(__file__).parent / "notebooks"


@dsl.notebook_component(base_image="python:3.11-slim", notebook_path=str(NOTEBOOKS / "report.ipynb"))
def report(text: str, rows: int = 3, ratio: float = 0.5):
    dsl.run_notebook(text=text, rows=rows)


@dsl.notebook_component(base_image="quay.io/jupyter/scipy-notebook:2024-11-19", notebook_path=str(NOTEBOOKS),
                        packages_to_install=[])
def from_folder(text: str) -> str:
    dsl.run_notebook(text=text)
    return text


@dsl.notebook_component(base_image="python:3.11-slim", notebook_path=str(NOTEBOOKS / "report.ipynb"),
                        packages_to_install=["nbclient==0.10.1", "ipykernel==6.29.5"],
                        pip_index_urls=["https://pypi.org/simple"], use_venv=True,
                        task_config_passthroughs=[dsl.TaskConfigField.ENV])
def with_packages(text: str, config: dsl.TaskConfig):
    dsl.run_notebook(text=text)


@dsl.pipeline(name="embedded-notebook")
def embedded_notebook(text: str = "x"):
    report(text=text)
    first = from_folder(text=text)
    with_packages(text=first.output).set_env_variable("A", "1")
