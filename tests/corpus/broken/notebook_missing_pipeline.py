"""A notebook that is not there."""
from kfp import dsl


@dsl.notebook_component(base_image="python:3.11-slim", notebook_path="no/such/notebook.ipynb")
def work():
    dsl.run_notebook()
