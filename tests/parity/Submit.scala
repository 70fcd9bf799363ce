/* SPDX-License-Identifier: Apache-2.0 */
/* Runs spark-submit's own main class many times in one JVM: a submission then takes a tenth of a
 * second instead of five. */
package org.apache.spark.deploy

import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.{Files, Paths}
import java.util.Properties

/* Each line of stdin names a file of arguments, each ended by NUL. When they have been submitted,
 * FILE.error holds why not, if so, and one line goes to stdout. */
object ParitySubmit {
  private def arguments(file: String): Array[String] = {
    val text = new String(Files.readAllBytes(Paths.get(file)), UTF_8)
    if (text.isEmpty) Array.empty else text.split("\u0000", -1).dropRight(1)
  }

  private def causes(error: Throwable): List[String] =
    if (error == null) Nil else error.toString :: causes(error.getCause)

  private def submit(file: String): Unit =
    try new SparkSubmit().doSubmit(arguments(file))
    catch {
      case error: Throwable =>
        Files.write(Paths.get(file + ".error"), causes(error).mkString("\n").getBytes(UTF_8))
    }

  def main(args: Array[String]): Unit = {
    val replies = System.out
    System.setOut(System.err)
    val properties = System.getProperties.clone().asInstanceOf[Properties]
    val loader = Thread.currentThread.getContextClassLoader
    for (file <- scala.io.Source.stdin.getLines()) {
      submit(file)
      System.setProperties(properties.clone().asInstanceOf[Properties])
      Thread.currentThread.setContextClassLoader(loader)
      replies.println("done " + file)
      replies.flush()
    }
    System.exit(0)
  }
}
