"""Components loaded from files beside this one, by path of this file."""
import os

from kfp import components
from kfp import dsl

HERE = os.path.dirname(os.path.abspath(__file__))
clean = components.load_component_from_file(os.path.join(HERE, "clean_component.yaml"))
train = components.load_component_from_file(os.path.join(HERE, "train_component.yaml"))


@dsl.pipeline(name="yaml-from-file")
def yaml_from_file(text: str = "x"):
    cleaned = clean(text=text)
    train(text=cleaned.output, epochs=2)
