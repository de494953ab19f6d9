"""A pipeline imported by name from a sibling that is itself a pipeline file: two pipelines among the names."""
from imports_pipeline import sibling_imports
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def work():
    pass


@dsl.pipeline(name="sibling-pipeline-import")
def pipeline_import():
    sibling_imports(text="imported").after(work())
