# SPDX-License-Identifier: Apache-2.0
"""How each type of artifact is saved and loaded: the half inside the step.

A materializer has two functions. `uri` is the artifact's folder and ends in '/'.
  save(value, uri, context)   stores the value, returns metadata (a dict that JSON can hold);
                              TypeError or ValueError: this value is none of the type
  load(uri, context)          gives the value back
`context.spark` is the session (started when first used), `context.storage` reads and writes by URI,
`context.scratch` makes folders that go with the process."""
import importlib

from ..errors import RuntimeFault

# The type's name -> the module of its family, the class in it.
_BUILT_IN = {
    "spark.dataframe": (".spark", "SparkDataFrame"),
    "spark.model": (".spark", "SparkModel"),
    "pandas.dataframe": (".pandas", "PandasDataFrame"),
    "json": (".plain", "Json"),
    "text": (".plain", "Text"),
    "bytes": (".plain", "Bytes"),
    "file": (".plain", "File"),
    "directory": (".plain", "Directory"),
}


def find(type_name):
    """The materializer of a type. Its module, and what that imports, is loaded only now."""
    if type_name not in _BUILT_IN:
        raise RuntimeFault("this runtime knows no type '%s'; it knows: %s"
                           % (type_name, ", ".join(sorted(_BUILT_IN))))
    module, name = _BUILT_IN[type_name]
    return getattr(importlib.import_module(module, __name__), name)
