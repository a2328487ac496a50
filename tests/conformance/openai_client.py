#!/usr/bin/env python3
"""Holds what Premise writes to OpenAI's own client: it must read every recording of tests/golden/api.

The client runs against a transport that answers with the recorded bytes; each answer is read as a
user's program would read it, and then validated strictly against the client's own types, which by
default build themselves from whatever comes. Also checks that openapi.json is an OpenAPI document.
"""

import json
import pathlib

import httpx2 as httpx
import openai
from openai.types import Completion, Model
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openapi_spec_validator import validate

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
GOLDEN = ROOT / "tests" / "golden" / "api"


def client_for(name):
    kind = "text/event-stream; charset=utf-8" if name.endswith(".sse") else "application/json"
    answer = (GOLDEN / name).read_bytes()

    def give(_request):
        return httpx.Response(200, content=answer, headers={"content-type": kind})

    return openai.OpenAI(api_key="sk-none", base_url="http://localhost/v1", max_retries=0,
                         http_client=httpx.Client(transport=httpx.MockTransport(give)))


def chat(name, **more):
    return client_for(name).chat.completions.create(
        model="m", messages=[{"role": "user", "content": "x"}], **more)


def strict(kind, thing):
    """The thing's JSON validated by the type's declared fields, unknown and missing ones found."""
    kind.model_validate(json.loads(thing.model_dump_json(exclude_unset=True)), strict=True)


def check_chat():
    answer = chat("chat.json")
    strict(ChatCompletion, answer)
    assert answer.choices[0].message.content == "Grüß \"Gott\"\n again"
    assert answer.choices[1].finish_reason == "length"
    assert bytes(answer.choices[1].logprobs.content[0].bytes) == b"\xe4\xbd"
    assert answer.usage.total_tokens == 12
    assert answer.usage.prompt_tokens_details.cached_tokens == 4


def check_chat_stream():
    texts, endings, usage = {}, {}, None
    for chunk in chat("chat.sse", stream=True):
        strict(ChatCompletionChunk, chunk)
        for choice in chunk.choices:
            texts[choice.index] = texts.get(choice.index, "") + (choice.delta.content or "")
            endings[choice.index] = choice.finish_reason or endings.get(choice.index)
        usage = chunk.usage or usage
    assert texts == {0: "Grüß \"Gott\"\n again", 1: "你好 \x01😀"}, texts
    assert endings == {0: "stop", 1: "length"}, endings
    assert usage.completion_tokens == 5
    plain = list(chat("chat_plain.sse", stream=True))
    assert plain[-1].choices[0].finish_reason == "content_filter"


def check_failed_stream():
    text = ""
    try:
        for chunk in chat("chat_failed.sse", stream=True):
            text += chunk.choices[0].delta.content or ""
    except openai.APIError as error:
        assert "it broke" in str(error) and text == "half"
        return
    raise AssertionError("the client took half an answer for a whole one")


def check_completions():
    answer = client_for("completion.json").completions.create(model="m", prompt="x")
    strict(Completion, answer)
    assert answer.choices[0].text == "Grüß \"Gott\"\n again"
    assert answer.choices[0].logprobs.text_offset == [0, 4, 12]
    texts = {}
    for chunk in client_for("completion.sse").completions.create(model="m", prompt="x", stream=True):
        strict(Completion, chunk) if chunk.choices[0].finish_reason else None
        texts[chunk.choices[0].index] = texts.get(chunk.choices[0].index, "") + chunk.choices[0].text
    assert texts[1] == "你好 \x01😀", texts


def check_models():
    models = list(client_for("models.json").models.list())
    for model in models:
        strict(Model, model)
    assert [model.id for model in models] == ["a/b", "c"]


def check_document():
    validate(json.loads((ROOT / "src/serve/api/openapi.json").read_text(encoding="utf-8")))


def main():
    for check in (check_chat, check_chat_stream, check_failed_stream, check_completions, check_models,
                  check_document):
        check()
        print(f"{check.__name__[6:]}: as openai {openai.__version__} reads it")


if __name__ == "__main__":
    main()
