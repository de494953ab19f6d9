# -*- coding: no-such-codec -*-
from kfp import dsl
