"""A whole model in 600 kB: a random Llama of two layers with a SentencePiece vocabulary.

Written byte by byte after the GGUF specification (docs/gguf.md of the ggml project), so that the
end-to-end tests need neither a network nor a package. The same bytes come out on every machine. It
knows nothing; what is tested is that the commands agree with one another about what it says.
"""

import array
import random
import struct

VOCABULARY = 320
CONTEXT = 1 << 18  # long enough that a test can interrupt an answer
HIDDEN, LAYERS, HEADS, KV_HEADS, FEED_FORWARD = 64, 2, 4, 2, 128
BOS, EOS = 1, 2
ALIGNMENT = 32

UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9  # metadata types of GGUF
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6                     # token types


def pieces():
    """(piece, score, type) of every token: specials, all bytes, letters, and what merges."""
    rows = [("<unk>", 0.0, UNKNOWN), ("<s>", 0.0, CONTROL), ("</s>", 0.0, CONTROL)]
    rows += [(f"<0x{byte:02X}>", 0.0, BYTE) for byte in range(256)]
    words = ["he", "th", "the", "\u2581the", "in", "an", "\u2581a", "er", "on", "\u2581s", "re",
             "\u2581sea", "\u2581is", "at", "or", "ing", "\u2581w", "\u2581in", "es", "ll"]
    letters = ["\u2581", *"etaoinshrdlucmfwypvbgkqjxz", *",.!?", *"中国大海的"]
    rows += [(piece, -float(rank), NORMAL) for rank, piece in enumerate(words + letters)]
    return rows + [(f"w{number}", -1e6, NORMAL) for number in range(VOCABULARY - len(rows))]


def string(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def field(key, kind, packed):
    return string(key) + struct.pack("<I", kind) + packed


def metadata(feed_forward=FEED_FORWARD, heads=HEADS):
    def number(key, value):
        return field(key, UINT32, struct.pack("<I", value))

    def listed(key, kind, items):
        return field(key, ARRAY, struct.pack("<IQ", kind, len(items)) + b"".join(items))

    rows = pieces()
    return [
        field("general.architecture", STRING, string("llama")),
        field("general.name", STRING, string("tiny")),
        number("llama.context_length", CONTEXT),
        number("llama.embedding_length", HIDDEN),
        number("llama.block_count", LAYERS),
        number("llama.feed_forward_length", feed_forward),
        number("llama.attention.head_count", heads),
        number("llama.attention.head_count_kv", heads * KV_HEADS // HEADS),
        field("llama.attention.layer_norm_rms_epsilon", FLOAT32, struct.pack("<f", 1e-5)),
        field("tokenizer.ggml.model", STRING, string("llama")),
        listed("tokenizer.ggml.tokens", STRING, [string(piece) for piece, _, _ in rows]),
        listed("tokenizer.ggml.scores", FLOAT32, [struct.pack("<f", score) for _, score, _ in rows]),
        listed("tokenizer.ggml.token_type", INT32, [struct.pack("<i", kind) for _, _, kind in rows]),
        number("tokenizer.ggml.bos_token_id", BOS),
        number("tokenizer.ggml.eos_token_id", EOS),
    ]


def tensors(feed_forward=FEED_FORWARD):
    """(name, shape with the row count last, as GGUF has it) of every weight: the same for any heads."""
    head_size = HIDDEN // HEADS
    shapes = [("token_embd.weight", (HIDDEN, VOCABULARY))]
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        shapes += [(block + "attn_norm.weight", (HIDDEN,)),
                   (block + "attn_q.weight", (HIDDEN, HIDDEN)),
                   (block + "attn_k.weight", (HIDDEN, KV_HEADS * head_size)),
                   (block + "attn_v.weight", (HIDDEN, KV_HEADS * head_size)),
                   (block + "attn_output.weight", (HIDDEN, HIDDEN)),
                   (block + "ffn_norm.weight", (HIDDEN,)),
                   (block + "ffn_gate.weight", (HIDDEN, feed_forward)),
                   (block + "ffn_up.weight", (HIDDEN, feed_forward)),
                   (block + "ffn_down.weight", (feed_forward, HIDDEN))]
    return shapes + [("output_norm.weight", (HIDDEN,)), ("output.weight", (HIDDEN, VOCABULARY))]


def model_bytes(vocabulary_only=False, chat_template=None, feed_forward=FEED_FORWARD,
                heads=HEADS):
    fields = metadata(feed_forward, heads)
    if chat_template is not None:
        fields.append(field("tokenizer.chat_template", STRING, string(chat_template)))
    shapes = [] if vocabulary_only else tensors(feed_forward)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(shapes), len(fields)) + b"".join(fields)
    generator = random.Random(7)
    weights = bytearray()
    for name, shape in shapes:
        head += string(name) + struct.pack("<I", len(shape))
        head += struct.pack(f"<{len(shape)}Q", *shape) + struct.pack("<IQ", 0, len(weights))
        count = shape[0] * (shape[1] if len(shape) == 2 else 1)
        if len(shape) == 1:
            values = array.array("f", [1.0] * count)
        else:
            spread = 2.0 / shape[0] ** 0.5
            values = array.array("f", (generator.uniform(-spread, spread) for _ in range(count)))
        weights += values.tobytes() + bytes(-4 * count % ALIGNMENT)
    return head + bytes(-len(head) % ALIGNMENT) + bytes(weights)
