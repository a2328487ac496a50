"""What `serve.py` measures beside the plain load: shared prefixes, a long prompt among streams, and
what streams cost that only wait."""

import asyncio
import re
import statistics
import time

import load
import load_client
import prompts

PREFIX_TOKENS = 1000
TAIL_WORDS = 16
LONG_PROMPT_TOKENS = 8000
LONG_STREAMS = 4
LONG_CONTEXT = 9000
CALM_SECONDS = 3.0
IDLE_STREAMS = 2000
IDLE_CONTEXT = 8192


def shared_prefix(server, words, seed):
    """Seconds to the first token of a prompt of 1,000 tokens and a tail, then of the same prompt
    with two other tails."""
    prefix = prompts.row_of_words(words, seed)

    async def ask():
        outcomes = []
        for number in range(3):
            client = load_client.Client(server.port)  # not every server keeps its connections
            tail = prompts.row_of_words(TAIL_WORDS, f"{seed} tail {number}")
            outcomes.append(await client.complete(load.completion(server, prefix + tail, 4)))
            client.close()
        return outcomes

    outcomes = asyncio.run(ask())
    lost = [outcome.lost for outcome in outcomes if outcome.lost]
    if lost:
        raise ValueError(f"{server.name}: lost a request with a shared prefix: {lost[0]}")
    first, *later = (outcome.first_token_seconds for outcome in outcomes)
    return {"prefix_first": first, "prefix_later": statistics.median(later),
            "prefix_cached": outcomes[1].cached_tokens}


def long_prompt(server, words, seed):
    """Gaps between the tokens of LONG_STREAMS running streams, in calm and while a prompt of 8,000
    tokens is read."""
    times = [[] for _ in range(LONG_STREAMS)]

    async def stream(index):
        client = load_client.Client(server.port)
        body = load.completion(server, prompts.row_of_words(16, f"{seed} {index}"),
                               LONG_CONTEXT - 200)
        try:
            outcome = await client.complete(
                body, on_token=lambda: times[index].append(time.perf_counter()))
            raise ValueError(f"{server.name}: a stream ended before the long prompt was read "
                             f"({outcome.lost or 'whole'})")
        finally:
            client.close()

    async def ask():
        streams = [asyncio.create_task(stream(index)) for index in range(LONG_STREAMS)]
        try:
            while not all(len(each) > 20 for each in times):
                await asyncio.sleep(0.05)
                _raise_if_over(streams)
            await asyncio.sleep(CALM_SECONDS)
            client = load_client.Client(server.port)
            outcome = await client.complete(
                load.completion(server, prompts.row_of_words(words, f"{seed} long"), 2))
            client.close()
            _raise_if_over(streams)
            return outcome
        finally:
            for each in streams:
                each.cancel()
            await asyncio.gather(*streams, return_exceptions=True)

    outcome = asyncio.run(ask())
    if outcome.lost:
        raise ValueError(f"{server.name}: lost the long prompt: {outcome.lost}")
    begin, end = outcome.sent, outcome.token_times[0]
    calm, reading = [], []
    for each in times:
        for before, after in zip(each, each[1:]):
            if begin - CALM_SECONDS < before and after <= begin:
                calm.append(after - before)
            elif begin <= before and after <= end:
                reading.append(after - before)
    return {"long_first": outcome.first_token_seconds, "long_tokens": outcome.prompt_tokens,
            "calm_p50": statistics.median(calm), "calm_p99": load.percentile(calm, 0.99),
            "reading_p50": statistics.median(reading),
            "reading_p99": load.percentile(reading, 0.99), "reading_max": max(reading)}


def _raise_if_over(tasks):
    for task in tasks:
        if task.done():
            task.result()


def metric(server, name):
    page = server.ask("GET", "/metrics")[2].decode()
    found = re.search(rf"^{re.escape(name)} (\S+)$", page, re.M)
    return float(found[1]) if found else None


def idle_streams(server):
    """Resident memory that IDLE_STREAMS connections add, and then as many accepted streams that
    wait behind one that runs. A server for this has a queue for them and one place."""
    async def measure():
        clients = [load_client.Client(server.port) for _ in range(IDLE_STREAMS)]
        occupant = load_client.Client(server.port)
        alone = server.resident_bytes()
        for client in clients:
            await client.request("GET", "/health")
        connected = server.resident_bytes()
        running = asyncio.create_task(occupant.complete(
            load.completion(server, prompts.row_of_words(8, "occupant"), IDLE_CONTEXT - 100)))
        await asyncio.sleep(0.5)
        waiting = [asyncio.create_task(client.complete(load.completion(
            server, prompts.row_of_words(8, str(index)), 4)))
            for index, client in enumerate(clients)]
        accepted = 0.0
        for _ in range(100):
            await asyncio.sleep(0.2)
            accepted = await asyncio.to_thread(metric, server, "premise_requests_waiting")
            if accepted >= IDLE_STREAMS:
                break
        full = server.resident_bytes()
        for task in (running, *waiting):
            task.cancel()
        await asyncio.gather(running, *waiting, return_exceptions=True)
        for client in (occupant, *clients):
            client.close()
        return alone, connected, full, accepted

    alone, connected, full, accepted = asyncio.run(measure())
    return {"idle_connections": IDLE_STREAMS, "idle_connection_bytes": connected - alone,
            "idle_streams": accepted, "idle_stream_bytes": full - alone}
