// SPDX-License-Identifier: Apache-2.0

// A JVM application for the image's examples jar, which PyPI's Spark comes without. It has the
// name, the argument and the output of Spark's own, so that commands from its manual work.
package org.apache.spark.examples

import java.util.concurrent.ThreadLocalRandom

import org.apache.spark.sql.SparkSession

object SparkPi {
  private def isInCircle(): Boolean = {
    val random = ThreadLocalRandom.current()
    val (x, y) = (random.nextDouble(), random.nextDouble())
    x * x + y * y <= 1
  }

  def main(arguments: Array[String]): Unit = {
    val spark = SparkSession.builder().appName("Spark Pi").getOrCreate()
    val slices = arguments.headOption.map(_.toInt).getOrElse(2)
    val points = 100000L * slices
    val hits = spark.sparkContext.range(0, points, 1, slices).filter(_ => isInCircle()).count()

    println(s"Pi is roughly ${4.0 * hits / points}")
    spark.stop()
  }
}
