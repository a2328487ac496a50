#!/usr/bin/env python3
"""Tests which models are measured, what is asked of them, and what the report says of it. No model,
no peer: a second in all."""

import dataclasses
import pathlib
import sys
import tempfile
import unittest
import unittest.mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import campaign
import children
import compare
import machine
import models
import outputs
import report
import targets


class TheModels(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.program = self.folder / "premise"
        self.program.write_bytes(b"one program")
        self.cleared = []

    def _prepare(self, chosen=(models.TINY,)):
        ran, cleared = [], self.cleared

        def run(*words):
            if words[0] == "cache":
                cleared.append(words)
                return
            ran.append(words)
            pathlib.Path(words[-1]).write_bytes(b"model")

        models.prepare(list(chosen), self.folder / "cache", self.program, run, lambda text: None)
        return ran

    def test_a_file_is_written_once_and_again_for_another_program(self):
        self.assertEqual([words[:7] for words in self._prepare()],
                         [("synth", "--arch", "qwen2", "--size", "tiny", "--type", "q4_k_m")])
        self.assertEqual((self._prepare(), self.cleared), ([], []))
        self.program.write_bytes(b"another program")
        self.assertEqual(len(self._prepare()), 1)
        file = str(self.folder / "cache" / f"{models.TINY.key}.gguf")
        self.assertEqual(self.cleared, [("cache", "clear", file)])

    def test_a_file_is_written_again_for_other_options_and_when_it_is_cut(self):
        self._prepare()
        other = dataclasses.replace(models.TINY, synthetic=("qwen2", "tiny", "q8_0"))
        self.assertEqual(len(self._prepare([other])), 1)
        (self.folder / "cache" / f"{models.TINY.key}.gguf").write_bytes(b"mod")
        self.assertEqual(len(self._prepare([other])), 1)

    def test_a_file_whose_writing_failed_is_not_taken_for_whole(self):
        self._prepare()
        self.program.write_bytes(b"another program")

        def fail(*words):
            raise children.ChildFailed("no")

        with self.assertRaises(children.ChildFailed):
            models.prepare([models.TINY], self.folder / "cache", self.program, fail,
                           lambda text: None)
        self.program.write_bytes(b"one program")
        self.assertEqual(len(self._prepare()), 1)

    def test_a_disk_without_room_is_told_before_anything_is_written(self):
        vast = dataclasses.replace(models.TINY, file_bytes=10**18)
        with self.assertRaisesRegex(models.ModelUnusable, "GB are free"):
            self._prepare([vast])
        self.assertFalse((self.folder / "cache").exists())

    def test_models_are_chosen_by_key_file_and_name(self):
        found = models.chosen(["qwen2-7b-q4_k_m", str(self.program), "some:model",
                               "qwen2-7b-q4_k_m"])
        self.assertEqual([model.title for model in found],
                         ["Qwen2.5 7B, Q4_K_M (made-up weights)", "premise", "some:model"])
        for words in (["nothing-here"], []):
            with self.assertRaises(models.ModelUnusable):
                models.chosen(words)

    def test_only_all_models_and_all_rounds_are_a_whole_run(self):
        self.assertTrue(compare.options_of([]).whole)
        for words in (["--quick"], ["--rounds", "4"], ["--models", "gemma3-270m"],
                      ["--quick", "--rounds", "5",
                       "--models", ",".join(model.key for model in models.KNOWN)]):
            self.assertFalse(compare.options_of(words).whole, words)


class TheTime(unittest.TestCase):
    def test_what_is_left_follows_what_the_rounds_took(self):
        times = iter([0.0, 0.0, 30.0])
        clock = campaign.Clock([10.0, 10.0, 40.0], now=lambda: next(times))
        self.assertEqual(clock.left(), 60.0)
        clock.start_round()
        clock.end_round()
        self.assertEqual(clock.left(), 150.0)

    def test_durations_are_readable(self):
        self.assertEqual([campaign.duration(seconds) for seconds in (50, 720, 7500)],
                         ["50 s", "12 min", "2 h 05 min"])

    def test_every_other_round_runs_backwards_and_long_prompts_come_first(self):
        order = []

        class Program:
            def __init__(self, name):
                self.name = name

            def round(self, long):
                order.append((self.name, long))
                return {"prefill": 1.0}

        results, disturbances = campaign.measure(
            [Program("a"), Program("b")], 2, 1, campaign.Clock([1.0, 1.0]), lambda text: None)
        self.assertEqual(order, [("a", True), ("b", True), ("b", False), ("a", False)])
        self.assertEqual(results, {"a": {"prefill": [1.0, 1.0]}, "b": {"prefill": [1.0, 1.0]}})
        self.assertEqual(len(disturbances), 2)


def measured(key="qwen2-1.5b-q4_k_m", ours=None, **changes):
    results = {"Premise, avx512": {"prefill": [500.0, 600.0], "prefill_share": [0.6, 0.6],
                                   "decode_1": [23.0, 23.0], "decode_32": [400.0, 410.0],
                                   "start_peak": [100.0, 100.0], "batch_peak": [90.0, 90.0],
                                   "load_seconds": [0.25, 0.25], **(ours or {})},
               "llama.cpp": {"prefill": [100.0, 100.0], "prefill_share": [0.8, 0.8],
                             "decode_1": [20.0, 20.0], "decode_32": [100.0, 100.0],
                             "start_peak": [100.0, 100.0], "batch_peak": [100.0, 100.0]}}
    values = dict(
        model=models.BY_KEY[key], size=1000, results=results, commands={"Premise": ["premise"]},
        judged="Premise, avx512", peer="llama.cpp",
        without_amx=("Premise, avx512", "llama.cpp"), why_no_such="",
        computing=outputs.Computing("avx512", 0.95, 0.95, 10**9),
        disturbances=[(0.01, 0.0), (0.02, 0.0)], load_before=0.1)
    return targets.Measured(**{**values, **changes})


def rows_of(found, amx=True, bandwidth=25e9):
    """{what: row} of the one model that was measured."""
    rows = targets.rows([found], targets.Conditions(amx, bandwidth))
    return {row.what: row for row in rows if row.model == found.model.title}


class WhatIsAskedFor(unittest.TestCase):
    def test_a_figure_is_met_at_its_very_value_and_missed_below(self):
        self.assertEqual(targets.judged(5.0, 5.0, 10.0), targets.MET)
        self.assertEqual(targets.judged(4.99, 5.0, 10.0), targets.MISSED)
        self.assertEqual(targets.judged(10.0, 5.0, 10.0), targets.GOAL_MET)
        self.assertEqual(targets.judged(1.0, 1.0, None, most=True), targets.MET)
        self.assertEqual(targets.judged(1.01, 1.0, None, most=True), targets.MISSED)

    def test_all_figures_of_a_model(self):
        rows = rows_of(measured())
        outcomes = {what: row.outcome for what, row in rows.items()}
        self.assertEqual(outcomes, {
            "prefill, 512 tokens ÷ llama.cpp": "met",
            "decode, 1 sequence ÷ llama.cpp": "met",
            "decode, 1 sequence, share of read bandwidth": "goal met",
            "decode, 32 sequences ÷ llama.cpp": "met",
            "prefill, 512 tokens, both without AMX ÷ llama.cpp": "goal met",
            "prefill, rate at 8,192 ÷ rate at 512": "met",
            "peak memory, worst piece of work ÷ llama.cpp": "met",
            "products with matrices on the fast path": "met"})

    def test_what_is_asked_of_amx_is_shown_and_not_judged_without(self):
        slow = measured(ours={"prefill": [1.0, 1.0], "decode_32": [1.0, 1.0]})
        rows = rows_of(slow, amx=False)
        for what in ("prefill, 512 tokens ÷ llama.cpp", "decode, 32 sequences ÷ llama.cpp"):
            self.assertEqual(rows[what].outcome, targets.WITHOUT_AMX)
            self.assertIn("0.01×", rows[what].measured)
        self.assertTrue(rows["prefill, 512 tokens, both without AMX ÷ llama.cpp"].missed)
        self.assertTrue(rows_of(slow)["prefill, 512 tokens ÷ llama.cpp"].missed)

    def test_memory_is_judged_by_the_worst_work(self):
        row = rows_of(measured(ours={"batch_peak": [130.0, 130.0]}))[
            "peak memory, worst piece of work ÷ llama.cpp"]
        self.assertTrue(row.missed)
        self.assertEqual(row.measured, "1.30× (1.30 … 1.30): 32 sequences")

    def test_too_little_on_the_fast_path_fails(self):
        row = rows_of(measured(computing=outputs.Computing("avx512", 0.9499, 0.95, 10**9)))[
            "products with matrices on the fast path"]
        self.assertEqual((row.measured, row.missed), ("94.9 %", True))

    def test_more_than_the_roof_is_no_success(self):
        what = "decode, 1 sequence, share of read bandwidth"
        self.assertEqual(rows_of(measured(), bandwidth=22e9)[what].outcome, targets.ABOVE_ROOF)
        self.assertEqual(rows_of(measured(), bandwidth=30e9)[what].outcome, "below the goal")
        self.assertIn("not measurable", rows_of(measured(), bandwidth=None)[what].outcome)

    def test_models_left_out_and_works_left_out_are_named(self):
        found = measured(ours={"prefill_share": []}, without_amx=(), why_no_such="no build")
        rows = targets.rows([found], targets.Conditions(True, 25e9))
        self.assertEqual(sum(row.outcome == targets.LEFT_OUT for row in rows), 6)
        outcomes = [row.outcome for row in rows]
        self.assertIn("not measurable: no build", outcomes)
        self.assertIn("not measured: a quick run leaves it out", outcomes)


def session(found=None, **changes):
    found = found or measured()
    conditions = targets.Conditions(False, 25e9)
    values = dict(
        date="2026-01-31", machine=machine.Machine("Some CPU", 4, 2, 2**34, ("avx2",), "Debian"),
        threads=2, rounds=5, long_rounds=2, whole=True, versions={"Premise": "0.1.0"},
        measured=[found], conditions=conditions, rows=targets.rows([found], conditions))
    return report.Session(**{**values, **changes})


class TheDocument(unittest.TestCase):
    def test_the_table_shows_median_spread_and_ratio(self):
        found = report.table(measured(), targets.Conditions(False, 25e9))
        self.assertIn("| prefill, 512 tokens, tokens/s | Premise, avx512 | 550 (500 … 600) "
                      "| 5.50 (5.00 … 6.00) |", found)
        self.assertIn("|  | llama.cpp | 100 (100 … 100) |  |", found)
        self.assertIn("share of read bandwidth | Premise, avx512 | 92% |  |", found)

    def test_a_figure_that_the_peer_lacks_has_no_ratio(self):
        self.assertIn("| Premise, avx512 | 0.25 (0.25 … 0.25) | – |",
                      report.table(measured(), targets.Conditions(False, None)))

    def test_what_was_missed_stands_out(self):
        missed = measured(ours={"decode_1": [10.0, 10.0]})
        self.assertIn("| 1.15× | – | 0.50× (0.50 … 0.50) | **MISSED** |",
                      report.summary(session(missed)))

    def test_a_sound_run_has_no_warning_and_every_other_a_loud_one(self):
        self.assertEqual(report.warnings(session()), [])
        self.assertNotIn("QUIET", report.document(session()))
        loud = report.document(session(measured(load_before=2.0)))
        self.assertIn("**THE MACHINE WAS NOT QUIET for Qwen2.5 1.5B", loud)
        self.assertIn("**NOT A WHOLE RUN: 1 models", report.document(session(whole=False)))

    def test_every_program_of_every_model_is_in_the_document(self):
        found = report.document(session())
        for words in ("### Qwen2.5 1.5B", "## What is asked for", "# Premise\npremise",
                      "read bandwidth, best of this run | 25.0 GB/s"):
            self.assertIn(words, found)


class AnInterrupt(unittest.TestCase):
    def _main(self, finished):
        def run(comparison):
            comparison.peers, comparison.source = (), "0.1.0"
            comparison.measured += finished
            raise KeyboardInterrupt

        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        folder = pathlib.Path(scratch.name)
        with unittest.mock.patch.multiple(compare, FOLDER=folder / "bench", WHOLE=folder / "whole",
                                          PROGRAM=pathlib.Path(sys.executable),
                                          say=lambda text: None), \
                unittest.mock.patch.object(compare.Comparison, "run", run), \
                unittest.mock.patch.object(children, "interrupt_on_termination"):
            self.assertEqual(compare.main([]), 130)
        self.assertFalse((folder / "whole").exists())
        found = folder / "bench" / "performance.md"
        return found.read_text(encoding="utf-8") if found.exists() else None

    def test_models_that_were_finished_are_kept_as_a_part(self):
        found = self._main([measured()])
        self.assertIn("**NOT A WHOLE RUN: 1 models", found)
        self.assertIn(targets.LEFT_OUT, found)

    def test_without_one_nothing_is_written(self):
        self.assertIsNone(self._main([]))


if __name__ == "__main__":
    unittest.main()
