# SPDX-License-Identifier: Apache-2.0
"""What stepop does differently from spark-submit on purpose: one function for each such rule.

Each checks that stepop's objects do so, and then turns them into what Spark's would be, so that
nothing else can hide behind it. docs/submit.md has the reasons.
"""

import json
import re

from normal_form import expect, sort_environment, spark_container

REDACTED = "*********(redacted)"
SUBMISSION = "stepop.dev/submission"
MANAGED_BY = "app.kubernetes.io/managed-by"
EXECUTOR_LABEL = "spark.kubernetes.executor.label."
EXECUTOR_PREFIX = "spark.kubernetes.executor.podNamePrefix"


def of_kind(objects, kind):
    return [one for one in objects if one["kind"] == kind]


def config_map(objects):
    return next(one for one in of_kind(objects, "ConfigMap")
                if one["metadata"]["name"].startswith("spark-drv-"))


def properties(objects):
    return config_map(objects)["data"]["spark.properties"]


def all_properties(objects):
    """Those in the ConfigMap, and those in a Secret where some are sensitive."""
    return [one["data"]["spark.properties"] for one in objects
            if "spark.properties" in one.get("data", {})]


def check_order(objects):
    """The Pod is made last: it never waits for what it mounts."""
    kinds = [one["kind"] for one in objects]
    expect(kinds.index("Pod") == len(kinds) - 1, "the Pod is not the last of %s" % kinds)


class Deviations:
    """Of one case: `case` says which rules may act, `spark` is what spark-submit has made."""

    def __init__(self, case, spark):
        self.case, self.spark = case, spark

    def allowed(self, name):
        return name in self.case.settings.get("deviation", "").split(", ")

    def undo(self, objects):
        self.labels(objects)
        self.service_links(objects)
        self.executor_prefix(objects)
        self.archives(objects)
        if self.allowed("local R"):
            self.local_r(objects)
        if self.allowed("sensitive"):
            objects = self.sensitive_properties(objects)
        return objects

    def labels(self, objects):
        """Every object, the Service's selector and the executors carry stepop's labels."""
        def take(labels, prefix=""):
            expect(labels.pop(prefix + MANAGED_BY, None) == "stepop", "no label " + MANAGED_BY)
            return labels.pop(prefix + SUBMISSION, "")

        found = {take(one["metadata"].get("labels", {})) for one in objects}
        found |= {take(one["spec"]["selector"]) for one in of_kind(objects, "Service")}
        found |= {take(one, EXECUTOR_LABEL) for one in all_properties(objects)}
        expect(len(found) == 1 and re.fullmatch("[0-9a-f]{16}", *found),
               "the labels %s are %s" % (SUBMISSION, sorted(found)))
        for one in objects:
            if one["metadata"].get("labels") == {}:
                del one["metadata"]["labels"]

    def service_links(self, objects):
        """The variables of thousands of Services are too long for a command line; a template
        may want them all the same."""
        wanted = None if self.allowed("links of the template") else False
        for pod in of_kind(objects, "Pod"):
            expect(pod["spec"].pop("enableServiceLinks", None) is wanted,
                   "enableServiceLinks is not %s" % wanted)

    def executor_prefix(self, objects):
        """Executors are called as the driver is, unless the user says how."""
        if EXECUTOR_PREFIX in properties(list(self.spark.values())):
            return
        names = [one["metadata"]["name"] for one in objects]
        for prefix in [one.pop(EXECUTOR_PREFIX, "") for one in all_properties(objects)]:
            expect(any(name.startswith(prefix + "-driver") for name in names),
                   "%s is '%s'" % (EXECUTOR_PREFIX, prefix))

    def archives(self, objects):
        """Spark writes file:/path for archives alone, stepop file:///path: one and the same."""
        for one in all_properties(objects):
            if "spark.archives" in one:
                one["spark.archives"] = re.sub("(^|,)file:///", r"\1file:/",
                                               one["spark.archives"])

    def local_r(self, objects):
        """A local R program is uploaded; Spark's driver is told a path of the client."""
        spark = next(one for name, one in self.spark.items() if name.startswith("Pod/"))
        told = spark_container(spark)["args"]
        args = spark_container(of_kind(objects, "Pod")[0])["args"]
        place = next(i for i, one in enumerate(told) if one.endswith(".R"))
        expect("/spark-upload-" in args[place], "'%s' was not uploaded" % args[place])
        args[place] = told[place]

    # Sensitive properties travel in a Secret, and are hidden in the ConfigMap.

    def sensitive_properties(self, objects):
        secret = next((one for one in of_kind(objects, "Secret")
                       if one["metadata"]["name"].endswith("-properties")), None)
        expect(secret, "no Secret holds the sensitive properties")
        others = [one for one in objects if one is not secret]
        if "spark.properties" in secret["data"]:
            self.show_properties(others, secret["data"]["spark.properties"])
            self.mount_config_map(others, secret)
        self.show_variables(others, secret)
        return others

    def show_properties(self, objects, real):
        shown = properties(objects)
        expect(shown.keys() == real.keys(), "the Secret and the ConfigMap have not the same keys")
        hidden = {key for key in real if shown[key] != real[key]}
        expect(hidden, "nothing is hidden")
        for key in hidden:
            expect(shown[key] == REDACTED, "%s is shown as '%s'" % (key, shown[key]))
            expect_hidden(objects, real[key], key)
        config_map(objects)["data"]["spark.properties"] = real

    def show_variables(self, objects, secret):
        """Variables are references to the Secret: of the driver, and as properties."""
        name, values = secret["metadata"]["name"], secret["data"]
        for key in values:
            if key != "spark.properties":
                expect_hidden(objects, values[key], key)
        for role, variables in (("driver", "spark.kubernetes.driverEnv."),
                                ("executor", "spark.executorEnv.")):
            prefix = "spark.kubernetes.%s.secretKeyRef." % role
            for key, reference in list(properties(objects).items()):
                if key.startswith(prefix) and reference.startswith(name + ":"):
                    del properties(objects)[key]
                    value = values[reference[len(name) + 1:]]
                    properties(objects)[variables + key[len(prefix):]] = value
        show_driver_variables(spark_container(of_kind(objects, "Pod")[0]), name, values)

    def mount_config_map(self, objects, secret):
        volume = next(one for one in of_kind(objects, "Pod")[0]["spec"]["volumes"]
                      if one["name"] == "spark-conf-volume-driver")
        sources = volume.pop("projected", {}).get("sources", [])
        items = [item for source in sources for item in next(iter(source.values()))["items"]]
        names = {(kind, source[kind]["name"]) for source in sources for kind in source}
        expect(names <= {("configMap", config_map(objects)["metadata"]["name"]),
                         ("secret", secret["metadata"]["name"])}, "%s are mounted" % names)
        volume["configMap"] = {"name": config_map(objects)["metadata"]["name"],
                               "items": sorted(items, key=lambda item: item["key"])}


def expect_hidden(objects, value, key):
    expect(value not in json.dumps(objects, ensure_ascii=False),
           "the value of %s can be read elsewhere" % key)


def show_driver_variables(container, secret, values):
    """In the place of Spark's plain ones: before the driver's address."""
    shown, others = [], []
    for variable in container["env"]:
        reference = variable.get("valueFrom", {}).get("secretKeyRef", {})
        if reference.get("name") == secret:
            shown.append({"name": variable["name"], "value": values[reference["key"]]})
        else:
            others.append(variable)
    place = [one["name"] for one in others].index("SPARK_DRIVER_BIND_ADDRESS")
    container["env"] = others[:place] + shown + others[place:]
    sort_environment(container)
