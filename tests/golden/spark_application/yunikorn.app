name: korn
namespace: default
submission_id: korn
spark_version: "3.5.9"
resource: python
main_resource: local:///opt/app/main.py
properties:
  spark.driver.cores: "1"
  spark.driver.memory: 1g
  spark.executor.cores: "2"
  spark.executor.instances: "2"
  spark.executor.memory: 4g
  spark.executor.pyspark.memory: "100"
  spark.kubernetes.container.image: registry.example/spark:3.5.9
  spark.kubernetes.driver.annotation.yunikorn.apache.org/task-group-name: spark-driver
  spark.kubernetes.driver.annotation.yunikorn.apache.org/task-groups: "[{\"name\":\"spark-driver\",\"minMember\":1,\"minResource\":{\"cpu\":\"1\",\"memory\":\"1433Mi\"},\"nodeSelector\":{\"pool\":\"drivers\"}},{\"name\":\"spark-executor\",\"minMember\":2,\"minResource\":{\"cpu\":\"2\",\"memory\":\"6858Mi\"},\"tolerations\":[{\"key\":\"spot\",\"operator\":\"Exists\"}],\"labels\":{\"kind\":\"worker\",\"queue\":\"root.default\"}}]"
  spark.kubernetes.driver.container.image: registry.example/spark:3.5.9
  spark.kubernetes.driver.label.queue: root.default
  spark.kubernetes.driver.label.sparkoperator.k8s.io/app-name: korn
  spark.kubernetes.driver.node.selector.pool: drivers
  spark.kubernetes.driver.pod.name: korn-driver
  spark.kubernetes.driver.scheduler.name: yunikorn
  spark.kubernetes.executor.annotation.yunikorn.apache.org/task-group-name: spark-executor
  spark.kubernetes.executor.container.image: registry.example/spark:3.5.9
  spark.kubernetes.executor.label.kind: worker
  spark.kubernetes.executor.label.queue: root.default
  spark.kubernetes.executor.label.sparkoperator.k8s.io/app-name: korn
  spark.kubernetes.executor.scheduler.name: yunikorn
  spark.memory.offHeap.enabled: "true"
  spark.memory.offHeap.size: 1g
executor_template:
  apiVersion: v1
  kind: Pod
  spec:
    containers:
      - name: spark-kubernetes-executor
    tolerations:
      - key: spot
        operator: Exists
warnings:
  - "tests/golden/spark_application/yunikorn.yaml:14:5: spec.batchSchedulerOptions.priorityClassName: the scheduler 'yunikorn' does not read it"
