/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluates thousands of random inputs by Spark's own code, and writes down what it makes of them:
 * one table for each rule, of tab-separated JSON values. */
package org.apache.spark.deploy.k8s

import java.io.PrintWriter
import java.nio.file.{Files, Paths}

import scala.util.{Random, Try}

import org.apache.spark.SparkConf
import org.apache.spark.deploy.k8s.features.BasicDriverFeatureStep
import org.apache.spark.deploy.k8s.submit.{JavaMainAppResource, MainAppResource,
  PythonMainAppResource, RMainAppResource}
import org.apache.spark.network.util.JavaUtils

object ParityTables {
  private val random = new Random(20261125)
  private val appId = "spark-0123456789abcdef0123456789abcdef"

  private def quoted(text: String): String = text.map {
    case '"' => "\\\""
    case '\\' => "\\\\"
    case c if c < ' ' => f"\\u${c.toInt}%04x"
    case c => c.toString
  }.mkString("\"", "", "\"")

  private def refusable(value: => String): String = Try(value).getOrElse("null")

  private def pick[T](values: T*): T = values(random.nextInt(values.size))

  private def sometimes(value: => String): Option[String] =
    if (random.nextInt(3) == 0) Some(value) else None

  private def text(alphabet: String, longest: Int): String =
    Seq.fill(random.nextInt(longest + 1))(alphabet(random.nextInt(alphabet.length))).mkString

  /* name, what the resource prefix is before its 16 characters of an id, the label. */
  private def names(row: Seq[String] => Unit): Unit = for (_ <- 1 to 1500) {
    val alphabet = pick("abc019", "aZ_- .", "a-", "0x9-_", "äé€ aB-1", "a/:\"\\'$\t")
    val name = text(alphabet, pick(5, 20, 70, 120))
    val prefix = KubernetesConf.getResourceNamePrefix(name).dropRight(16)
    row(Seq(quoted(name), quoted(prefix), quoted(KubernetesConf.getAppNameLabel(name))))
  }

  /* text, MiB or null. */
  private def sizes(row: Seq[String] => Unit): Unit = for (_ <- 1 to 1500) {
    val number = pick(
      random.nextInt(10).toString, random.nextInt(100000).toString,
      random.nextInt(Int.MaxValue).toString, math.abs(random.nextLong()).toString,
      "0" + random.nextInt(100), random.nextInt(9) + "." + random.nextInt(9),
      "-" + random.nextInt(9), "")
    val unit = pick("", "b", "k", "kb", "m", "mb", "g", "gb", "t", "tb", "p", "pb", "K", "M", "G",
      "Gb", "Ki", "mi", "gi", "Ti", "pi", "KiB", " m", "x", "mm", "m ", "b1")
    val size = pick("", " ") + number + unit
    row(Seq(quoted(size), refusable(JavaUtils.byteStringAsMb(size).toString)))
  }

  private def driverConf(conf: SparkConf, resource: MainAppResource): KubernetesDriverConf =
    KubernetesConf.createDriverConf(conf, appId, resource, "Main", Array.empty, None)

  private val memoryKeys = Seq("spark.driver.memory", "spark.driver.memoryOverhead",
    "spark.driver.memoryOverheadFactor", "spark.kubernetes.memoryOverheadFactor",
    "spark.driver.minMemoryOverhead")

  private def size(): String = pick(
    (1 + random.nextInt(20)) + "g", random.nextInt(20000) + "m", random.nextInt(20000).toString,
    random.nextInt(20000000) + "k")

  private def factor(): String = pick("0.1", "0.4", "0.25", "0.07", "1", "1.5", "0", "-0.1", "x",
    (random.nextInt(1000) / 1000.0).toString)

  /* resource, the values of memoryKeys or null, MiB of the pod and the factor written, or null. */
  private def memory(row: Seq[String] => Unit): Unit = for (_ <- 1 to 2000) {
    val (name, resource) = pick[(String, MainAppResource)](
      "java" -> JavaMainAppResource(None), "python" -> PythonMainAppResource("a.py"),
      "r" -> RMainAppResource("a.R"))
    val values = Seq(sometimes(size()), sometimes(size()), sometimes(factor()),
      sometimes(factor()), sometimes(size()))
    val conf = new SparkConf(false).set("spark.kubernetes.container.image", "x")
    for ((key, Some(value)) <- memoryKeys.zip(values)) conf.set(key, value)
    val made = Try {
      val step = new BasicDriverFeatureStep(driverConf(conf, resource))
      val limits = step.configurePod(SparkPod.initialPod()).container.getResources.getLimits
      val properties = step.getAdditionalPodSystemProperties()
      Seq(limits.get("memory").toString.stripSuffix("Mi"),
        quoted(properties("spark.kubernetes.memoryOverheadFactor")))
    }.getOrElse(Seq("null", "null"))
    row(quoted(name) +: values.map(_.map(quoted).getOrElse("null")) ++: made)
  }

  /* text, what it is as an annotation and as a label of the driver. */
  private def substitutions(row: Seq[String] => Unit): Unit = for (_ <- 1 to 300) {
    val pieces = Seq.fill(random.nextInt(5))(
      pick("{{APP_ID}}", "{{EXECUTOR_ID}}", "{{app_id}}", "{{APP_ID", "APP_ID}}", "{", "}", "x",
        "{{ APP_ID }}", "{{SPARK_VERSION}}", "$(A)"))
    val conf = new SparkConf(false).set("spark.kubernetes.container.image", "x")
      .set("spark.kubernetes.driver.annotation.a", pieces.mkString)
      .set("spark.kubernetes.driver.label.l", pieces.mkString)
    val step = new BasicDriverFeatureStep(driverConf(conf, JavaMainAppResource(None)))
    val metadata = step.configurePod(SparkPod.initialPod()).pod.getMetadata
    row(Seq(pieces.mkString, metadata.getAnnotations.get("a"), metadata.getLabels.get("l"))
      .map(quoted))
  }

  def main(args: Array[String]): Unit = {
    val tables = Seq[(String, (Seq[String] => Unit) => Unit)](
      "names" -> names _, "sizes" -> sizes _, "memory" -> memory _,
      "substitutions" -> substitutions _)
    for ((name, fill) <- tables) {
      val out = new PrintWriter(Files.newBufferedWriter(Paths.get(args(0), name + ".tsv")))
      val seen = scala.collection.mutable.Set[String]()
      fill { values =>
        val line = values.mkString("\t")
        if (seen.add(line)) out.print(line + "\n")
      }
      out.close()
    }
  }
}
