"""Artifact classes that a team shares."""
from kfp import dsl


class Corpus(dsl.Artifact):
    schema_title = "system.Dataset"
    schema_version = "0.0.1"


class Index(dsl.Artifact):
    schema_title = "system.Index"
    schema_version = "1.2.3"
