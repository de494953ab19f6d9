"""A pipeline reached through its module: only one pipeline among the names."""
import imports_pipeline
from kfp import dsl


@dsl.pipeline(name="sibling-module-import")
def module_import():
    imports_pipeline.sibling_imports()
