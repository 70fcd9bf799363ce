# SPDX-License-Identifier: Apache-2.0
"""The two ways in which a step can go wrong, and what to do about the common causes."""


class StepError(Exception):
    """The step is wrong: its function, its arguments, what it returned. Exit status 1."""


class RuntimeFault(Exception):
    """The runtime could not do its part: an input, an output, Spark itself. Exit status 70."""


class Terminated(BaseException):
    """The process was asked to end (SIGTERM). No `except Exception` of a step swallows it."""


# What stands in the text of a failure, and what helps. The first row that fits is used.
_ADVICE = (
    (("PATH_ALREADY_EXISTS", "AlreadyExists", "FileExistsError", "Path exists"),
     "this attempt has run before: start the step again as a new attempt"),
    (("S3AFileSystem not found", "No FileSystem for scheme"),
     "this Spark lacks the file system: add hadoop-aws and its AWS SDK bundle to the image"),
    (("NoAuthWithAWS", "No AWS Credentials", "Unable to load AWS credentials", "AccessDenied",
      "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "Forbidden"),
     "the artifact store refuses this pod: check the stack's authentication secret and its rights"),
    (("NoSuchBucket", "Bucket does not exist", "bucket does not exist"),
     "create the bucket, or correct the path of the artifact store"),
    (("UnknownHost", "Connection refused", "ConnectException", "connect timed out",
      "Unable to execute HTTP request"),
     "the artifact store cannot be reached from here: check its endpoint"),
    (("Answer from Java side is empty", "Py4JNetworkError", "Error while obtaining a new"),
     "Spark's JVM is gone, most often out of memory: give the driver more"),
    (("OutOfMemoryError", "Java heap space"), "give the driver or the executors more memory"),
    (("JAVA_GATEWAY_EXITED", "Java gateway process exited", "JAVA_HOME"),
     "its reason stands before this in the log: most often there is no Java that this Spark supports "
     "(JAVA_HOME), or the master or a property is not valid"),
    (("No space left",), "free some disk space"),
    (("FileNotFound", "PATH_NOT_FOUND", "Path does not exist", "No such file"),
     "it is not there (any more): run the step that makes it again"),
    (("Permission denied",), "give this user the right to it"),
)


def advice(text):
    """What to do about a failure with this text, to be put after its message; '' if unknown."""
    for signs, what_to_do in _ADVICE:
        if any(sign in text for sign in signs):
            return "; " + what_to_do
    return ""
