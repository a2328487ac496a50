#!/usr/bin/env python3
"""Writes special_casing_data.inc: characters whose upper or title case is several characters.

Read out of Python's own str, since it is Python's upper() and title() that templates were written
for; single-character mappings come from utf8proc. Usage: make_special_casing.py special_casing_data.inc
"""
import sys


def literal(text):
    return '"' + "".join(f"\\x{byte:02x}" for byte in text.encode()) + '"'


def main():
    rows = []
    for code in range(0x110000):
        if 0xD800 <= code < 0xE000:
            continue
        upper, title = chr(code).upper(), chr(code).title()
        if len(upper) > 1 or len(title) > 1:
            rows.append(f"{{0x{code:04x}, {literal(upper)}, {literal(title)}}},")
    with open(sys.argv[1], "w") as out:
        out.write("// Written by make_special_casing.py: code point, upper case, title case.\n")
        out.write("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
