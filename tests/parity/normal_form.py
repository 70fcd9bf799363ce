# SPDX-License-Identifier: Apache-2.0
"""One form for objects, wherever they come from: as stored by an API server, or about to be sent.

What is taken out, or put in an order, means nothing to Kubernetes and Spark. Nothing here knows
stepop; what it does differently on purpose is in deviations.py.
"""

import base64
import json
import re
from fractions import Fraction

# What the API server writes into an object that leaves it out. A path is of keys, "*" is any.
DEFAULTS = {
    "Pod": [
        ("spec.dnsPolicy", "ClusterFirst"),
        ("spec.enableServiceLinks", True),
        ("spec.preemptionPolicy", "PreemptLowerPriority"),
        ("spec.schedulerName", "default-scheduler"),
        ("spec.securityContext", {}),
        ("spec.serviceAccount", "default"),
        ("spec.serviceAccountName", "default"),
        ("spec.terminationGracePeriodSeconds", 30),
        ("spec.volumes.*.configMap.defaultMode", 420),
        ("spec.volumes.*.secret.defaultMode", 420),
        ("spec.volumes.*.projected.defaultMode", 420),
        ("spec.volumes.*.emptyDir.medium", ""),
        ("spec.volumes.*.hostPath.type", ""),
        ("spec.volumes.*.nfs.readOnly", False),
        ("spec.volumes.*.persistentVolumeClaim.readOnly", False),
    ],
    "container": [
        ("env.*.value", ""),
        ("env.*.valueFrom.fieldRef.apiVersion", "v1"),
        ("imagePullPolicy", "IfNotPresent"),
        ("livenessProbe.failureThreshold", 3),
        ("livenessProbe.periodSeconds", 10),
        ("livenessProbe.successThreshold", 1),
        ("livenessProbe.timeoutSeconds", 1),
        ("ports.*.protocol", "TCP"),
        ("resources", {}),
        ("terminationMessagePath", "/dev/termination-log"),
        ("terminationMessagePolicy", "File"),
        ("volumeMounts.*.readOnly", False),
        ("volumeMounts.*.subPath", ""),
        ("volumeMounts.*.subPathExpr", ""),
    ],
    "Service": [
        ("spec.clusterIPs", ["None"]),
        ("spec.internalTrafficPolicy", "Cluster"),
        ("spec.ports.*.protocol", "TCP"),
        ("spec.publishNotReadyAddresses", False),
        ("spec.sessionAffinity", "None"),
        ("spec.type", "ClusterIP"),
    ],
    "PersistentVolumeClaim": [
        ("metadata.finalizers", ["kubernetes.io/pvc-protection"]),
        ("spec.volumeMode", "Filesystem"),
    ],
    "NetworkPolicy": [("spec.policyTypes", ["Ingress"])],
    "Secret": [("type", "Opaque")],
}
SERVER_FIELDS = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink",
                 "uid")


class Difference(Exception):
    """What must hold does not."""


def expect(condition, message):
    if not condition:
        raise Difference(message)


def containers(pod):
    spec = pod["spec"]
    return spec.get("initContainers", []) + spec["containers"]


def spark_container(pod):
    return pod["spec"]["containers"][-1]


def drop_default(value, path, default):
    key, *rest = path
    members = value if key == "*" else [value] if isinstance(value, dict) and key in value else []
    for member in members:
        if key == "*":
            drop_default(member, rest, default)
        elif rest:
            drop_default(member[key], rest, default)
        elif member[key] == default:
            del member[key]


def drop_defaults(value, kind):
    for path, default in DEFAULTS.get(kind, []):
        drop_default(value, path.split("."), default)


# Kubernetes' canonical quantities: the largest unit that leaves no fraction.

BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]
DECIMAL = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"]


def canonical_quantity(text):
    match = re.fullmatch(r"([+-]?[0-9.]+)(?:([eE][+-]?[0-9]+)|([A-Za-z]*))", str(text))
    if not match or match.group(2) or match.group(3) not in BINARY + DECIMAL:
        return text
    number, unit = Fraction(match.group(1)), match.group(3)
    units, base = (BINARY, 1024) if unit.endswith("i") else (DECIMAL, 1000)
    number *= Fraction(base) ** (units.index(unit) - units.index(""))
    for exponent in range(len(units) - 1 - units.index(""), -1 - units.index(""), -1):
        scaled = number / Fraction(base) ** exponent
        if scaled.denominator == 1 and (scaled or not exponent):
            return "%d%s" % (scaled, units[exponent + units.index("")])
    return text


def canonical_resources(resources):
    """A missing request is that of the limit."""
    for amounts in resources.values():
        for name, amount in amounts.items():
            amounts[name] = canonical_quantity(amount)
    limits, requests = resources.get("limits", {}), resources.get("requests", {})
    for name in [name for name in requests if requests[name] == limits.get(name)]:
        del requests[name]
    for name in [name for name in resources if not resources[name]]:
        del resources[name]


# Each kind.


def drop_token_volume(pod):
    """Admission mounts the account's token everywhere."""
    tokens = {volume["name"] for volume in pod["spec"].get("volumes", [])
              if volume["name"].startswith("kube-api-access-")}
    pod["spec"]["volumes"] = [volume for volume in pod["spec"].get("volumes", [])
                              if volume["name"] not in tokens]
    for container in containers(pod):
        mounts = container.get("volumeMounts", [])
        container["volumeMounts"] = [mount for mount in mounts if mount["name"] not in tokens]


def drop_admission_tolerations(pod):
    added = [{"effect": "NoExecute", "key": "node.kubernetes.io/" + key, "operator": "Exists",
              "tolerationSeconds": 300} for key in ("not-ready", "unreachable")]
    tolerations = pod["spec"].pop("tolerations", [])
    kept = [toleration for toleration in tolerations if toleration not in added]
    if kept:
        pod["spec"]["tolerations"] = kept


def sort_environment(container):
    """Spark keeps driverEnv.* and secretKeyRef.* in hash tables: each of both has no order. The
    first are between what Spark itself says first, and the driver's address; the second follow."""
    env = container.get("env", [])
    names = [variable["name"] for variable in env]
    first = next((place for place in range(len(env))
                  if names[place:place + 2] == ["SPARK_USER", "SPARK_APPLICATION_ID"]), None)
    if first is None:
        return
    address = next(place for place, variable in enumerate(env)
                   if names[place] == "SPARK_DRIVER_BIND_ADDRESS" and "valueFrom" in variable)
    end = address + 1
    while end < len(env) and "secretKeyRef" in env[end].get("valueFrom", {}):
        end += 1
    for begin, stop in ((first + 2, address), (address + 1, end)):
        env[begin:stop] = sorted(env[begin:stop], key=lambda one: one["name"])


def sort_local_dirs(container):
    """Spark shuffles them."""
    for variable in container.get("env", []):
        if variable["name"] == "SPARK_LOCAL_DIRS":
            variable["value"] = ",".join(sorted(variable["value"].split(",")))


def order_local_dirs(pod):
    """Spark numbers the volumes of its local folders as it has shuffled them."""
    mounts = [mount for mount in spark_container(pod).get("volumeMounts", [])
              if re.fullmatch(r"spark-local-dir-\d+", mount["name"])]
    volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
    kinds = {json.dumps(volumes[mount["name"]].get("emptyDir")) for mount in mounts}
    if len(kinds) == 1 and "null" not in kinds:
        names = sorted(mount["name"] for mount in mounts)
        for mount, name in zip(sorted(mounts, key=lambda one: one["mountPath"]), names):
            mount["name"] = name


def normal_pod(pod):
    spec = pod["spec"]
    drop_token_volume(pod)
    drop_admission_tolerations(pod)
    order_local_dirs(pod)
    spec.pop("priority", None)  # admission's, by the class
    # serviceAccount is the old name of the other.
    if "serviceAccountName" in spec:
        spec.setdefault("serviceAccount", spec["serviceAccountName"])
    for container in containers(pod):
        canonical_resources(container.get("resources", {}))
        drop_defaults(container, "container")
        sort_environment(container)
        sort_local_dirs(container)
        container["volumeMounts"].sort(key=lambda mount: mount["mountPath"])
    for volume in spec["volumes"]:
        for source in ("configMap", "secret"):
            volume.get(source, {}).get("items", []).sort(key=lambda item: item["key"])
        if "sizeLimit" in volume.get("emptyDir", {}):
            volume["emptyDir"]["sizeLimit"] = canonical_quantity(volume["emptyDir"]["sizeLimit"])
    spec["volumes"].sort(key=lambda volume: volume["name"])


def read_properties(text):
    """java.util.Properties text, as Java writes it: no line goes on in the next one."""
    properties = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            key, value = re.fullmatch(r"((?:[^=\\]|\\.)*)=(.*)", line).groups()
            key, value = (re.sub(r"\\(u[0-9A-Fa-f]{4}|.)", unescape, part) for part in (key, value))
            expect(key not in properties, "the property %s is there twice" % key)
            properties[key] = value
    return properties


def unescape(match):
    escape = match.group(1)
    if len(escape) > 1:
        return chr(int(escape[1:], 16))
    return {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}.get(escape, escape)


def normal_data(map_):
    if "spark.properties" in map_.get("data", {}):
        properties = read_properties(map_["data"]["spark.properties"])
        expect(re.fullmatch(r"\d{13}", properties.get("spark.app.submitTime", "")),
               "spark.app.submitTime is no time in milliseconds")
        properties["spark.app.submitTime"] = "@TIME@"
        map_["data"]["spark.properties"] = properties


def normal_secret(secret):
    data = {key: base64.b64decode(value) for key, value in secret.pop("data", {}).items()}
    data.update({key: text.encode() for key, text in secret.pop("stringData", {}).items()})
    secret["data"] = {}
    for key, value in data.items():
        try:
            secret["data"][key] = value.decode()
        except UnicodeDecodeError:
            secret["data"][key] = {"base64": base64.b64encode(value).decode()}
    normal_data(secret)


def normal_claim(claim):
    requests = claim["spec"]["resources"]["requests"]
    requests["storage"] = canonical_quantity(requests["storage"])


KINDS = {"Pod": normal_pod, "ConfigMap": normal_data, "Secret": normal_secret,
         "PersistentVolumeClaim": normal_claim}


def normal_object(object_, namespace):
    metadata = object_["metadata"]
    for field in SERVER_FIELDS:
        metadata.pop(field, None)
    object_.pop("status", None)
    expect(metadata.pop("namespace") == namespace, "the namespace is not %s" % namespace)
    KINDS.get(object_["kind"], lambda any_: None)(object_)
    drop_defaults(object_, object_["kind"])
    return without_empty(object_)


def without_empty(value, key=None):
    """An empty list or mapping is as none, but where it is all there is to say."""
    if isinstance(value, list):
        return [without_empty(member) for member in value]
    if isinstance(value, dict) and key != "data":
        members = {name: without_empty(member, name) for name, member in value.items()}
        return {name: member for name, member in members.items()
                if member not in ({}, [], None) or name in ("emptyDir", "podSelector")}
    return value


# Names and numbers taken at random: each must be one and the same wherever it stands.

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
RANDOM = [
    (r"spark-drv-([0-9a-f]{16})-conf-map", "@CONFIG-ID@"),
    (r"spark-([0-9a-f]{16})-driver-svc", "@SERVICE-ID@"),
    (r"(?<![0-9a-f])spark-([0-9a-f]{32})", "@APP-ID@"),
    (r"/var/data/spark-(" + UUID + ")", "@LOCAL-ID@"),
    (r"(?<![0-9a-z])([x0-9a-f][0-9a-f]{15})(?![0-9a-f])", "@ID@"),
]


def replace_random(text):
    for pattern, name in RANDOM:
        found = set(re.findall(pattern, text))
        expect(len(found) <= 1, "more than one %s: %s" % (name, ", ".join(sorted(found))))
        text = re.sub(pattern, lambda match: match.group(0).replace(match.group(1), name), text)
    return re.sub(r"spark-upload-" + UUID, "spark-upload-@UUID@", text)


def replace_claim_numbers(objects):
    """Spark numbers claims in the order of a hash table: say the volume's name in its place."""
    text = json.dumps(objects)
    for pod in (one for one in objects if one["kind"] == "Pod"):
        for volume in pod["spec"].get("volumes", []):
            claim = volume.get("persistentVolumeClaim", {}).get("claimName", "")
            if re.search(r"-driver-pvc-\d+", claim):
                number = re.search(r"-driver-pvc-\d+", claim).group(0)
                text = text.replace(number + '"', '-driver-pvc-@%s@"' % volume["name"])
    return json.loads(text)


def normal_objects(objects, values, adjust=lambda objects: objects):
    """{"Kind/name": object}; `values` are what the case's @NAME@s stood for."""
    objects = adjust([normal_object(object_, values["NAMESPACE"]) for object_ in objects])
    text = json.dumps(replace_claim_numbers(objects), ensure_ascii=False)
    for name, value in sorted(values.items(), key=lambda item: -len(item[1])):
        text = text.replace(value, "@%s@" % name)
    objects = json.loads(replace_random(text))
    named = {"%s/%s" % (one["kind"], one["metadata"]["name"]): one for one in objects}
    expect(len(named) == len(objects), "two objects have one name")
    return dict(sorted(named.items()))


def take_owners(objects):
    """The driver's Pod owns all the others, as their controller, and nobody owns the Pod."""
    pod = next(one for one in objects if one["kind"] == "Pod")
    owner = {"apiVersion": "v1", "kind": "Pod", "controller": True,
             "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}
    for one in objects:
        owners = one["metadata"].pop("ownerReferences", [])
        expect(owners == ([] if one is pod else [owner]),
               "the owner of the %s %s is %s" % (one["kind"], one["metadata"]["name"], owners))


def rendered(value, margin=""):
    """JSON with sorted keys; what fits into a line is one."""
    line = json.dumps(value, sort_keys=True, ensure_ascii=False)
    if not value or not isinstance(value, (dict, list)) or len(margin + line) <= 98:
        return line
    inner = margin + " "
    if isinstance(value, list):
        members = [inner + rendered(member, inner) for member in value]
    else:
        members = ["%s%s: %s" % (inner, json.dumps(key, ensure_ascii=False),
                                 rendered(value[key], inner)) for key in sorted(value)]
    opening, closing = "[]" if isinstance(value, list) else "{}"
    return "%s\n%s\n%s%s" % (opening, ",\n".join(members), margin, closing)
