#!/usr/bin/env python3
"""Records what the reference libraries make of many texts, for the tests of src/model/tokenizer.

Usage: make_sentencepiece_goldens.py OUTPUT_FOLDER
Needs PyPI `sentencepiece` (trains the small models and encodes) and `tokenizers` (WordPiece).

Every file holds a small vocabulary and cases [text, ids]; a text is a string, or {"hex": …} where
its bytes are not UTF-8. Real vocabularies are too large to keep here; these have every feature the
real ones have: byte tokens, user-defined and unused pieces, runs of spaces, a charsmap.
"""
import io
import json
import random
import sys
import unicodedata
from pathlib import Path

import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as model_pb
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

SENTENCES = """
The quick brown fox jumps over the lazy dog, and then it sleeps under the old apple tree.
Language models read text as tokens; a tokenizer turns characters into numbers and back again.
It's not that I don't know what you're asking, we'll see if they've answered by then.
In 2024 the price rose from 1,299.50 to 1,450.75 dollars, an increase of 11.6 percent.
人工智能模型把文字切分成词元，然后逐个预测下一个词元。
我能吞下玻璃而不伤身体。今天天气很好，我们去公园散步吧。
銀行、醫院和工廠的資料不能離開自己的機房。
日本語の文章には漢字とひらがなとカタカナが混ざっています。
東京は今日も雨です。コンピューターで言語を処理します。
한국어 문장은 띄어쓰기가 있습니다. 오늘은 날씨가 좋네요.
مرحبا بالعالم، هذه جملة باللغة العربية فيها كلمات كثيرة.
สวัสดีชาวโลก ภาษาไทยไม่มีช่องว่างระหว่างคำ
नमस्ते दुनिया, यह हिन्दी में लिखा हुआ एक वाक्य है।
Привет, мир! Это предложение написано на русском языке.
Größere Straßen führen über Brücken; naïve café déjà vu, señor año.
for (int i = 0; i < count; ++i) { total += values[i] * weights[i]; }
def encode(text):    return [table[c] for c in text if c in table]
    if (x == 0) {        return;    }
👍 🎉 👨‍👩‍👧 emoji 🇨🇳 ❤️
""".strip("\n").split("\n")

SPECIMENS = SENTENCES + [
    "", " ", "  ", "   a   b  ", " leading", "trailing ", "a", "\n", "\t\tx\r\n", "line\nline\n\nline",
    "tab\tand nul\0 and bell\a and escape\x1b[0m", "\u00a0no\u3000break\u2003space\u200bzero",
    "<s></s><unk><pad>", "<0x0A><0x41>", "▁", "▁▁ ▁a", "a▁b", "<sep><sep>x<sep>", "x<sep> y", "<se<sep>p>",
    "e\u0301e\u0301 a\u0323\u0308 \u0301\u0301", "ﬁ ﬂ ① ½ Ω Å ｆｕｌｌ ㌔ ﷽", "𝔘𝔫𝔦 𝒯𝑒𝓍𝓉 𐍈 𠮷",
    "👨‍👩‍👧‍👦👍🏽🇨🇳🇺🇸❤️‍🔥", "क्षत्रिय क्‍ष", "ก็ำที่", "שָׁלוֹם", "İstanbul IĞDIR ǅ ẞ ΑΣ",
    "Hello,World!?…—«x» $5 #1 a_b-c@d.e/f\\g|h~i`j^k", "don't can't 'quoted' \"double\"",
    "a" * 99, "b" * 100, "c" * 101, "pneumonoultramicroscopicsilicovolcanoconiosis", "the" * 60,
    " " * 50 + "x" + " " * 33, "=" * 70, "abababababababab", "中文混排English与数字123。",
    " ".join(SENTENCES + SENTENCES[:8]),  # long enough that words are remembered
]


def random_character(rng):
    kind = rng.randrange(8)
    if kind < 3:
        return chr(rng.randrange(32, 127))
    if kind == 3:
        return rng.choice(" \n\t▁\u00a0\u200d\ufe0f\u0301\u0323\0\x07")
    if kind == 4:
        return rng.choice("".join(SENTENCES))
    top = (0x600, 0x3100, 0x110000)[kind - 5]
    while True:
        code = rng.randrange(top)
        if not 0xD800 <= code < 0xE000:
            return chr(code)


def texts(count, seed=7):
    rng = random.Random(seed)
    yield from SPECIMENS
    for n in range(count):
        if n % 8 == 0:  # full of ties
            yield "".join(rng.choice("aeiou ") for _ in range(rng.randrange(1, 50)))
        elif n % 2:
            yield "".join(random_character(rng) for _ in range(rng.randrange(1, 24)))
        else:
            text = ""
            for _ in range(rng.randrange(1, 4)):
                sentence = rng.choice(SENTENCES)
                begin = rng.randrange(len(sentence))
                text += sentence[begin:begin + rng.randrange(1, 20)]
            yield text


def train(**options):
    """A trained model as a protocol buffer."""
    settings = dict(
        sentence_iterator=iter(SENTENCES * 4), hard_vocab_limit=False, minloglevel=2,
        num_threads=1, max_sentence_length=10000, character_coverage=0.995)
    settings.update(options)
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(model_writer=out, **settings)
    proto = model_pb.ModelProto()
    proto.ParseFromString(out.getvalue())
    return proto


def record(path, proto, cases):
    processor = sentencepiece.SentencePieceProcessor(model_proto=proto.SerializeToString())
    spec = proto.normalizer_spec
    document = {
        "pieces": [p.piece for p in proto.pieces],
        "kinds": [int(p.type) for p in proto.pieces],
        "scores": [p.score for p in proto.pieces],
        "unknown": processor.unk_id(),
        "add_space_prefix": spec.add_dummy_prefix,
        "remove_extra_whitespaces": spec.remove_extra_whitespaces,
        "charsmap_hex": bytes(spec.precompiled_charsmap).hex(),
        "cases": [[text, processor.encode(text)] for text in cases],
    }
    write(path, document)


def write(path, document):
    cases = document.pop("cases")
    head = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    rows = ",\n".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in cases)
    path.write_text(head[:-1] + ',"cases":[\n' + rows + "\n]}\n", encoding="utf-8")


def charsmap_rules(folder):
    """A normalization table of NFKC's kinds, a twentieth of its size: from → to in hexadecimal."""
    codes = [*range(0xA0, 0x250), *range(0x2000, 0x2070), *range(0x2460, 0x2480),
             *range(0xFB00, 0xFB07), *range(0xFF01, 0xFF5F), 0x3000, 0x3314, 0xFDFA]
    rules = {}
    for code in codes:
        target = unicodedata.normalize("NFKC", chr(code))
        if target != chr(code):
            rules[chr(code)] = target
        source = unicodedata.normalize("NFD", chr(code))
        if source != chr(code):
            rules[source] = unicodedata.normalize("NFC", chr(code))
    rules.update({"\t": " ", "\n": " ", "\r": " ", "\u200b": "", "\x07": ""})
    path = folder / "rules.tsv"
    hexes = lambda text: " ".join(f"{ord(c):X}" for c in text)
    path.write_text("".join(f"{hexes(a)}\t{hexes(b)}\n" for a, b in rules.items()))
    return path


def sentencepiece_models(folder):
    identity = dict(normalization_rule_name="identity", remove_extra_whitespaces=False)
    llama = train(model_type="bpe", vocab_size=900, byte_fallback=True, add_dummy_prefix=True,
                  user_defined_symbols=["<sep>", "▁▁", "▁▁▁▁"], **identity)
    record(folder / "bpe_byte_fallback.json", llama, texts(300))

    unused = model_pb.ModelProto()
    unused.CopyFrom(llama)
    rng = random.Random(3)
    for piece in unused.pieces:
        if piece.type == 1 and len(piece.piece) > 1 and rng.random() < 0.3:
            piece.type = 5
    record(folder / "bpe_unused.json", unused, texts(200, 11))

    plain = train(model_type="bpe", vocab_size=600, add_dummy_prefix=False,
                  split_by_whitespace=False, **identity)
    record(folder / "bpe_unknown.json", plain, texts(200, 13))

    rules = charsmap_rules(folder)
    unigram = train(model_type="unigram", vocab_size=800, normalization_rule_tsv=str(rules))
    record(folder / "unigram.json", unigram, texts(300, 17))
    bytes_too = train(model_type="unigram", vocab_size=900, byte_fallback=True,
                      user_defined_symbols=["<sep>"], **identity)
    record(folder / "unigram_byte_fallback.json", bytes_too, texts(200, 19))
    rules.unlink()


def wordpiece(folder):
    """The same vocabulary under every switch of the normalizer, and once as GGUF files spell it."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=1100, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    tokenizer.train_from_iterator(SENTENCES * 4 + [s.lower() for s in SENTENCES], trainer)
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    cases = list(texts(300, 23))
    runs = []
    for switches in ((1, 1, 1, 1), (0, 0, 1, 1), (1, 0, 1, 1), (0, 1, 1, 1), (1, 1, 0, 0)):
        lowercase, strip, chinese, clean = map(bool, switches)
        tokenizer.normalizer = normalizers.BertNormalizer(
            clean_text=clean, handle_chinese_chars=chinese, strip_accents=strip, lowercase=lowercase)
        runs.append({
            "lowercase": lowercase, "strip_accents": strip, "split_chinese": chinese,
            "clean_text": clean,
            "ids": [e.ids for e in tokenizer.encode_batch(cases, add_special_tokens=False)]})
    write(folder / "wordpiece.json", {
        "pieces": [piece for piece, _ in vocabulary], "runs": runs, "cases": cases})


def broken_utf8(folder):
    """Bytes and what they read as, by Python's decoder (one U+FFFD for a maximal broken part)."""
    rng = random.Random(29)
    leads = b"\x00A\x7f\x80\xbf\xc0\xc1\xc2\xdf\xe0\xe4\xed\xef\xf0\xf1\xf4\xf5\xff"
    cases = []
    for n in range(400):
        data = bytearray()
        for _ in range(rng.randrange(1, 12)):
            kind = rng.randrange(4)
            if kind == 0:
                data += random_character(rng).encode()
            elif kind == 1:
                data += random_character(rng).encode()[:-1]
            elif kind == 2:
                data.append(rng.choice(leads))
            else:
                data += bytes(rng.choice(b"\x80\x8f\x90\x9f\xa0\xbf") for _ in range(rng.randrange(4)))
        cases.append([{"hex": data.hex()}, data.decode("utf-8", errors="replace")])
    write(folder / "broken_utf8.json", {"reference": "bytes.decode, errors=replace", "cases": cases})


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    sentencepiece_models(folder)
    wordpiece(folder)
    broken_utf8(folder)


if __name__ == "__main__":
    main()
