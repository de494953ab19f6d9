"""A body indented with tabs."""
from kfp import dsl


@dsl.component(base_image="python:3.11-slim")
def tabs(text: str) -> str:
	if text:
		return text	# a tab before the comment
	return ""


@dsl.pipeline(name="tabs")
def tabs_pipeline(text: str = "a\tb"):
	tabs(text=text)
