"""Never ends."""
from kfp import dsl

while True:
    pass
