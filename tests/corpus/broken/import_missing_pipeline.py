"""Imports a package that is not installed."""
import json

import surely_not_installed_anywhere
from kfp import dsl
