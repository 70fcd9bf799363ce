# SPDX-License-Identifier: Apache-2.0
"""Files by URI. file:// needs nothing; s3:// goes through Spark's own file systems (S3A), which
have the pod's credentials. Nothing that exists is ever overwritten.

A URI is not percent-encoded: as in Hadoop, what follows `file://` is the path."""
import os


class Scratch:
    """A folder for this process, made when first asked for."""
    made = []  # all of the process, for an end without ceremony

    def __init__(self):
        self._path = None

    def path(self):
        if self._path is None:
            import tempfile
            self._path = tempfile.mkdtemp(prefix="stepop-")
            self.made.append(self)
        return self._path

    def new_folder(self):
        import tempfile
        return tempfile.mkdtemp(dir=self.path())

    def remove(self):
        if self._path is not None:
            import shutil
            shutil.rmtree(self._path, ignore_errors=True)


def is_local(uri):
    return uri.startswith("file://")


def local_path(uri):
    """The path that a file:// URI names."""
    return uri[len("file://"):]


def spark_uri(uri):
    """The URI as Spark's file systems know it."""
    return "s3a://" + uri[len("s3://"):] if uri.startswith("s3://") else uri


def readable(uri):
    """What a step is handed for a declared file: a plain path where there is one."""
    return local_path(uri) if is_local(uri) else spark_uri(uri)


class Storage:
    """Reads and writes artifacts, whichever store they are in."""

    def __init__(self, spark, scratch):
        self._local = _Local()
        self._hadoop = _Hadoop(spark)
        self._scratch = scratch

    def _of(self, uri):
        return self._local if is_local(uri) else self._hadoop

    def read(self, uri):
        """The bytes of a file."""
        with open(self.local_copy(uri), "rb") as stream:
            return stream.read()

    def write(self, uri, data):
        """Writes a file whole: nobody sees a part of it."""
        if is_local(uri):
            return self._local.write(local_path(uri), data)
        path = os.path.join(self._scratch.new_folder(), "data")
        with open(path, "wb") as stream:
            stream.write(data)
        return self._hadoop.put(path, uri)

    def names(self, uri):
        """The names of what is directly in a folder, sorted."""
        return sorted(self._of(uri).names(uri))

    def put(self, path, uri):
        """Copies a file of this machine to `uri`."""
        self._of(uri).put(path, uri)

    def put_tree(self, folder, uri):
        """Copies all files below `folder` to the folder `uri`. Links become what they point to."""
        for place, folders, files in os.walk(folder, followlinks=True):
            folders.sort()
            relative = os.path.relpath(place, folder)
            prefix = "" if relative == "." else relative.replace(os.sep, "/") + "/"
            for name in sorted(files):
                self.put(os.path.join(place, name), uri + prefix + name)
        if is_local(uri):
            os.makedirs(local_path(uri), exist_ok=True)

    def local_copy(self, uri):
        """A path to read the file or (URI ends in '/') the folder from: in place, or downloaded."""
        if is_local(uri):
            path = local_path(uri)
            os.stat(path)
            return path
        path = os.path.join(self._scratch.new_folder(), uri.rstrip("/").rpartition("/")[2])
        self._hadoop.get(uri, path)
        return path


class _Local:
    def write(self, path, data):
        part = "%s.%d.part" % (path, os.getpid())
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(part, "wb") as stream:
            stream.write(data)
        try:
            if os.path.lexists(path):
                raise FileExistsError("FileExistsError: %s exists" % path)
            os.rename(part, path)
        except OSError:
            os.unlink(part)
            raise

    def names(self, uri):
        return os.listdir(local_path(uri))

    def put(self, path, uri):
        import shutil
        target = local_path(uri)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(path, "rb") as source, open(target, "xb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)


class _Hadoop:
    """org.apache.hadoop.fs.FileSystem through the gateway: bytes never pass through Python."""

    def __init__(self, spark):
        self._spark = spark

    def _open(self, uri):
        jvm = self._spark.jvm()
        path = jvm.org.apache.hadoop.fs.Path(spark_uri(uri))
        return jvm, path, path.getFileSystem(self._spark.hadoop_configuration())

    def names(self, uri):
        _, path, system = self._open(uri)
        return [status.getPath().getName() for status in system.listStatus(path)]

    def put(self, path, uri):
        jvm, target, system = self._open(uri)
        source = jvm.org.apache.hadoop.fs.Path("file://" + os.path.abspath(path))
        system.copyFromLocalFile(False, False, source, target)

    def get(self, uri, path):
        """Raw, for the local file system would leave a .crc file beside each copy."""
        jvm, source, system = self._open(uri)
        target = jvm.org.apache.hadoop.fs.Path("file://" + path)
        system.copyToLocalFile(False, source, target, True)
