"""Prints fifty megabytes without a line end, and then fails."""
import sys

sys.stdout.write("x" * (50 << 20))
sys.stdout.flush()
raise ValueError("after the long line")
