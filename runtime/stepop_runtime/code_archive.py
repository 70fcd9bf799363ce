# SPDX-License-Identifier: Apache-2.0
"""Packs the *.py files of the code folder, so that executors import what the driver imports."""
import os
import zipfile

_EPOCH = (1980, 1, 1, 0, 0, 0)


def pack(code, folder):
    """A zip of all modules below `code`, the same bytes for the same modules. Returns its path."""
    path = os.path.join(folder, "stepop_code.zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, source in sorted(_modules(code, "", ())):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            if source is None:
                archive.writestr(entry, b"")
                continue
            entry.external_attr = 0o644 << 16
            with open(source, "rb") as stream:
                archive.writestr(entry, stream.read())
    return path


def _modules(folder, prefix, above):
    """(name in the zip, file), and (name/, None) for folders: without these entries zipimport
    does not find packages that have no __init__.py. Links are followed, for in a ConfigMap volume
    every name is one; hidden names are not, among them the volume's own `..data`."""
    real = os.path.realpath(folder)
    if real in above or os.path.exists(os.path.join(folder, "pyvenv.cfg")):
        return []
    found = []
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if name.startswith(".") or name == "__pycache__":
            continue
        if os.path.isdir(path):
            inner = _modules(path, prefix + name + "/", above + (real,))
            found += [(prefix + name + "/", None)] + inner if inner else []
        elif name.endswith(".py") and os.path.isfile(path):
            found.append((prefix + name, path))
    return found
