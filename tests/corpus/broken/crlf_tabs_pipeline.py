"""Windows line ends, tabs and spaces mixed."""
from kfp import dsl


def work():
	if True:
		a = 1
        b = 2
	return a
