#!/usr/bin/env python3
"""Compares Premise as a server with llama-server and vLLM on this machine; writes docs/serving.md.

    serve.py [--rounds 3] [--clients 16] [--prompt 256] [--answer 64] [--requests 4]
             [--model NAME|FILE] [--without llama,vllm] [--parts load,prefix,long,idle]
             [--results FILE] [--out FILE]

Every server is installed on first use, started once, and stopped (SIGSTOP) while others are
measured; within a round they take turns. --results keeps the rounds of several sittings, all of
which go into the page: a busy machine may not be quiet for long enough at once. Exit status: 0 when
every goal is met, 1 when one is missed, 2 for wrong usage, 70 when something could not be measured,
130 after Ctrl-C. Only Python's standard library is used.
"""

import argparse
import contextlib
import datetime
import json
import pathlib
import sys
import tempfile

import children
import compare
import extras
import load
import machine
import peer
import serve_report
import servers
import vllm_peer

ROOT = compare.ROOT
PARTS = ("load", "prefix", "long", "idle")
PEERS = ("llama", "vllm")
VLLM_CACHE_GIB = 2
# Tokens beside prompt and answer: for the beginning of a text, and for a shared prefix.
CONTEXT_SLACK = 64
say = compare.say


def some_of(names):
    def parse(words):
        chosen = [word for word in words.split(",") if word]
        if unknown := set(chosen) - set(names):
            raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))} is none of "
                                             f"{', '.join(names)}")
        return chosen
    return parse


def options_of(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    count = compare.count
    parser.add_argument("--rounds", type=count, default=3, help="of all servers (default: 3)")
    parser.add_argument("--clients", type=count, default=16, help="at once (default: 16)")
    parser.add_argument("--prompt", type=count, default=256, help="tokens (default: 256)")
    parser.add_argument("--answer", type=count, default=64, help="tokens (default: 64)")
    parser.add_argument("--requests", type=count, default=4,
                        help="of each client in a round (default: 4)")
    parser.add_argument("--threads", type=count, help="of each server (default: one for each core)")
    parser.add_argument("--model", default=compare.DEFAULT_MODEL, metavar="NAME|FILE",
                        help="a GGUF file, or a model in the store (default: %(default)s)")
    parser.add_argument("--without", type=some_of(PEERS), default=[], metavar="PEER,…",
                        help="leave out llama or vllm")
    parser.add_argument("--parts", type=some_of(PARTS), default=list(PARTS), metavar="PART,…",
                        help="which of load, prefix, long, idle (default: all)")
    parser.add_argument("--peer-bin", type=pathlib.Path, metavar="DIR",
                        help="folder with llama-server, instead of building it")
    parser.add_argument("--patience", type=float, default=compare.PATIENCE_SECONDS,
                        help="seconds to wait for a quiet machine (default: %(default)s)")
    parser.add_argument("--results", type=pathlib.Path, metavar="FILE",
                        help="keep rounds here, and count those that it holds")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "docs" / "serving.md",
                        metavar="FILE", help="where to write (default: docs/serving.md)")
    return parser.parse_args(arguments)


class Sitting:
    """The servers of one run of this script."""

    def __init__(self, options, model):
        cores = machine.describe().cores
        context = max(options.prompt + options.answer, extras.PREFIX_TOKENS) + CONTEXT_SLACK
        self.shape = servers.Shape(options.threads or cores, options.clients, context)
        self._model = model
        self._options = options
        self.versions = {"Premise": f"{compare.premise('--version').strip()}, "
                                    f"{compare.commit()}{compare.compiler()}"}
        self.commands = {}

    def premise(self, shape, *more, name="Premise", config=None):
        port = servers.free_port()
        command = servers.premise_command(compare.PROGRAM, self._model, shape, port)
        if config:
            command = [command[0], "serve", "--config", str(config), "--port", str(port)]
        return self._noted(servers.Server(name, [*command, *more], port))

    def llama(self):
        folder = self._options.peer_bin or peer.install(ROOT / ".venv-bench", "", say)
        opened = peer.open_peer("llama-server", folder)
        self.versions["llama-server"] = opened.version
        port = servers.free_port()
        command = servers.llama_command(opened.folder, self._model, self.shape, port)
        return self._noted(servers.Server(
            "llama-server", command, port, {"LD_LIBRARY_PATH": str(opened.folder)}, "model"))

    def vllm(self):
        python = vllm_peer.install(ROOT / ".venv-bench-vllm", say)
        weights = vllm_peer.convert(python, self._model, ROOT / "build" / "vllm-model", say)
        self.versions["vLLM"] = vllm_peer.version_of(python)
        port = servers.free_port()
        return self._noted(servers.Server(
            "vLLM", servers.vllm_command(python, weights, self.shape, port), port,
            servers.vllm_environment(self.shape, VLLM_CACHE_GIB), "model"))

    def _noted(self, server):
        replacements = {str(self._model): "MODEL", str(server.port): "PORT",
                        str(ROOT / "build" / "vllm-model"): "MODEL-IN-BF16"}
        environment = {key: value for key, value in server.environment.items()
                       if key != "LD_LIBRARY_PATH"}
        self.commands[server.name] = servers.shown(server.command, environment, replacements)
        return server


def turn(server, work):
    """What `work` measured on a server that goes on for as long, with what others took of the
    processor meanwhile."""
    server.go_on()
    try:
        server.ask("GET", "/health")
        own, before = server.cpu_seconds(), machine.processor_time()
        found = work()
        after = machine.processor_time()
        own = server.cpu_seconds() - own
    finally:
        server.pause()
    wall = max(after.wall - before.wall, 1e-9)
    foreign = (after.busy - before.busy) - (after.own - before.own) - own
    return {**found, "server_cores": own / wall,
            "taken_cores": max(0.0, foreign / wall) + (after.stolen - before.stolen) / wall}


def one_round(all_servers, words, options, seed):
    """{server: figures}"""
    found = {}
    workload = load.Workload(options.clients, options.prompt, options.answer, options.requests)
    for server in all_servers:
        figures = {}
        if "load" in options.parts:
            figures = turn(server, lambda: load.closed_loop(
                server, workload, words[server.name]["prompt"], seed))
            say(f"{server.name:13} {figures['output_rate']:6.1f} tokens/s   first token P50 "
                f"{figures['first_p50'] * 1e3:6.0f} ms   gap P50 {figures['gap_p50'] * 1e3:5.1f} P99 "
                f"{figures['gap_p99'] * 1e3:5.0f} ms   lost {figures['lost']}   others took "
                f"{figures['taken_cores']:.2f} cores")
        if "prefix" in options.parts:
            prefix = turn(server, lambda: extras.shared_prefix(
                server, words[server.name]["prefix"], seed))
            figures |= {key: value for key, value in prefix.items() if key.startswith("prefix_")}
            say(f"{server.name:13} prefix: first {prefix['prefix_first'] * 1e3:.0f} ms, later "
                f"{prefix['prefix_later'] * 1e3:.0f} ms ({prefix['prefix_cached']} cached)")
        found[server.name] = figures
    return found


def measure_rounds(sitting, options):
    """The rounds, one after the other; whatever has been measured when one fails is kept."""
    with contextlib.ExitStack() as stack:
        wanted = [sitting.premise(sitting.shape)]
        wanted += [getattr(sitting, name)() for name in PEERS if name not in options.without]
        words = {}
        for server in wanted:
            stack.enter_context(server)
            words[server.name] = {"prompt": load.words_for(server, options.prompt)}
            if "prefix" in options.parts:
                words[server.name]["prefix"] = load.words_for(
                    server, extras.PREFIX_TOKENS)
            # Warm: every size of batch that a round will meet has been met.
            load.closed_loop(server, load.Workload(options.clients, options.prompt,
                                                   min(options.answer, 8), 1),
                             words[server.name]["prompt"], "warm")
            server.pause()
        wait_until_quiet(options)
        for index in range(options.rounds):
            say(f"round {index + 1}/{options.rounds}")
            yield one_round(wanted, words, options, str(datetime.datetime.now()))


def wait_until_quiet(options):
    load_average = machine.wait_until_quiet(options.patience, say)
    if load_average >= machine.QUIET_LOAD:
        say(f"THE MACHINE IS NOT QUIET (load average {load_average:.2f}); measuring all the same")


def measure_long(sitting):
    shape = servers.Shape(sitting.shape.threads, extras.LONG_STREAMS + 1, extras.LONG_CONTEXT)
    with sitting.premise(shape, name="Premise, long prompt") as server:
        words = load.words_for(server, extras.LONG_PROMPT_TOKENS)
        found = turn(server, lambda: extras.long_prompt(server, words,
                                                        str(datetime.datetime.now())))
    say(f"long prompt: read in {found['long_first']:.1f} s; gaps P50 / P99 "
        f"{found['calm_p50'] * 1e3:.1f} / {found['calm_p99'] * 1e3:.1f} ms before, "
        f"{found['reading_p50'] * 1e3:.1f} / {found['reading_p99'] * 1e3:.1f} ms meanwhile")
    return found


def measure_idle(sitting, model):
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder) / "premise.toml"
        config.write_text(f"[engine]\nthreads = {sitting.shape.threads}\n[[model]]\n"
                          f"path = {json.dumps(str(model))}\nparallel = 1\n"
                          f"context = {extras.IDLE_CONTEXT}\nqueue = {extras.IDLE_STREAMS + 100}\n",
                          encoding="utf-8")
        with sitting.premise(sitting.shape, name="Premise, idle streams", config=config) as server:
            found = extras.idle_streams(server)
    sitting.commands.pop("Premise, idle streams")
    say(f"{found['idle_streams']:.0f} streams that wait: {found['idle_stream_bytes'] / 1e6:.1f} MB; "
        f"{found['idle_connections']} connections: {found['idle_connection_bytes'] / 1e6:.1f} MB")
    return found


def gathered(options):
    """What earlier sittings left, if they measured the same thing."""
    empty = {"workload": workload_of(options), "rounds": [], "long": [], "idle": []}
    if not options.results or not options.results.exists():
        return empty
    found = json.loads(options.results.read_text(encoding="utf-8"))
    if found["workload"] != empty["workload"]:
        raise compare.CannotMeasure(f"{options.results} holds rounds of another workload: "
                                    f"{found['workload']}")
    return found


def workload_of(options):
    return {"clients": options.clients, "prompt": options.prompt, "answer": options.answer,
            "requests": options.requests, "model": options.model}


def serve(options):
    """All results, those of earlier sittings included."""
    results = gathered(options)
    if not compare.PROGRAM.exists():
        raise compare.CannotMeasure("build/release/premise is missing; make build creates it")
    model, name = compare.find_model(options.model)
    servers.allow_many_files()
    compare.read_through(model)
    sitting = Sitting(options, model)

    def keep():
        if options.results:
            options.results.parent.mkdir(parents=True, exist_ok=True)
            options.results.write_text(json.dumps(results, indent=1), encoding="utf-8")

    if {"load", "prefix"} & set(options.parts):
        for found in measure_rounds(sitting, options):
            results["rounds"].append(found)
            keep()
    if "long" in options.parts:
        results["long"].append(measure_long(sitting))
    if "idle" in options.parts:
        results["idle"].append(measure_idle(sitting, model))
    host = machine.describe()
    results.update(date=datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
                   machine={**vars(host), "flags": list(host.flags)},
                   threads=sitting.shape.threads, context=sitting.shape.context,
                   shown_model=f"{name}, {model.stat().st_size:,} bytes",
                   versions=results.get("versions", {}) | sitting.versions,
                   commands=results.get("commands", {}) | sitting.commands)
    keep()
    return results


def main(arguments):
    options = options_of(arguments)
    children.interrupt_on_termination()
    try:
        results = serve(options)
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(serve_report.document(results), encoding="utf-8")
    except KeyboardInterrupt:
        say("interrupted; nothing was written but the rounds in --results")
        return 130
    except (compare.CannotMeasure, children.ChildFailed, peer.PeerUnusable, servers.ServerFailed,
            ValueError, OSError) as error:
        say(f"error: {error}")
        return 70
    verdicts = serve_report.verdicts(results)
    print("\n".join(serve_report.verdict_lines(verdicts)))
    print(f"\nwritten: {options.out}")
    return 0 if all(verdict.met for verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
