#!/usr/bin/env python3
"""Records what the reference library makes of many texts under every published pre-tokenizer.

Usage: make_tokenizer_goldens.py OUTPUT_FOLDER
Needs PyPI `tokenizers`. Real vocabularies are too large to keep here, so a small one is trained for
each family, with the family's own normalizer, pre-tokenizer, template and decoder. Written are
texts.json (the texts) and FAMILY.json: {"gguf": name of tokenizer.ggml.pre or null, "tokenizer":
the tokenizer.json, "ids": by text, "ids_unparsed": without control tokens, "decoded": by text}.
"""
import json
import math
import random
import sys
from pathlib import Path

from tokenizers import Tokenizer, pre_tokenizers, trainers

SENTENCES = """
The engine reads its weights once, and then it answers as long as the machine is running.
It's true: we've measured what they'd promised, and I'll say that you're right, aren't you?
In 1969 the flight took 195 hours, 18 minutes and 35 seconds; 2,000,000 people watched it live.
人工智能正在改变企业的工作方式，数据不离开自己的机房。
今天是星期三，我们在会议室讨论模型的部署方案。模型越大，需要的内存越多。
銀行與醫院的系統必須在本地運行。
日本語の文章には漢字とひらがなとカタカナがあります。東京タワーは高い。
한국어는 띄어쓰기를 하는 언어입니다. 서버는 오늘도 켜져 있습니다.
القراءة غذاء العقل، والكتابة صيد العلم. مرحبا بكم في المكتبة.
ภาษาไทยเขียนติดกันโดยไม่เว้นวรรค สวัสดีครับทุกคน
हिन्दी में मात्राएँ होती हैं। यह एक छोटा वाक्य है।
Съешь же ещё этих мягких французских булок, да выпей чаю.
Ελληνικά γράμματα: άλφα, βήτα, γάμμα, δέλτα.
Tiếng Việt có nhiều dấu: ắ, ằ, ẳ, ẵ, ặ.
שלום עולם, זה משפט בעברית.
for (int i = 0; i < n; i++) { sum += x[i] * y[i]; }  // dot product
def read(path):\n    with open(path) as file:\n        return file.read().split("\\n")
SELECT name, COUNT(*) FROM users WHERE age >= 18 GROUP BY name;\t-- adults
<div class="box"><p>Hello, World!</p></div>\r\n<!-- end -->\r\n
HTTPServer camelCase snake_case SCREAMING_CASE kebab-case v1.2.3
👍 👩‍🚀 ❤️ 🎉🎉 → ≤ ≥ ≠ ± € £ ¥
""".strip().replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r").split("\n")

FIXED_TEXTS = [
    "", " ", "  ", "\n", "\r\n", "\t", "\0", "a\0b\0\0c", "Hello, world!", " Hello", "Hello  ",
    "it's I'LL you’re WE'VE don't o'clock 'S 'ſ 'Tis ''s 'dx I'm'll",
    "你好，世界！今天是2026年8月13日 🎉 一龥ࠀ퟿豈", "東京都に住んでいます。カタカナﾊﾝｶｸ゠ヿ",
    "안녕하세요 세계 ㄱㅏ", "مرحبا بالعالم ١٢٣٤٥٦ العَرَبِيَّة۔ ،؟", "สวัสดีครับ ผมชื่ออเล็กซ์ ำ",
    "नमस्ते दुनिया क्षेत्र १२३४ ज़िंदगी।", "👨‍👩‍👧‍👦 👩🏽‍🚀 🏳️‍🌈 ❤️ 👍🏿 ☺️ 1️⃣",
    "é e\u0301 n\u0303 A\u030a ﬁ ½ ² Ⅷ ㈱ ﷺ q\u0307\u0323 q\u0323\u0307 \u1100\u1161\u11a8 \u212b",
    "def f(x):\n    return x**2  # square\n\n\nclass A:\n\tpass\n",
    "#include <stdio.h>\nint main(){printf(\"%d\\n\",1<<3);return 0;}\r\n",
    "1 12 123 1234 12345 123456 1234567 12,345.67 3.14159 0xFF 1e-10 ٣٤٥ ۱۲۳ Ⅳ ½ x2y33z444",
    "x = y+++--z;;; //// **** ==== ---- ____ $$$ ^^^ ``` ~~~ ||| && (a|b)!? …、。，",
    "    \n   \n\n  a\n \n", "a   b    c\t\td \t e\r\n\r\nf\r\rg",
    " \u00a0\u2003\u3000\u0085x\u0085\u2028y\u2029 \u180e\ufeff \u3000a \u3000！",
    "camelCase HTTPServer iPhone MiXeD 中文English混合Text ǅ ǈabc ʰʱ ªº İstanbul ẞß AB'S it's/\n",
    "https://example.com/a/b?c=d&e=f#g user@mail.org /\n/", "\x01\x02\x7f\x1b[0m\u0378x",
    "\u0301\u0302abc \u0301 1\u0301 !\u0301 \u0301\u0301 a\u0301'S", "Ἀθῆναι Україна Հայաստան ᲐᲑ Ꮳꮃ שָׁלוֹם",
    "Tiếng Việt có dấu: ắằẳẵặ Ưương", "<|im_start|>user\nhi <|im_end|>\n<|im_end|><|im_end",
    "a <mask> b<mask>", "x<tool_call>y</tool_call> <tool_call", "word wordy sword word", "ＡＢＣａｂｃ：～！‘’",
    "𐐀𐑏 𝔘𝔫𝔦 𠀀𠮷 𞤀𞥃 𒀀 \U0001f9ff \U000e0041 \uffff \ue000",
] + [" " * n for n in (3, 8, 33)] + ["\n" * n for n in (2, 3, 9)] + [
    "a" * 47, "a" * 48, "a" * 49, "ab" * 60, "中" * 70, "0" * 20, "!" * 50, " \n" * 12, "the " * 30,
    "A" * 60 + "b",
]

POOLS = [
    range(0x20, 0x7F), range(0x20, 0x7F), [32, 32, 10, 13, 9, 0xA0, 0x3000, 0x85, 97, 49, 39, 46],
    range(0x80, 0x250), range(0x300, 0x370), range(0x370, 0x530), range(0x590, 0x700),
    range(0x900, 0xD80), range(0x1100, 0x1200), range(0x1C80, 0x2000), range(0x2000, 0x2070),
    range(0x2070, 0x2C00), range(0x3000, 0x3400), range(0x4E00, 0x9FFF), range(0xAC00, 0xD7A4),
    range(0xF900, 0x10000), range(0x10000, 0x10600), range(0x1F300, 0x1FB00),
    [ord(c) for c in "'sStTrReEvVmMlLdDſ’ \n"], [ord(c) for c in "aA中ʰ\u0301ǅ /'s\n1"],
]


def random_texts(count):
    rng = random.Random(20)
    anything = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    for i in range(count):
        pool = [[rng.choice(POOLS)], POOLS, [rng.choice(POOLS) for _ in range(3)], [anything]][i % 4]
        yield "".join(chr(rng.choice(rng.choice(pool))) for _ in range(rng.randint(1, 30)))


def split(regex):
    return {"type": "Split", "pattern": {"Regex": regex}, "behavior": "Isolated", "invert": False}


def byte_level(use_regex=False, prefix=False):
    return {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": True,
            "use_regex": use_regex}


def sequence(*steps):
    return {"type": "Sequence", "pretokenizers": list(steps)}


CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
SPACES = r"|\s*[\r\n]+|\s+(?!\S)|\s+"
WORD = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s| ?[^\s\p{L}\p{N}]+[\r\n]*" + SPACES
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
CASED = (r"[^\r\n\p{L}\p{N}]?" + UPPER + "*" + LOWER + r"+%s|[^\r\n\p{L}\p{N}]?" + UPPER + "+" +
         LOWER + r"*%s|\p{N}%s| ?[^\s\p{L}\p{N}]+[\r\n/]*" + SPACES)
LATIN = ("A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚ"
         "Ḁ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝ\u1f5f-\u1f7dᾀ-ᾴᾶ-ᾼ\u1fbeῂ-ῄῆ-ῌ\u1fd0-\u1fd3\u1fd6-\u1fdbῠ-Ῥῲ-ῴῶ-ῼ"
         "ℂℇℊ-ℓℕℙ-ℝℤ\u2126ℨ\u212a-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ"
         "𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃")
DIGIT = {"type": "Digits", "individual_digits": True}

# family: (name in GGUF, normalizer, pre-tokenizer, options of the model)
BYTE_FAMILIES = {
    "gpt2": ("gpt-2", None, byte_level(True), {}),
    "roberta": (None, None, byte_level(True, prefix=True), {}),
    "llama3": ("llama-bpe", None, sequence(split(WORD % "{1,3}"), byte_level()),
               {"ignore_merges": True}),
    "qwen2": ("qwen2", {"type": "NFC"}, sequence(split(WORD % ""), byte_level()), {}),
    "qwen35": ("qwen35", {"type": "NFC"}, sequence(split(
        CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*" +
        SPACES), byte_level()), {}),
    "gpt4o": ("gpt-4o", None, sequence(split(
        CASED % (CONTRACTIONS + "?", CONTRACTIONS + "?", "{1,3}")), byte_level()),
        {"ignore_merges": True}),
    "tekken": ("tekken", None, sequence(split(CASED % ("", "", "")), byte_level()),
               {"ignore_merges": True}),
    "deepseek_v3": ("deepseek-v3", None, sequence(
        split(r"\p{N}{1,3}"), split("[一-龥぀-ゟ゠-ヿ]+"),
        split("[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?"
              "[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"),
        byte_level()), {}),
    "deepseek_llm": ("deepseek-llm", None, sequence(
        split("[\r\n]"), split(r"\s?[" + LATIN + "]+"),
        split(r"\s?[!-/:-~！-／：-～‘-‟　-。]+"), split(r"\s+$"), split("[一-龥ࠀ-一가-퟿]+"),
        split(r"\p{N}+"), byte_level()), {}),
    "deepseek_coder": ("deepseek-coder", None, sequence(
        split("[\r\n]"), split(r"\s?\p{L}+"), split(r"\s?\p{P}+"), split("[一-龥ࠀ-一가-퟿]+"),
        DIGIT, byte_level()), {}),
    "starcoder": ("starcoder", None, sequence(DIGIT, byte_level(True)), {}),
    "falcon": (None, None, sequence(
        {"type": "Punctuation", "behavior": "Contiguous"}, byte_level(True),
        {"type": "Digits", "individual_digits": False}, split("[0-9][0-9][0-9]")), {}),
    "bloom": ("bloom", None, sequence(split(" ?[^(\\s|[.,!?…。，、।۔،])]+"), byte_level()), {}),
    "seed_coder": ("seed-coder", None, sequence(split(
        CONTRACTIONS + "|[^\r\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\r\n]+"
        "|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"), byte_level()), {}),
}
SPACE_TO_MARK = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
CHARACTERS = {"unk_token": "<unk>", "byte_fallback": True, "fuse_unk": True}
CHARACTER_DECODERS = [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
                      {"type": "ByteFallback"}, {"type": "Fuse"}]
STRIP = {"type": "Strip", "content": " ", "start": 1, "stop": 0}
# Tokenizers of SentencePiece models, as converted to explicit merges.
CHARACTER_FAMILIES = {
    "gemma": (SPACE_TO_MARK, {"type": "Split", "pattern": {"String": " "},
                              "behavior": "MergedWithPrevious", "invert": False}, []),
    "llama2": ({"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
                                                    SPACE_TO_MARK]}, None, [STRIP]),
    "mistral": (None, {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first",
                       "split": False}, [STRIP]),
}


def added(identifier, content, special, **flags):
    return {"id": identifier, "content": content, "single_word": False, "lstrip": False,
            "rstrip": False, "normalized": not special, "special": special, **flags}


def template(identifier):
    return {"type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<|start|>", "type_id": 0}},
                       {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<|start|>": {"id": "<|start|>", "ids": [identifier],
                                             "tokens": ["<|start|>"]}}}


def skeleton(normalizer, pre_tokenizer, decoder, options):
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
            "normalizer": normalizer, "pre_tokenizer": pre_tokenizer, "post_processor": None,
            "decoder": decoder,
            "model": {"type": "BPE", "dropout": None, "unk_token": None,
                      "continuing_subword_prefix": None, "end_of_word_suffix": None,
                      "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                      "vocab": {}, "merges": [], **options}}


def trained(parts, trainer):
    plain = json.loads(json.dumps(parts))
    plain["model"]["unk_token"] = None  # not there before training
    tokenizer = Tokenizer.from_str(json.dumps(plain))
    tokenizer.train_from_iterator([SENTENCES[i % len(SENTENCES)] for i in range(3 * len(SENTENCES))],
                                  trainer)
    result = json.loads(tokenizer.to_str())
    result["model"]["unk_token"] = parts["model"]["unk_token"]
    result["added_tokens"] = []
    return result


def with_special_tokens(result):
    first = len(result["model"]["vocab"])
    result["added_tokens"] = [
        added(first, "<|start|>", True), added(first + 1, "<|im_start|>", True),
        added(first + 2, "<|im_end|>", True, rstrip=True), added(first + 3, "<mask>", True, lstrip=True),
        added(first + 4, "<tool_call>", False, normalized=False), added(first + 5, "</tool_call>", False),
        added(first + 6, "word", False, single_word=True),
    ]
    if result["model"].get("unk_token"):
        result["added_tokens"].insert(0, added(0, "<unk>", True))
    result["post_processor"] = template(first)
    return result


def make_byte_family(normalizer, pre_tokenizer, options):
    trainer = trainers.BpeTrainer(vocab_size=900, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    return with_special_tokens(
        trained(skeleton(normalizer, pre_tokenizer, byte_level(True), options), trainer))


def make_character_family(normalizer, pre_tokenizer, decoders):
    parts = skeleton(normalizer, pre_tokenizer,
                     {"type": "Sequence", "decoders": CHARACTER_DECODERS + decoders}, CHARACTERS)
    tokens = ["<unk>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    training = json.loads(json.dumps(parts))
    training["normalizer"], training["pre_tokenizer"] = SPACE_TO_MARK, split("▁?[^▁]+")
    trainer = trainers.BpeTrainer(vocab_size=1200, show_progress=False, special_tokens=tokens)
    result = trained(training, trainer)
    for key in ("normalizer", "pre_tokenizer", "decoder"):
        result[key] = parts[key]
    result["model"].update(CHARACTERS)
    return with_special_tokens(result)


def make_wordpiece():
    parts = skeleton({"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
                      "strip_accents": None, "lowercase": True}, {"type": "BertPreTokenizer"},
                     {"type": "WordPiece", "prefix": "##", "cleanup": False}, {})
    parts["model"] = {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                      "max_input_chars_per_word": 100, "vocab": {"[UNK]": 0}}
    # The library's own trainer breaks ties by chance; so the vocabulary is simply what occurs.
    words = " ".join(SENTENCES).lower().replace(",", " ").replace(".", " ").split()
    pieces = {"[UNK]": 0, "[CLS]": 0, "[SEP]": 0}
    pieces.update((character, 0) for character in sorted(set("".join(SENTENCES).lower()) - set(" \n\t\r")))
    for word in words:
        pieces.update((piece, 0) for piece in (word[:3], word[:5]))
        pieces.update(("##" + word[i:i + n], 0) for i in range(1, len(word)) for n in (1, 2, 4))
    parts["model"]["vocab"] = {piece: i for i, piece in enumerate(pieces)}
    parts["added_tokens"] = [added(i, content, True)
                             for i, content in enumerate(("[UNK]", "[CLS]", "[SEP]"))]
    result = parts
    result["post_processor"] = {"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]}
    return result


def make_unigram():
    """Scores by frequency, without SentencePiece's charsmap, which alone has 300 KB."""
    counts = {}
    for sentence in SENTENCES:
        for word in sentence.split(" "):
            word = "▁" + word
            for length in range(1, 9):
                for start in range(len(word) - length + 1):
                    piece = word[start:start + length]
                    counts[piece] = counts.get(piece, 0) + 1
    pieces = sorted((p for p, n in counts.items() if n >= 3 or len(p) == 1),
                    key=lambda p: (-counts[p] * len(p), p))[:700]
    total = sum(counts[p] for p in pieces)
    vocabulary = [["<s>", 0.0], ["</s>", 0.0], ["<unk>", 0.0]]
    # Distinct scores: no two segmentations tie.
    vocabulary += [[p, round(math.log(counts[p] / total) - i * 1e-4, 6)] for i, p in enumerate(pieces)]
    metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    parts = skeleton(None, metaspace, metaspace, {})
    parts["model"] = {"type": "Unigram", "unk_id": 2, "byte_fallback": False, "vocab": vocabulary}
    parts["added_tokens"] = [added(0, "<s>", True), added(1, "</s>", True), added(2, "<unk>", True)]
    parts["post_processor"] = {"type": "RobertaProcessing", "sep": ["</s>", 1], "cls": ["<s>", 0],
                               "trim_offsets": True, "add_prefix_space": True}
    return parts


def record(folder, family, gguf, configuration, texts):
    tokenizer = Tokenizer.from_str(json.dumps(configuration))
    ids = [tokenizer.encode(text).ids for text in texts]
    decoded = [tokenizer.decode(row, skip_special_tokens=False)
               for row in (tokenizer.encode(text, add_special_tokens=False).ids for text in texts)]
    tokenizer.encode_special_tokens = True
    unparsed = [tokenizer.encode(text).ids for text in texts]
    result = {
        "gguf": gguf, "tokenizer": configuration, "ids": ids,
        # Only where they differ from what is expected: by index of the text.
        "ids_unparsed": {str(i): row for i, row in enumerate(unparsed) if row != ids[i]},
        "decoded": {str(i): text for i, text in enumerate(decoded) if text != texts[i]},
    }
    (folder / f"{family}.json").write_text(
        json.dumps(result, ensure_ascii=False, separators=(",", ":")) + "\n")


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    texts = FIXED_TEXTS + list(random_texts(160))
    (folder / "texts.json").write_text(json.dumps(texts, separators=(",", ":")) + "\n")
    for family, (gguf, normalizer, pre_tokenizer, options) in BYTE_FAMILIES.items():
        record(folder, family, gguf, make_byte_family(normalizer, pre_tokenizer, options), texts)
    for family, parts in CHARACTER_FAMILIES.items():
        record(folder, family, None, make_character_family(*parts), texts)
    record(folder, "wordpiece", None, make_wordpiece(), texts)
    record(folder, "unigram", None, make_unigram(), texts)


if __name__ == "__main__":
    main()
