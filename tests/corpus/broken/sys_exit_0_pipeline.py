"""Ends the program as if all were well, before there is a pipeline."""
import sys

sys.exit(0)
