name: with-volumes
namespace: default
submission_id: with-volumes
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
  spark.executorEnv.SPARK_CONF_DIR: /etc/spark/conf
  spark.kubernetes.container.image: registry.example/spark:3.5.9
  spark.kubernetes.driver.container.image: registry.example/spark:3.5.9
  spark.kubernetes.driver.label.sparkoperator.k8s.io/app-name: with-volumes
  spark.kubernetes.driver.pod.name: with-volumes-driver
  spark.kubernetes.driver.volumes.hostPath.spark-local-dir-scratch.mount.path: /scratch
  spark.kubernetes.driver.volumes.hostPath.spark-local-dir-scratch.mount.subPath: driver
  spark.kubernetes.driver.volumes.hostPath.spark-local-dir-scratch.options.path: /mnt/disk1
  spark.kubernetes.driver.volumes.hostPath.spark-local-dir-scratch.options.type: Directory
  spark.kubernetes.executor.container.image: registry.example/spark:3.5.9
  spark.kubernetes.executor.label.sparkoperator.k8s.io/app-name: with-volumes
  spark.kubernetes.executor.volumes.emptyDir.spark-local-dir-memory.mount.path: /memory
  spark.kubernetes.executor.volumes.emptyDir.spark-local-dir-memory.options.medium: Memory
  spark.kubernetes.executor.volumes.emptyDir.spark-local-dir-memory.options.sizeLimit: 2Gi
  spark.kubernetes.executor.volumes.hostPath.spark-local-dir-scratch.mount.path: /scratch
  spark.kubernetes.executor.volumes.hostPath.spark-local-dir-scratch.options.path: /mnt/disk1
  spark.kubernetes.executor.volumes.hostPath.spark-local-dir-scratch.options.type: Directory
  spark.kubernetes.executor.volumes.nfs.spark-local-dir-shared.mount.path: /shared
  spark.kubernetes.executor.volumes.nfs.spark-local-dir-shared.options.path: /scratch
  spark.kubernetes.executor.volumes.nfs.spark-local-dir-shared.options.readOnly: "true"
  spark.kubernetes.executor.volumes.nfs.spark-local-dir-shared.options.server: nfs.example
  spark.kubernetes.executor.volumes.persistentVolumeClaim.spark-local-dir-claimed.mount.path: /claimed
  spark.kubernetes.executor.volumes.persistentVolumeClaim.spark-local-dir-claimed.mount.readOnly: "true"
  spark.kubernetes.executor.volumes.persistentVolumeClaim.spark-local-dir-claimed.options.claimName: OnDemand
driver_template:
  apiVersion: v1
  kind: Pod
  spec:
    containers:
      - name: spark-kubernetes-driver
        volumeMounts:
          - name: rules-vol
            mountPath: /etc/rules
            readOnly: true
          - name: a-dotted-name-ddd287d5-vol
            mountPath: /etc/dotted
            readOnly: true
          - name: models
            mountPath: /models
            readOnly: true
          - name: models
            mountPath: /models-again
            subPath: old
          - name: settings
            mountPath: /settings
          - name: hadoop-configmap-volume
            mountPath: /etc/hadoop/conf
            readOnly: true
          - name: spark-configmap-volume
            mountPath: /etc/spark/conf
            readOnly: true
    volumes:
      - name: rules-vol
        configMap:
          name: rules
      - name: a-dotted-name-ddd287d5-vol
        configMap:
          name: a.dotted.name
      - name: models
        persistentVolumeClaim:
          claimName: models
      - name: settings
        configMap:
          name: settings
      - name: hadoop-configmap-volume
        configMap:
          name: hadoop.site
      - name: spark-configmap-volume
        configMap:
          name: logging
driver_overlay:
  resources:
    limits:
      memory: 3Gi
  env:
    - name: HADOOP_CONF_DIR
      value: /etc/hadoop/conf
    - name: SPARK_CONF_DIR
      value: /etc/spark/conf
executor_template:
  apiVersion: v1
  kind: Pod
  spec:
    containers:
      - name: spark-kubernetes-executor
        volumeMounts:
          - name: models
            mountPath: /models
          - name: hadoop-configmap-volume
            mountPath: /etc/hadoop/conf
            readOnly: true
          - name: spark-configmap-volume
            mountPath: /etc/spark/conf
            readOnly: true
        env:
          - name: HADOOP_CONF_DIR
            value: /etc/hadoop/conf
    volumes:
      - name: models
        persistentVolumeClaim:
          claimName: models
      - name: hadoop-configmap-volume
        configMap:
          name: hadoop.site
      - name: spark-configmap-volume
        configMap:
          name: logging
warnings:
  - "tests/golden/spark_application/volumes.yaml:41:5: spec.executor.memoryLimit: Spark sets the executors' limit itself, to what they request, and no template changes that; raise memoryOverhead"
