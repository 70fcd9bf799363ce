# SPDX-License-Identifier: Apache-2.0
"""Writes cases/random-*.case: settings that meet by chance. The same seed gives the same ones."""

import os
import random

from cases import FOLDER

COUNT = 40
# Each is a group of lines that mean something together; any two groups may meet.
POOL = [
    ["--name My Job {n}"],
    ["--conf spark.app.name=job_{n}.x"],
    ["--driver-memory {n}00m"],
    ["--driver-memory 1{n}g"],
    ["--driver-cores 3"],
    ["--executor-memory {n}g", "--executor-cores 2"],
    ["--num-executors {n}"],
    ["--jars local:///opt/{n}.jar,https://host/a.jar"],
    ["--files local:///opt/{n}.txt"],
    ["--archives https://host/env.tgz#env"],
    ["--driver-java-options -Xss{n}m -Dkey=\"a b\""],
    ["--driver-class-path /opt/x.jar:/opt/y/*"],
    ["--proxy-user user{n}"],
    ["--conf spark.kubernetes.driver.request.cores={n}00m"],
    ["--conf spark.kubernetes.driver.limit.cores=1{n}"],
    ["--conf spark.driver.memoryOverhead={n}00m"],
    ["--conf spark.driver.memoryOverheadFactor=0.{n}"],
    ["--conf spark.kubernetes.memoryOverheadFactor=0.{n}5"],
    ["--conf spark.driver.minMemoryOverhead={n}50m"],
    ["--conf spark.kubernetes.driver.pod.name=driver-{n}"],
    ["--conf spark.kubernetes.driver.label.a=b{n}", "--conf spark.kubernetes.driver.label.c=x"],
    ["--conf spark.kubernetes.driver.annotation.a=of {{APP_ID}} {n}"],
    ["--conf spark.kubernetes.driver.service.label.s=t{n}"],
    ["--conf spark.kubernetes.driver.service.annotation.s=t {n}"],
    ["--conf spark.kubernetes.driverEnv.A{n}=x=y", "--conf spark.kubernetes.driverEnv.B=$(A{n})"],
    ["--conf spark.executorEnv.E={n}"],
    ["--conf spark.kubernetes.driver.secrets.s{n}=/etc/s{n}"],
    ["--conf spark.kubernetes.driver.secretKeyRef.K{n}=s{n}:k"],
    ["--conf spark.kubernetes.node.selector.disk=ssd{n}"],
    ["--conf spark.kubernetes.driver.node.selector.disk=driver{n}"],
    ["--conf spark.kubernetes.container.image.pullPolicy=Always"],
    ["--conf spark.kubernetes.container.image.pullSecrets=p{n},q"],
    ["--conf spark.kubernetes.driver.container.image=driver:{n}"],
    ["--conf spark.kubernetes.driver.scheduler.name=s{n}"],
    ["--conf spark.kubernetes.authenticate.driver.serviceAccountName=spark"],
    ["--conf spark.driver.port=700{n}", "--conf spark.ui.port=400{n}"],
    ["--conf spark.blockManager.port=710{n}"],
    ["--conf spark.driver.resource.gpu.amount={n}",
     "--conf spark.driver.resource.gpu.vendor=amd.com"],
    ["--conf spark.kubernetes.driver.volumes.emptyDir.e{n}.mount.path=/e",
     "--conf spark.kubernetes.driver.volumes.emptyDir.e{n}.options.sizeLimit={n}Gi"],
    ["--conf spark.kubernetes.driver.volumes.hostPath.spark-local-dir-{n}.mount.path=/l{n}",
     "--conf spark.kubernetes.driver.volumes.hostPath.spark-local-dir-{n}.options.path=/m"],
    ["--conf spark.kubernetes.driver.volumes.persistentVolumeClaim.c{n}.mount.path=/c",
     "--conf spark.kubernetes.driver.volumes.persistentVolumeClaim.c{n}.options.claimName=OnDemand",
     "--conf spark.kubernetes.driver.volumes.persistentVolumeClaim.c{n}.options.storageClass=s",
     "--conf spark.kubernetes.driver.volumes.persistentVolumeClaim.c{n}.options.sizeLimit={n}Gi"],
    ["--conf spark.local.dir=/scratch{n},/other"],
    ["--conf spark.kubernetes.local.dirs.tmpfs=true"],
    ["--conf spark.kubernetes.hadoop.configMapName=hadoop{n}"],
    ["--conf spark.kubernetes.kerberos.krb5.configMapName=krb{n}"],
    ["--conf spark.kubernetes.authenticate.driver.oauthToken=t{n}"],
    ["--conf spark.kubernetes.driver.podTemplateFile=@DIR@/driver.yaml"],
    ["--conf spark.kubernetes.executor.podTemplateFile=@DIR@/executor.yaml"],
    ["--properties-file @DIR@/app.properties"],
]
RESOURCES = [
    ["--class org.example.Main", "local:///opt/app.jar", "a", "--b"],
    ["--class org.example.Main", "https://host/dir/app.jar"],
    ["local:///opt/app.py", "a b"],
    ["--py-files local:///opt/lib.zip", "local:///opt/app.py"],
    ["local:///opt/app.R"],
]
FILES = {
    "driver.yaml": """apiVersion: v1
kind: Pod
metadata: {labels: {t: template, a: template}, annotations: {a: template}}
spec:
  volumes: [{name: v, emptyDir: {}}]
  tolerations: [{key: k, operator: Exists}]
  nodeSelector: {disk: template, t: t}
  containers:
    - name: spark
      env: [{name: T, value: "1"}]
      volumeMounts: [{name: v, mountPath: /v}]
      resources: {limits: {memory: 1Gi, ephemeral-storage: 1Gi}}
    - name: side
      image: side:1
""",
    "executor.yaml": "apiVersion: v1\nkind: Pod\nspec: {containers: [{name: e}]}\n",
    "app.properties": "spark.from.file = 1\nspark.driver.memory 1300m\nspark.ui.port 4444\n",
}


def write_case(number, chance):
    groups = chance.sample(POOL, chance.randint(5, 16))
    lines = [line for group in groups for line in numbered(group, chance)]
    # spark-submit cannot do with remote jars beside an R program.
    resources = RESOURCES[:4] if any(line.startswith("--jars") for line in lines) else RESOURCES
    text = "# Settings that meet by chance.\n\n%s\n" % "\n".join(lines + chance.choice(resources))
    for name, content in FILES.items():
        if "@DIR@/" + name in text:
            text += "\n== %s\n%s" % (name, content)
    with open(os.path.join(FOLDER, "random-%02d.case" % number), "w", encoding="utf-8") as file:
        file.write(text)


def numbered(group, chance):
    number = str(chance.randint(1, 9))
    return [line.replace("{n}", number) for line in group]


def main():
    chance = random.Random(20261125)
    for number in range(1, COUNT + 1):
        write_case(number, chance)


if __name__ == "__main__":
    main()
