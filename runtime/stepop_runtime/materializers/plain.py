# SPDX-License-Identifier: Apache-2.0
"""Types that need nothing but Python: json, text, bytes, file, directory."""
import json
import os


class Json:
    """value.json, strict: what another language could not read back is refused."""

    @staticmethod
    def save(value, uri, context):
        try:
            text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2, default=_of_numpy)
        except ValueError as error:
            raise ValueError("%s (JSON has no nan, no infinity and no circles)" % error) from None
        context.storage.write(uri + "value.json", (text + "\n").encode("utf-8"))
        return {}

    @staticmethod
    def load(uri, context):
        return json.loads(context.storage.read(uri + "value.json").decode("utf-8"))


def _of_numpy(value):
    """Metrics are numpy's scalars more often than not; as plain numbers they are JSON."""
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError("JSON cannot hold a %s" % type(value).__name__)


class Text:
    """value.txt in UTF-8."""

    @staticmethod
    def save(value, uri, context):
        _expect(value, str, "a str")
        context.storage.write(uri + "value.txt", value.encode("utf-8"))
        return {"characters": len(value)}

    @staticmethod
    def load(uri, context):
        return context.storage.read(uri + "value.txt").decode("utf-8")


class Bytes:
    """value.bin"""

    @staticmethod
    def save(value, uri, context):
        _expect(value, (bytes, bytearray, memoryview), "bytes")
        context.storage.write(uri + "value.bin", bytes(value))
        return {}

    @staticmethod
    def load(uri, context):
        return context.storage.read(uri + "value.bin")


class File:
    """file/NAME: a copy of the file, under its own name."""

    @staticmethod
    def save(value, uri, context):
        path = _path(value)
        if not os.path.isfile(path):
            raise ValueError("there is no file '%s'" % path)
        context.storage.put(path, uri + "file/" + os.path.basename(path))
        return {"name": os.path.basename(path), "size_bytes": os.path.getsize(path)}

    @staticmethod
    def load(uri, context):
        names = context.storage.names(uri + "file/")
        if len(names) != 1:
            raise ValueError("the artifact must hold one file, not %d" % len(names))
        return context.storage.local_copy(uri + "file/" + names[0])


class Directory:
    """directory/: a copy of the folder and all below it."""

    @staticmethod
    def save(value, uri, context):
        path = _path(value)
        if not os.path.isdir(path):
            raise ValueError("there is no folder '%s'" % path)
        context.storage.put_tree(path, uri + "directory/")
        return {"name": os.path.basename(os.path.abspath(path))}

    @staticmethod
    def load(uri, context):
        return context.storage.local_copy(uri + "directory/")


def _expect(value, kinds, what):
    if not isinstance(value, kinds):
        raise TypeError("expected %s" % what)


def _path(value):
    _expect(value, (str, os.PathLike), "a path (str or os.PathLike)")
    return os.path.abspath(os.fspath(value))
