#!/usr/bin/env python3
"""Checks the shape of the sources; prints "file:line: what is wrong" and exits with 1 if anything is.

    structure.py [CHECK [ARGUMENT…]]     all checks that need no arguments, or the named one

includes        an #include points downwards only, by the table of rooms below
links           CMake's links between rooms obey the same table
sizes           no file over 800 lines
definitions     no two files define types of one name in one namespace
phrases         every text for people has its Chinese half, with the same placeholders
kernel_symbols  OBJECT…: kernels built for an instruction set export one symbol and no weak one
kernel_tiles    OBJECT…: instructions on tiles stand in kernels of amx alone, all that are needed, and
                multiply the registers that belong together

Two types of one name break the rule of one definition: each file sees its own, and the linker keeps one
destructor for both. A weak symbol in a kernel object is code shared with the rest of the program (an inline function, a
template): the linker keeps one copy, perhaps the one with AVX-512 in it, for machines without it.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FILE_LINES_MAX = 800

# Room (folder below src/) → the rooms it stands on, which bring theirs along. ARCHITECTURE.md.
ROOMS = {
    "base": [],
    "redis": ["base"],
    "numerics/tensor": ["base"],
    "numerics/device": ["base"],
    "numerics/quant": ["numerics/tensor"],
    "numerics/kernels": ["numerics/quant", "numerics/device"],
    "model/formats": ["numerics/quant"],
    "model/tokenizer": ["model/formats"],
    "model/chat": ["base"],
    "model/plan": ["model/formats"],
    "model/architectures": ["model/plan"],
    "engine/request": ["base"],
    "engine/cache": ["base"],
    "engine/scheduler": ["engine/request", "engine/cache"],
    "engine/sampling": ["engine/request"],
    "engine/packed_cache": ["model/formats", "numerics/device"],
    "engine/backend": ["numerics/kernels", "model/plan", "engine/cache", "engine/sampling",
                       "engine/packed_cache"],
    "engine": ["engine/scheduler", "engine/backend", "model/architectures", "model/tokenizer",
               "model/chat"],
    "database": ["base"],
    "store": ["model/formats", "database"],
    "planning": ["machine", "model/architectures"],
    "synth": ["planning", "model/tokenizer"],
    "serve/gate": ["database"],
    "serve/shared_limits": ["serve/gate", "redis"],
    "bench": ["engine"],
    "machine": ["numerics/kernels"],
    "serve/observe": ["base"],
    "serve/http": ["base"],
    "serve/page": ["serve/http"],
    "serve/endpoint": ["engine/request", "model/chat"],
    "serve/filter": ["serve/endpoint"],
    "serve/cache": ["serve/endpoint", "redis"],
    "serve/local": ["serve/endpoint", "engine"],
    "serve/models": ["serve/endpoint"],
    "serve/api": ["serve/endpoint", "serve/models"],
    "config": ["redis"],
    "serve": ["serve/http", "serve/page", "serve/api", "serve/models", "serve/local",
              "serve/observe", "serve/shared_limits", "serve/filter", "serve/cache", "config"],
    "cli": ["engine", "store", "serve/gate", "serve", "bench", "synth", "planning", "machine"],
    "": ["cli"],  # main.cpp
}

# Folders whose code is compiled for newer processors than the program's baseline.
ISA_FOLDERS = re.compile(r"^src/numerics/kernels/(avx2|avx512|amx)/")
ISA_SYSTEM_HEADERS = {"immintrin.h", "stddef.h", "stdint.h", "cstddef", "cstdint"}

CHARACTER = r"(?<!\w)'(?:\\.|[^'\\\n])+'"  # not the separators of 1'000'000
COMMENT_OR_LITERAL = re.compile(
    r'R"([^()\s\\]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|' + CHARACTER + r"|//[^\n]*|/\*.*?\*/", re.S)
LITERAL = re.compile(r'R"([^()\s\\]*)\((.*?)\)\1"|"((?:\\.|[^"\\\n])*)"|' + CHARACTER, re.S)


def room_of(path):
    """The room of a path below src/: the longest one it lies in."""
    parts = path.split("/")[:-1]
    for length in range(len(parts), -1, -1):
        room = "/".join(parts[:length])
        if room in ROOMS:
            return room
    return None


def below(room):
    """Every room that `room` may include, itself among them."""
    seen = {room}
    for foundation in ROOMS[room]:
        seen |= below(foundation)
    return seen


def sources(root, *folders):
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".h", ".cpp", ".py", ".inc") and path.is_file():
                yield path, path.relative_to(root).as_posix()


def without_comments(text):
    """C++ with comments blanked; strings and line numbers stay."""
    def blank(match):
        found = match.group(0)
        return re.sub(r"[^\n]", " ", found) if found.startswith("/") else found
    return COMMENT_OR_LITERAL.sub(blank, text)


def includes(root=ROOT):
    problems = []
    for path, name in sources(root, "src"):
        if path.suffix == ".py":
            continue
        room = room_of(name.removeprefix("src/"))
        if room is None or (room == "" and name != "src/main.cpp"):
            problems.append(f"{name}:1: lies in no room of tests/structure/structure.py")
            continue
        allowed = below(room)
        for number, line in enumerate(without_comments(path.read_text()).splitlines(), 1):
            match = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
            if not match:
                continue
            quoted, target = match.group(1) == '"', match.group(2)
            at = f"{name}:{number}"
            if ISA_FOLDERS.match(name):
                fine = (target.startswith("numerics/kernels/") if quoted
                        else target in ISA_SYSTEM_HEADERS)
                if not fine:
                    problems.append(f"{at}: {target}: instruction-set files include intrinsics and "
                                    "contracts of numerics/kernels only")
                    continue
            if not quoted:
                continue
            if not (root / "src" / target).is_file():
                problems.append(f"{at}: {target}: not a file below src/ (write it as room/file.h)")
            elif room_of(target) not in allowed:
                problems.append(f"{at}: {room or 'main.cpp'} may not include {target}: "
                                f"{room_of(target)} does not stand below it")
    return problems


def links(root=ROOT):
    text = re.sub(r"#[^\n]*", "", (root / "CMakeLists.txt").read_text())
    rooms = {}
    for name, folder, rest in re.findall(
            r"premise_room\(\s*(\S+)\s+src/(\S+)\s+(?:COMPUTES\s+)?LINK([^)]*?)(?:HEADERS[^)]*)?\)", text):
        rooms[name] = (folder, [word for word in rest.split() if "::" not in word])
    problems = [] if rooms else ["CMakeLists.txt:1: no premise_room() found"]
    for name, (folder, linked) in rooms.items():
        for other in linked:
            target = rooms.get(other, (other,))[0]
            if folder not in ROOMS or target not in below(folder):
                problems.append(f"CMakeLists.txt:1: {name} may not link {other}")
    return problems


def sizes(root=ROOT):
    problems = []
    for path, name in sources(root, "src", "fuzz", "tests", "benchmarks"):
        lines = 0 if path.suffix == ".inc" else path.read_bytes().count(b"\n")
        if lines > FILE_LINES_MAX:
            problems.append(f"{name}:{lines}: over {FILE_LINES_MAX} lines; one idea a file")
    return problems


NAMESPACE = re.compile(r"\s*namespace(?:\s+([\w:]+))?\s*\{")
TYPE = re.compile(r"(?:template\s*<.*>\s*)?(?:struct|class|union|enum(?:\s+(?:struct|class))?)\s+"
                  r"(?:alignas\(\w+\)\s*)?(\w+)\b(?!\s*::)[^;<]*\{")


def types_of(text):
    """(qualified name, line) of each type that a namespace with a name defines."""
    spaces, depth = [], 0  # (name or None, depth outside)
    for number, line in enumerate(text.splitlines(), 1):
        opened = NAMESPACE.match(line)
        found = TYPE.match(line) if depth == len(spaces) else None
        if opened:
            spaces.append((opened.group(1), depth))
        elif found and all(name for name, _ in spaces):
            yield "::".join([name for name, _ in spaces] + [found.group(1)]), number
        depth += line.count("{") - line.count("}")
        while spaces and depth <= spaces[-1][1]:
            spaces.pop()


def definitions(root=ROOT):
    problems, first = [], {}
    for path, name in sources(root, "src"):
        if path.suffix not in (".h", ".cpp"):
            continue
        text, _ = take_literals(without_comments(path.read_text()))
        for qualified, number in types_of(text):
            other = first.setdefault(qualified, name)
            if other != name:
                problems.append(f"{name}:{number}: {qualified} is defined in {other} too")
    if not first and root == ROOT:
        problems.append("src:1: not one type found; the pattern must have gone stale")
    return problems


# Literals are replaced by \x01 number \x02 before this is looked for: two halves in braces.
HALF = r"((?:\x01\d+\x02\s*)+)"
PAIR = re.compile(r"\{\s*" + HALF + r",\s*" + HALF + r",?\s*\}")
PHRASE_BEFORE = re.compile(r"(\btext\(|\berror\(\s*[\w:.>-]+\s*,|\bPhrase<[^;{}]*>[\w\s=(]*|"
                           r"\b(summary|examples)\s*=)\s*$")
CJK = re.compile(r"[\u3400-\u9fff]")
# Examples may be the same in both languages: a line that runs premise, after pipes or variables.
COMMAND_LINE = re.compile(r"\s*(?:[^|]*\|\s*|\w+=\S*\s+)?premise\b")


def placeholders(phrase):
    return re.findall(r"\{[^{}]*\}", phrase.replace("{{", "").replace("}}", ""))


def is_commands(text):
    return all(COMMAND_LINE.match(line) for line in text.splitlines() if line.strip())


def take_literals(text):
    """The text with its string literals numbered, and the strings; line numbers stay."""
    strings = []
    def number(match):
        if match.group(0).startswith("'"):
            return match.group(0)
        plain = match.group(3)
        strings.append(match.group(2) if plain is None else
                       plain.replace("\\n", "\n").replace('\\"', '"'))
        return f"\x01{len(strings) - 1}\x02" + "\n" * match.group(0).count("\n")
    return LITERAL.sub(number, text), strings


def phrases(root=ROOT):
    problems = []
    found = 0
    for path, name in sources(root, "src"):
        if path.suffix not in (".h", ".cpp") or name.endswith("_test.cpp"):
            continue
        text, strings = take_literals(without_comments(path.read_text()))
        for match in PAIR.finditer(text):
            english, chinese = ("".join(strings[int(n)] for n in re.findall(r"\d+", half))
                                for half in match.groups())
            command_file = name.startswith("src/cli/command_") and " " in english.strip()
            for_people = (PHRASE_BEFORE.search(text[max(0, match.start() - 200):match.start()])
                          or CJK.search(chinese) or command_file)
            if not for_people:
                continue
            found += 1
            at = f"{name}:{text.count(chr(10), 0, match.start()) + 1}"
            if CJK.search(english):
                problems.append(f"{at}: the English half comes first: {english!r}")
            words = re.search(r"[A-Za-z]", re.sub(r"\{[^{}]*\}", "", english))
            if words and not CJK.search(chinese) and not is_commands(english):
                problems.append(f"{at}: no Chinese in {chinese!r}")
            if len(placeholders(english)) != len(placeholders(chinese)):
                problems.append(f"{at}: placeholders differ: {english!r}, {chinese!r}")
    if not found and root == ROOT:
        problems.append("src:1: not one phrase found; the pattern must have gone stale")
    return problems


def symbol_problems(name, listing):
    """What is wrong with one object, from the output of `nm --defined-only`."""
    symbols = [line.split()[-2:] for line in listing.splitlines() if line.split()]
    exported = [symbol for kind, symbol in symbols if kind.isupper() and kind not in "WVU"]
    weak = [symbol for kind, symbol in symbols if kind in "WwVvu"]
    problems = [f"{name}:1: weak symbol {symbol}" for symbol in weak]
    if len(exported) != 1:
        problems.append(f"{name}:1: exports {len(exported)} symbols, not one: {', '.join(exported)}")
    return problems


def kernel_symbols(*objects):
    problems = [] if objects else ["no object files given"]
    for name in objects:
        listing = subprocess.run(["nm", "--defined-only", name], check=True, text=True,
                                 stdout=subprocess.PIPE).stdout
        problems += symbol_problems(pathlib.Path(name).name, listing)
    return problems


TILE_WORD = re.compile(r"\t(ldtilecfg|sttilecfg|tile\w+|tdp\w+)\b([^#<\n]*)")
TILES_NEEDED = ("ldtilecfg", "tileloadd", "tdpbf16ps", "tilestored", "tilezero", "tilerelease")
# Sums, activations, weights of amx/matmul_tiles.h: sums 2i + j are those of activations 4 + i and
# weights 6 + j; of amx/tile_probe.cpp: 0, 1, 2. AT&T's order is the reverse.
TILE_PRODUCTS = {"%tmm6,%tmm4,%tmm0", "%tmm7,%tmm4,%tmm1", "%tmm6,%tmm5,%tmm2", "%tmm7,%tmm5,%tmm3"}
PROBE_PRODUCTS = {"%tmm2,%tmm1,%tmm0"}


def tile_problems(name, listing):
    """What is wrong with the tiles of one object, from the output of `objdump -d`."""
    found = [(word, operands.strip()) for word, operands in TILE_WORD.findall(listing)]
    words = {word for word, _ in found}
    on_tiles = "/amx/" in name and re.search(r"/(matmul_|tile_)[^/]*$", name)
    at = f"{pathlib.Path(name).name}:1"
    if not on_tiles:
        return [f"{at}: {word} outside kernels on tiles" for word in sorted(words)]
    probe = "/tile_" in name
    needed = [word for word in TILES_NEEDED if not (probe and word == "tilezero")]
    problems = [f"{at}: no {word}" for word in needed if word not in words]
    problems += [f"{at}: {word} is none of the wrappers of tiles.h"
                 for word in sorted(words - set(TILES_NEEDED))]
    products = {operands for word, operands in found if word == "tdpbf16ps"}
    allowed = PROBE_PRODUCTS if probe else TILE_PRODUCTS
    if products != allowed:
        problems.append(f"{at}: multiplies {sorted(products)}, not {sorted(allowed)}")
    return problems


def kernel_tiles(*objects):
    problems = [] if objects else ["no object files given"]
    for name in objects:
        listing = subprocess.run(["objdump", "-d", "--no-show-raw-insn", name], check=True,
                                 text=True, stdout=subprocess.PIPE).stdout
        problems += tile_problems(name, listing)
    return problems


def main(arguments):
    checks = {"includes": includes, "links": links, "sizes": sizes, "phrases": phrases,
              "definitions": definitions}
    of_objects = {"kernel_symbols": kernel_symbols, "kernel_tiles": kernel_tiles}
    if arguments and arguments[0] in of_objects:
        problems = of_objects[arguments[0]](*arguments[1:])
    else:
        problems = [problem for name in arguments or checks for problem in checks[name]()]
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
