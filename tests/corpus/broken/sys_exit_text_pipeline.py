"""Ends the program with a message."""
import sys

sys.exit("set DATA_BUCKET first")
