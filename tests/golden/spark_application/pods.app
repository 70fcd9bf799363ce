name: with-sidecar
namespace: default
submission_id: with-sidecar
spark_version: "4.3.0"
resource: python
main_resource: local:///opt/app/main.py
properties:
  spark.driver.cores: "1"
  spark.driver.memory: 1g
  spark.executor.cores: "1"
  spark.executor.instances: "3"
  spark.executor.memory: 1g
  spark.kubernetes.container.image: registry.example/spark-py:4.3.0
  spark.kubernetes.driver.container.image: registry.example/spark-py:4.3.0
  spark.kubernetes.driver.label.sparkoperator.k8s.io/app-name: with-sidecar
  spark.kubernetes.driver.node.selector.pool: drivers
  spark.kubernetes.driver.pod.name: with-sidecar-driver
  spark.kubernetes.driver.scheduler.name: binpacking
  spark.kubernetes.driver.securityContext.allowPrivilegeEscalation: "true"
  spark.kubernetes.executor.container.image: registry.example/spark-py:4.3.0
  spark.kubernetes.executor.label.sparkoperator.k8s.io/app-name: with-sidecar
  spark.kubernetes.executor.terminationGracePeriodSeconds: 60s
driver_template:
  apiVersion: v1
  kind: Pod
  spec:
    containers:
      - name: spark-kubernetes-driver
        envFrom:
          - secretRef:
              name: credentials
        resources:
          limits:
            nvidia.com/gpu: "1"
        securityContext:
          runAsUser: 185
          allowPrivilegeEscalation: true
        lifecycle:
          preStop:
            exec:
              command:
                - sync
        ports:
          - name: debug
            protocol: TCP
            containerPort: 5005
      - name: shipper
        image: registry.example/shipper:1
    hostNetwork: true
    dnsPolicy: ClusterFirstWithHostNet
    hostAliases:
      - ip: "10.1.2.3"
        hostnames:
          - metastore
    initContainers:
      - name: fetch
        image: registry.example/fetch:1
        command:
          - fetch
    dnsConfig:
      nameservers:
        - "10.0.0.53"
    priorityClassName: high
    affinity:
      nodeAffinity:
        requiredDuringSchedulingIgnoredDuringExecution:
          nodeSelectorTerms:
            - matchExpressions:
                - key: pool
                  operator: In
                  values:
                    - drivers
    tolerations:
      - key: spot
        operator: Exists
    securityContext:
      fsGroup: 185
    terminationGracePeriodSeconds: 120
    shareProcessNamespace: true
driver_overlay:
  env:
    - name: REGION
      value: north
    - name: NODE
      valueFrom:
        fieldRef:
          fieldPath: spec.nodeName
executor_template:
  apiVersion: v1
  kind: Pod
  spec:
    containers:
      - name: spark-kubernetes-executor
        env:
          - name: REGION
            value: south
        resources:
          limits:
            amd.com/gpu: "2"
        securityContext:
          runAsUser: 185
    tolerations:
      - key: spot
        operator: Exists
    terminationGracePeriodSeconds: 60
warnings:
  - "tests/golden/spark_application/pods.yaml:52:5: spec.executor.ports: Spark writes the executors' list of ports itself; they can be reached all the same, but not by these names"
