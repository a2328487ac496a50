#!/usr/bin/env python3
"""Records what the official OpenAI client sends: make_api_requests.py OUT.json

The client runs against a transport that answers nothing and keeps the bytes.
Needs the package `openai`, as tests/conformance/requirements.txt names it.
"""

import json
import sys

import httpx2 as httpx
import openai

USER = {"role": "user", "content": "How tall is the tower?"}
CHATS = [
    dict(),
    dict(temperature=0, max_tokens=5, stop="\n"),
    dict(n=2, seed=42, top_p=0.5, stop=["a", "b"], max_completion_tokens=9),
    dict(stream=True, stream_options={"include_usage": True}),
    dict(logprobs=True, top_logprobs=3, logit_bias={"17": -100}),
    dict(frequency_penalty=0.5, presence_penalty=-0.5, user="u", metadata={"a": "b"}, store=False),
    dict(service_tier="auto", response_format={"type": "text"}, tools=[], temperature=None),
    dict(extra_body={"ignore_eos": True, "top_k": 5, "min_p": 0.1, "repetition_penalty": 1.1,
                     "cache": False}),
    dict(messages=[{"role": "developer", "content": [{"type": "text", "text": "Be brief."}]}, USER,
                   {"role": "assistant", "content": "330 m", "refusal": None},
                   {"role": "user", "content": "Und in Fuß? 多少英尺？", "name": "ada"}]),
    dict(messages=[USER, {"role": "assistant", "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1}"}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "330"}]),
]
COMPLETIONS = [
    dict(prompt="Once"),
    dict(prompt=["Once", "Twice"], max_tokens=3, n=2, best_of=2, logprobs=2),
    dict(prompt=[1, 2, 3], echo=True, seed=1),
    dict(prompt=[[1, 2], [3]], stream=True, stop=["x"], temperature=0.0),
]


def main(path):
    seen = []

    def keep(request):
        seen.append({"path": request.url.path, "body": request.content.decode()})
        return httpx.Response(400, json={"error": {"message": "recorded"}})

    client = openai.OpenAI(api_key="sk-none", base_url="http://localhost/v1", max_retries=0,
                           http_client=httpx.Client(transport=httpx.MockTransport(keep)))
    calls = [(client.chat.completions.create, {"messages": [USER], **call}) for call in CHATS]
    calls += [(client.completions.create, call) for call in COMPLETIONS]
    for create, call in calls:
        try:
            create(model="tiny", **call)
        except openai.BadRequestError:
            continue
        raise SystemExit("the client took an error for an answer")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(seen, file, ensure_ascii=False, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main(sys.argv[1])
