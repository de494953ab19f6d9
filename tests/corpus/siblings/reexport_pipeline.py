"""A file that only imports a pipeline: the pipeline is found here, too."""
from imports_pipeline import sibling_imports  # noqa: F401
