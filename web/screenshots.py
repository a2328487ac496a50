#!/usr/bin/env python3
"""Takes the pictures of README.md from a running server: screenshots.py [URL] [FOLDER]

    build/release/premise serve gemma3:270m-base &
    .venv/bin/python web/screenshots.py

What is seen is what the model says. The default one is small and untaught: it answers in turns because
the system prompt shows it some, and at temperature 0, so that the pictures come out alike. Needs
Chromium and a Chinese font (Debian: chromium, fonts-noto-cjk).
"""

import json
import pathlib
import shutil
import sys

from playwright.sync_api import sync_playwright

ENGLISH = """Answers are short and in Markdown.

User: Write a Python function that adds two numbers.
Assistant: This function adds two numbers:

```python
def add(a, b):
    return a + b
```

It returns the **sum** of `a` and `b`.
User: What is the capital of France?
Assistant: The capital of France is **Paris**.
"""
CHINESE = """回答简短，使用 Markdown。

User: 用 Python 写一个函数，把两个数相加。
Assistant: 这个函数把两个数相加：

```python
def add(a, b):
    return a + b
```

User: 法国的首都是哪里？
Assistant: 法国的首都是**巴黎**。
User: 列出三种金属。
Assistant: 三种金属是：

1. 铁
2. 铜
3. 金
"""
PICTURES = {
    "page-light-en.png": ("en-US", "light", ENGLISH, [
        "What is the capital of Japan?", "Write a Python function that multiplies two numbers."]),
    "page-dark-zh.png": ("zh-CN", "dark", CHINESE, [
        "用 Python 写一个函数，把两个数相乘。", "列出四种水果。"]),
}


def take(browser, url, path, locale, scheme, system, questions):
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale=locale,
                                  color_scheme=scheme)
    page = context.new_page()
    settings = {"system": system, "sampling": {"temperature": "0", "max_tokens": "200"}}
    page.add_init_script(f"sessionStorage['premise.settings'] = {json.dumps(json.dumps(settings))}")
    page.goto(url)
    for count, question in enumerate(questions, 1):
        page.locator("select.model:enabled").wait_for()
        page.keyboard.type(question)
        page.keyboard.press("Enter")
        page.locator(".answer").nth(count - 1).locator(".figures").wait_for(timeout=60_000)
    page.screenshot(path=path)
    context.close()


def main(url="http://127.0.0.1:8080/", folder="docs/images"):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"),
                                             args=["--no-sandbox"])
        for name, picture in PICTURES.items():
            take(browser, url, pathlib.Path(folder) / name, *picture)
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
