"""Workloads: clients that ask one request after the other, and what came of it."""

import asyncio
import dataclasses
import math
import statistics
import time

import load_client
import prompts


def percentile(values, share):
    """The least value that `share` of all do not exceed (nearest rank); of nothing there is none."""
    if not values:
        raise ValueError("no values to summarize")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


@dataclasses.dataclass(frozen=True)
class Workload:
    clients: int
    prompt_tokens: int
    answer_tokens: int
    requests: int  # of each client


def completion(server, prompt, answer_tokens):
    """What every server understands alike; ignore_eos is an extension that all three have."""
    return {"model": server.model, "prompt": prompt, "max_tokens": answer_tokens,
            "temperature": 0, "ignore_eos": True}


def count_tokens(server, prompt):
    outcome = asyncio.run(_once(server, completion(server, prompt, 1)))
    if outcome.prompt_tokens == 0:
        raise ValueError(f"{server.name}: no answer to count tokens by: {outcome.lost}")
    return outcome.prompt_tokens


async def _once(server, body):
    client = load_client.Client(server.port)
    try:
        return await client.complete(body)
    finally:
        client.close()


def words_for(server, tokens):
    return prompts.fit(tokens, lambda prompt: count_tokens(server, prompt))


def closed_loop(server, workload, words, seed):
    """Figures of one round. Every client keeps its connection and sends its next request when the
    last one has ended; all begin at once."""
    async def client_loop(index):
        client = load_client.Client(server.port)
        outcomes = []
        for number in range(workload.requests):
            body = completion(server, prompts.row_of_words(words, f"{seed}/{index}/{number}"),
                              workload.answer_tokens)
            outcomes.append(await client.complete(body))
            if outcomes[-1].lost:  # once more, as clients do, so that all servers do the same work
                outcomes.append(await client.complete(body))
        client.close()
        return outcomes, client.connections

    async def all_clients():
        return await asyncio.gather(*(client_loop(index) for index in range(workload.clients)))

    begin = time.perf_counter()
    done = asyncio.run(all_clients())
    seconds = time.perf_counter() - begin
    outcomes = [outcome for of_client, _ in done for outcome in of_client]
    return summary(outcomes, workload, seconds, sum(connections for _, connections in done))


def summary(outcomes, workload, seconds, connections):
    """Figures of a round by key. Requests that were lost count for nothing but `lost`."""
    whole = [outcome for outcome in outcomes if not outcome.lost]
    if not whole:
        raise ValueError(f"every request was lost; the first: {outcomes[0].lost}")
    firsts = [outcome.first_token_seconds for outcome in whole]
    gaps = [gap for outcome in whole for gap in outcome.gaps] or [0.0]
    odd = [outcome for outcome in whole
           if (outcome.prompt_tokens, outcome.completion_tokens)
           != (workload.prompt_tokens, workload.answer_tokens)]
    return {
        "output_rate": sum(outcome.completion_tokens for outcome in whole) / seconds,
        "first_p50": statistics.median(firsts), "first_p99": percentile(firsts, 0.99),
        "gap_p50": statistics.median(gaps), "gap_p99": percentile(gaps, 0.99),
        "seconds": seconds, "requests": len(outcomes), "lost": len(outcomes) - len(whole),
        "odd_lengths": len(odd), "reconnections": connections - workload.clients,
        "events_per_token": sum(len(outcome.token_times) for outcome in whole)
        / max(1, sum(outcome.completion_tokens for outcome in whole)),
        "why_lost": sorted({outcome.lost for outcome in outcomes if outcome.lost})[:3]}
