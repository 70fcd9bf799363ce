# SPDX-License-Identifier: Apache-2.0
"""step.json, result.json and the termination log, without Spark."""
import json
import os
import signal
import unittest

from steps_harness import RUN_ID, StepTest

from stepop_runtime import contract
from stepop_runtime.errors import RuntimeFault


class StepFile(StepTest):
    def test_what_is_missing_or_wrong_is_named(self):
        cases = [
            ({"version": 2}, "version 2"),
            ({"run": {}}, "'run.id' is missing"),
            ({"attempt": "1"}, "'attempt' must be a number"),
            ({"attempt": True}, "'attempt' must be a number"),
            ({"outputs": [{"name": "a", "type": "json"}]}, "'outputs[0].uri' is missing"),
            ({"outputs": [{"name": "a", "type": "json", "uri": "file:///x"}]}, "must end in '/'"),
            ({"result": "http://x"}, "'result' must begin with file:/// or s3://"),
            ({"files": {"path": "data.csv"}}, "'files.path' must begin with"),
            ({"parameters": {"a": 1}, "files": {"a": "file:///x"}}, "two arguments are called 'a'"),
            ({"spark": []}, "'spark' must be an object"),
        ]
        for changes, message in cases:
            with self.subTest(message):
                with self.assertRaises(RuntimeFault) as caught:
                    contract.Step(dict(self.document(), **changes))
                self.assertIn(message, str(caught.exception))

    def test_a_step_file_without_sense_is_a_fault_of_the_runtime_and_reaches_the_termination_log(self):
        self.assertIsNone(self.run_step(self.document(version=9), expect=70))
        self.assertIn("version 9", self.stderr)
        self.assertIn("version 9", self.termination()[1]["error"]["message"])


class ResultFile(StepTest):
    def test_it_says_whose_result_it_is_and_what_came_out(self):
        self.write("steps.py", "def one(base):\n    return {'n': base + 2}\n")
        document = self.document(outputs=[("value", "json")], parameters={"base": 40}, attempt=3)
        result = self.run_step(document)
        self.assertEqual((result["version"], result["run"], result["step"], result["attempt"]), (1, RUN_ID, "one", 3))
        self.assertEqual((result["state"], result["error"]), ("succeeded", None))
        self.assertRegex(result["started_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertLessEqual(result["started_at"], result["ended_at"])
        self.assertEqual(result["outputs"]["value"], {
            "type": "json", "uri": self.uri("one", "value"), "metadata": {"python_type": "dict"}})
        self.assertEqual(self.value("one", "value"), {"n": 42})
        self.assertEqual(self.termination()[1], result)

    def test_a_second_process_of_the_same_attempt_overwrites_nothing(self):
        self.write("steps.py", "import os\ndef one():\n    return os.getpid()\n")
        document = self.document(outputs=[("value", "json")])
        first = self.run_step(document)
        kept = self.value("one", "value")
        self.assertEqual(self.run_step(document, expect=70), first)
        self.assertEqual(self.value("one", "value"), kept)
        self.assertIn("output 'value' (json) cannot be saved to file://", self.stderr)
        self.assertIn("this attempt has run before", self.stderr)

    def test_outputs_that_were_complete_are_named_in_a_failure(self):
        self.write("steps.py", "def one():\n    return 1, object()\n")
        result = self.run_step(self.document(outputs=[("good", "json"), ("bad", "json")]), expect=1)
        self.assertEqual(list(result["outputs"]), ["good"])
        self.assertEqual(result["error"]["type"], "TypeError")
        self.assertIn("output 'bad' (json)", result["error"]["message"])

    def test_no_text_of_an_error_breaks_the_json(self):
        self.write("steps.py", "def one():\n    raise ValueError('nul \\0 surrogate \\udc80 ä')\n")
        self.assertIn("surrogate ? ä", self.run_step(self.document(), expect=1)["error"]["message"])
        self.assertNotIn(b"\\u0000", self.termination()[0])

    def test_a_store_that_cannot_be_written_turns_success_into_a_fault(self):
        self.write("steps.py", "def one():\n    pass\n")
        blocker = os.path.join(self.folder, "blocker")
        open(blocker, "w").close()
        self.run_step(self.document(result="file://%s/result.json" % blocker), expect=70)
        self.assertEqual(self.termination()[1]["state"], "failed")


class TerminationLog(StepTest):
    def document_with(self, **error):
        outputs = {"out%d" % i: {"type": "json", "uri": "file:///x/", "metadata": {}} for i in range(error.pop("n", 0))}
        return {"version": 1, "run": RUN_ID, "outputs": outputs,
                "error": dict({"type": "ValueError", "message": "short", "traceback": "short"}, **error)}

    def test_it_is_at_most_4000_bytes_and_still_json(self):
        self.write("steps.py", "def one():\n    raise ValueError('ä€\\U0001f600\"' * 3000)\n")
        self.run_step(self.document(), expect=1)
        data, document = self.termination()
        self.assertLessEqual(len(data), 4000)
        self.assertGreater(len(data), 3900)
        self.assertEqual(document["error"]["type"], "ValueError")

    def test_the_traceback_loses_its_middle_first(self):
        trace = "BEGIN" + "€" * 9000 + "END"
        short = json.loads(contract.shortened(self.document_with(traceback=trace, message="m" * 500)).decode("utf-8"))
        self.assertEqual(short["error"]["message"], "m" * 500)
        self.assertTrue(short["error"]["traceback"].startswith("BEGIN"))
        self.assertTrue(short["error"]["traceback"].endswith("END"))

    def test_then_the_outputs_go_and_are_null_and_then_the_message_is_cut(self):
        many = contract.shortened(self.document_with(n=100))
        self.assertLessEqual(len(many), 4000)
        self.assertIsNone(json.loads(many.decode("utf-8"))["outputs"])
        long = contract.shortened(self.document_with(n=100, message="m" * 9000))
        self.assertLessEqual(len(long), 4000)
        self.assertGreater(len(long), 3900)

    def test_a_document_that_fits_is_left_alone(self):
        document = self.document_with()
        self.assertEqual(json.loads(contract.shortened(document).decode("utf-8")), document)


class Ending(StepTest):
    def test_sigterm_leaves_no_result_even_if_the_step_swallows_it(self):
        self.write("steps.py", """
            import time
            def one():
                try:
                    print("ready")
                    time.sleep(60)
                except BaseException:
                    print("swallowed")
                return 1
            """)
        document = self.document(outputs=[("value", "json")])
        process = self.start(document)
        self.assertEqual(process.stdout.readline(), "ready\n")
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 143)
        self.assertEqual(rest, "swallowed\n")
        self.assertIsNone(self.result(document))
        self.assertFalse(os.path.exists(self.log))

    def test_sys_exit_fails_the_step_that_owes_outputs(self):
        self.write("steps.py", "import sys\ndef one():\n    sys.exit(0)\n")
        message = self.run_step(self.document(outputs=[("value", "json")]), expect=1)["error"]["message"]
        self.assertEqual(message, "the function ended with sys.exit() and returned no outputs")

    def test_sys_exit_with_a_status_fails_any_step_and_without_one_is_a_return(self):
        self.write("steps.py", "import sys\ndef one():\n    sys.exit(3)\ndef two():\n    sys.exit()\n")
        error = self.run_step(self.document(), expect=1)["error"]
        self.assertEqual((error["type"], error["message"]), ("SystemExit", "the function called sys.exit(3)"))
        self.assertEqual(self.run_step(self.document("two"))["state"], "succeeded")


if __name__ == "__main__":
    unittest.main()
