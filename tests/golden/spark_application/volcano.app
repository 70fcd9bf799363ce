name: gang
namespace: default
submission_id: gang
spark_version: "3.5.9"
resource: java
main_class: org.x.Main
main_resource: local:///opt/app/main.jar
properties:
  spark.driver.cores: "1"
  spark.driver.memory: 1g
  spark.executor.cores: "1"
  spark.executor.instances: "3"
  spark.executor.memory: 8g
  spark.kubernetes.container.image: registry.example/spark:3.5.9
  spark.kubernetes.driver.annotation.scheduling.k8s.io/group-name: spark-gang-pg
  spark.kubernetes.driver.container.image: registry.example/spark:3.5.9
  spark.kubernetes.driver.label.sparkoperator.k8s.io/app-name: gang
  spark.kubernetes.driver.pod.name: gang-driver
  spark.kubernetes.driver.request.cores: 500m
  spark.kubernetes.driver.scheduler.name: volcano
  spark.kubernetes.executor.annotation.scheduling.k8s.io/group-name: spark-gang-pg
  spark.kubernetes.executor.container.image: registry.example/spark:3.5.9
  spark.kubernetes.executor.label.sparkoperator.k8s.io/app-name: gang
  spark.kubernetes.executor.request.cores: "1.5"
  spark.kubernetes.executor.scheduler.name: volcano
extra_objects:
  - apiVersion: scheduling.volcano.sh/v1beta1
    kind: PodGroup
    metadata:
      name: spark-gang-pg
    spec:
      minMember: 1
      minResources:
        cpu: 5000m
        memory: 28441Mi
      queue: night
      priorityClassName: low
warnings: []
