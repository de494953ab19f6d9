"""A merge that was not finished."""
from kfp import dsl

<<<<<<< HEAD
IMAGE = "a"
=======
IMAGE = "b"
>>>>>>> branch
