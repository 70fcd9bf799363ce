name: together
namespace: default
submission_id: together
spark_version: "3.5.9"
resource: java
main_class: org.x.Main
main_resource: local:///opt/app/main.jar
properties:
  spark.driver.cores: "1"
  spark.driver.memory: 1g
  spark.executor.cores: "1"
  spark.executor.instances: "1"
  spark.executor.memory: 1g
  spark.kubernetes.container.image: registry.example/spark:3.5.9
  spark.kubernetes.driver.container.image: registry.example/spark:3.5.9
  spark.kubernetes.driver.label.scheduling.x-k8s.io/pod-group: together-pg
  spark.kubernetes.driver.label.sparkoperator.k8s.io/app-name: together
  spark.kubernetes.driver.pod.name: together-driver
  spark.kubernetes.driver.scheduler.name: coscheduling
  spark.kubernetes.executor.container.image: registry.example/spark:3.5.9
  spark.kubernetes.executor.label.scheduling.x-k8s.io/pod-group: together-pg
  spark.kubernetes.executor.label.sparkoperator.k8s.io/app-name: together
  spark.kubernetes.executor.scheduler.name: coscheduling
extra_objects:
  - apiVersion: scheduling.x-k8s.io/v1alpha1
    kind: PodGroup
    metadata:
      name: together-pg
    spec:
      minMember: 1
      minResources:
        cpu: 2000m
        memory: 2816Mi
warnings: []
