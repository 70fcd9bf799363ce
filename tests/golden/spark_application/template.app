name: with-template
namespace: default
submission_id: with-template
spark_version: "4.0.1"
resource: java
main_class: org.x.Main
main_resource: local:///opt/app/main.jar
properties:
  spark.driver.cores: "1"
  spark.driver.memory: 1g
  spark.executor.cores: "1"
  spark.executor.instances: "1"
  spark.executor.memory: 1g
  spark.kubernetes.container.image: registry.example/spark:4.0.1
  spark.kubernetes.driver.container.image: registry.example/spark:4.0.1
  spark.kubernetes.driver.label.sparkoperator.k8s.io/app-name: with-template
  spark.kubernetes.driver.pod.name: with-template-driver
  spark.kubernetes.driver.podTemplateContainerName: spark-kubernetes-driver
  spark.kubernetes.executor.container.image: registry.example/spark:4.0.1
  spark.kubernetes.executor.label.sparkoperator.k8s.io/app-name: with-template
driver_template:
  apiVersion: v1
  kind: Pod
  metadata:
    labels:
      from: template
  spec:
    containers:
      - name: proxy
        image: registry.example/proxy:1
      - name: spark-kubernetes-driver
        env:
          - name: A
            value: "1"
        volumeMounts:
          - name: certificates
            mountPath: /certificates
          - name: data
            mountPath: /data
          - name: certificates
            mountPath: /more
      - name: shipper
        image: registry.example/shipper:1
    volumes:
      - name: certificates
        secret:
          secretName: certificates
      - name: data
        emptyDir: {}
executor_template:
  apiVersion: v1
  kind: Pod
  spec:
    priorityClassName: low
    containers:
      - name: spark-kubernetes-executor
warnings:
  - "tests/golden/spark_application/template.yaml:15:3: spec.sparkConf: spark.kubernetes.driver.podTemplateFile gives way to the template that spec.driver makes"
