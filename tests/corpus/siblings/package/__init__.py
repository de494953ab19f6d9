"""A package beside the pipelines."""
