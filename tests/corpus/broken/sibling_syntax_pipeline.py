"""Imports a sibling with a syntax error."""
from sibling_syntax import work
