name: watched
namespace: analytics
submission_id: watched
spark_version: "3.5.9"
resource: java
main_class: org.x.Main
main_resource: local:///opt/app/main.jar
properties:
  spark.driver.cores: "1"
  spark.driver.extraJavaOptions: "-Dcolour=blue -javaagent:/prometheus/agent.jar=8091:/etc/metrics/conf/prometheus.yaml"
  spark.driver.memory: 1g
  spark.executor.cores: "1"
  spark.executor.extraJavaOptions: "-Dcolour=red -javaagent:/prometheus/agent.jar=8091:/etc/metrics/conf/prometheus.yaml"
  spark.executor.instances: "1"
  spark.executor.memory: 1g
  spark.kubernetes.container.image: registry.example/spark:3.5.9
  spark.kubernetes.driver.annotation.prometheus.io/path: /metrics
  spark.kubernetes.driver.annotation.prometheus.io/port: "8091"
  spark.kubernetes.driver.annotation.prometheus.io/scrape: "true"
  spark.kubernetes.driver.container.image: registry.example/spark:3.5.9
  spark.kubernetes.driver.label.sparkoperator.k8s.io/app-name: watched
  spark.kubernetes.driver.pod.name: watched-driver
  spark.kubernetes.executor.annotation.prometheus.io/path: /metrics
  spark.kubernetes.executor.annotation.prometheus.io/port: "8091"
  spark.kubernetes.executor.annotation.prometheus.io/scrape: "true"
  spark.kubernetes.executor.container.image: registry.example/spark:3.5.9
  spark.kubernetes.executor.label.sparkoperator.k8s.io/app-name: watched
  spark.metrics.conf: /etc/metrics/conf/metrics.properties
  spark.metrics.namespace: analytics.watched
driver_template:
  apiVersion: v1
  kind: Pod
  spec:
    containers:
      - name: spark-kubernetes-driver
        volumeMounts:
          - name: watched-prom-conf-vol
            mountPath: /etc/metrics/conf
            readOnly: true
        ports:
          - name: jmx-exporter
            containerPort: 8091
            protocol: TCP
    volumes:
      - name: watched-prom-conf-vol
        configMap:
          name: watched-prom-conf
executor_template:
  apiVersion: v1
  kind: Pod
  spec:
    containers:
      - name: spark-kubernetes-executor
        volumeMounts:
          - name: watched-prom-conf-vol
            mountPath: /etc/metrics/conf
            readOnly: true
    volumes:
      - name: watched-prom-conf-vol
        configMap:
          name: watched-prom-conf
extra_objects:
  - apiVersion: v1
    kind: ConfigMap
    metadata:
      name: watched-prom-conf
    data:
      metrics.properties: |
        *.sink.jmx.class=org.apache.spark.metrics.sink.JmxSink
        *.source.jvm.class=org.apache.spark.metrics.source.JvmSource
      prometheus.yaml: |
        lowercaseOutputName: true
warnings: []
