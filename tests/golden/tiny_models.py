"""Tiny random models of every architecture: their configurations, weights and GGUF files.

A model of 256 hidden units is some megabytes, too much to commit for each variant. So no weights
are recorded: every weight is a function of its tensor's name and its index, computed alike here and
in src/model/architectures/tiny_model_testing.h:

    key   = FNV-1a, 64 bits, of the tensor's name in the GGUF file
    bits  = splitmix64(key + (index + 1) * 0x9E3779B97F4A7C15) >> 40          24 bits
    value = float32(center + amplitude * (bits / 2^23 - 1))                   one rounding

The same values go to transformers, turned back to what its modules expect (permuted query and key
rows of Llama, Gemma's norms that multiply by 1 + weight), and to a GGUF file with the names and
keys that llama.cpp's convert_hf_to_gguf.py writes (conversion/{base,llama,qwen,gemma,phi}.py of
b11434). llama.cpp reads that file in tests/conformance/architectures.py: a mistake shared by this
file and our loader would show there.
"""
import contextlib
import dataclasses
import math
import sys

import gguf
import numpy as np
import torch
import transformers

VOCABULARY = 320
HIDDEN = 256
TOKENS = 96
WINDOW = 24
MASK64 = (1 << 64) - 1


@dataclasses.dataclass(frozen=True)
class Case:
    """`config` and `model` are transformers' classes; `architecture` is GGUF's name."""
    architecture: str
    config: type
    model: type
    settings: dict
    tokens: int = TOKENS
    peer: bool = True        # whether llama.cpp computes the same model
    why_no_peer: str = ""


SIZES = {"vocab_size": VOCABULARY, "hidden_size": HIDDEN, "intermediate_size": 512,
         "num_hidden_layers": 2, "num_attention_heads": 8, "num_key_value_heads": 2,
         "max_position_embeddings": 512, "rms_norm_eps": 1e-5, "pad_token_id": 0,
         "bos_token_id": 1, "eos_token_id": 2, "attn_implementation": "eager"}


def llama(**settings):
    return Case("llama", transformers.LlamaConfig, transformers.LlamaForCausalLM,
                {**SIZES, "head_dim": 32, **settings})


def mistral(**settings):
    return Case("llama", transformers.MistralConfig, transformers.MistralForCausalLM,
                {**SIZES, "head_dim": 64, "sliding_window": None, **settings})


def qwen2(**settings):
    return Case("qwen2", transformers.Qwen2Config, transformers.Qwen2ForCausalLM,
                {**SIZES, **settings})


def qwen3(**settings):
    return Case("qwen3", transformers.Qwen3Config, transformers.Qwen3ForCausalLM,
                {**SIZES, "head_dim": 64, **settings})


def gemma2(**settings):
    return Case("gemma2", transformers.Gemma2Config, transformers.Gemma2ForCausalLM,
                {**SIZES, "num_hidden_layers": 4, "num_attention_heads": 4, "head_dim": 32,
                 "query_pre_attn_scalar": 32, "sliding_window": WINDOW,
                 # Low caps, so that scores and logits of this size are bent by them.
                 "attn_logit_softcapping": 3.0, "final_logit_softcapping": 4.0, **settings})


def gemma3(full_scaling=None, **settings):
    ropes = {"sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
             "full_attention": {"rope_theta": 1000000.0,
                                **(full_scaling or {"rope_type": "default"})}}
    return Case("gemma3", transformers.Gemma3TextConfig, transformers.Gemma3ForCausalLM,
                {**SIZES, "num_hidden_layers": 7, "num_attention_heads": 2,
                 "num_key_value_heads": 1, "head_dim": 64, "query_pre_attn_scalar": 64,
                 "sliding_window": WINDOW, "rope_parameters": ropes, **settings})


def phi3(scaling=None, original=512, **settings):
    ropes = {"rope_theta": 10000.0, "rope_type": "default", **(scaling or {}),
             "original_max_position_embeddings": original}
    return Case("phi3", transformers.Phi3Config, transformers.Phi3ForCausalLM,
                {**SIZES, "num_key_value_heads": 4, "sliding_window": None,
                 "original_max_position_embeddings": original, "rope_parameters": ropes,
                 **settings})


def without_peer(case, why):
    return dataclasses.replace(case, peer=False, why_no_peer=why)


def rope(kind, **values):
    return {"rope_type": kind, "rope_theta": 10000.0, **values}


LONGROPE = {"rope_type": "longrope",
            "short_factor": [1.0 + 0.05 * i for i in range(16)],
            "long_factor": [1.0 + 0.75 * i for i in range(16)]}

CASES = {
    "llama": llama(),
    "llama_tied_bias": llama(tie_word_embeddings=True, attention_bias=True),
    "llama_llama3": llama(rope_parameters=rope(
        "llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
        original_max_position_embeddings=64)),
    "llama_linear": llama(rope_parameters=rope("linear", factor=4.0)),
    "llama_yarn": llama(rope_parameters=rope("yarn", factor=8.0,
                                             original_max_position_embeddings=64)),
    "mistral": mistral(),
    "yi": llama(num_key_value_heads=8, rope_parameters=rope("default", rope_theta=5000000.0),
                rms_norm_eps=1e-6),
    "qwen2": qwen2(tie_word_embeddings=True,
                   rope_parameters=rope("default", rope_theta=1000000.0)),
    "qwen2_yarn": qwen2(rope_parameters=rope("yarn", rope_theta=1000000.0, factor=4.0,
                                             original_max_position_embeddings=128)),
    "qwen2_yarn_betas": without_peer(
        qwen2(rope_parameters=rope("yarn", rope_theta=1000000.0, factor=4.0, beta_fast=16.0,
                                   beta_slow=2.0, original_max_position_embeddings=128)),
        "llama.cpp does not read YaRN's betas of Qwen 2"),
    "qwen3": qwen3(rope_parameters=rope("default", rope_theta=1000000.0)),
    "gemma2": gemma2(),
    "gemma3": gemma3(),
    "gemma3_linear": gemma3(full_scaling={"rope_type": "linear", "factor": 8.0}),
    "phi3": phi3(),
    "phi3_window": without_peer(phi3(sliding_window=WINDOW),
                                "llama.cpp does not compute Phi-3's window"),
    "phi3_short": phi3(LONGROPE, original=256, max_position_embeddings=1024),
    "phi3_long": phi3(LONGROPE, original=64, max_position_embeddings=256),
}


# The rule for weights.

def fnv1a(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 & MASK64
    return value


def unit_values(name, count):
    """`count` values in [-1, 1), multiples of 2^-23, as float64."""
    with np.errstate(over="ignore"):
        z = np.uint64(fnv1a(name)) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(
            0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float64) / 2.0**23 - 1.0


@dataclasses.dataclass(frozen=True)
class Recipe:
    """One tensor of the GGUF file: shape row-major; center and amplitude of its values."""
    name: str
    shape: tuple
    center: float
    amplitude: float

    def values(self):
        count = math.prod(self.shape)
        return (self.center + self.amplitude * unit_values(self.name, count)).astype(
            np.float32).reshape(self.shape)


def amplitude_of(case, name):
    if "norm" in name:
        return 1.0, 0.5
    if name.endswith(".bias"):
        return 0.0, 0.25
    if name == "token_embd.weight":
        # About the size of what a layer adds; where it is the output too, logits near 1.
        tied = case.settings.get("tie_word_embeddings", case.architecture.startswith("gemma"))
        return 0.0, 0.125 if tied else 1.0
    return 0.0, 0.0625 if "ffn_down" in name else 0.125


def tokens_of(case):
    """Token ids of the test sequence, from the same generator."""
    return [int(v) for v in (unit_values("tokens", case.tokens) + 1.0) / 2.0 * VOCABULARY]


# Between transformers' modules and GGUF tensors.

def gguf_name(case, hf_name):
    known = {gguf.MODEL_ARCH_NAMES[arch]: arch for arch in gguf.MODEL_ARCH}
    names = gguf.get_tensor_name_map(known[case.architecture],
                                     case.settings["num_hidden_layers"])
    name = names.get_name(hf_name, try_suffixes=(".weight", ".bias"))
    assert name, hf_name
    return name


def to_transformers(case, hf_name, values):
    """What the converter did to a tensor, undone."""
    if case.architecture == "llama" and ("q_proj" in hf_name or "k_proj" in hf_name):
        heads = case.settings["num_attention_heads" if "q_proj" in hf_name
                              else "num_key_value_heads"]
        # File: rows 2i and 2i + 1 of a head are a pair; transformers: rows i and i + half.
        pairs = values.reshape(heads, values.shape[0] // heads // 2, 2, *values.shape[1:])
        return np.ascontiguousarray(pairs.swapaxes(1, 2)).reshape(values.shape)
    if case.architecture.startswith("gemma") and hf_name.endswith("norm.weight"):
        return values - np.float32(1.0)
    return values


def build(case):
    """(transformers model in F32, recipes of the file's tensors, tensors given by value)."""
    torch.manual_seed(0)
    model = case.model(case.config(**case.settings)).eval()
    recipes, state = [], {}
    for hf_name, parameter in model.state_dict().items():
        if hf_name == "lm_head.weight" and model.config.tie_word_embeddings:
            state[hf_name] = state["model.embed_tokens.weight"]
            continue
        name = gguf_name(case, hf_name)
        recipe = Recipe(name, tuple(parameter.shape), *amplitude_of(case, name))
        recipes.append(recipe)
        state[hf_name] = torch.from_numpy(to_transformers(case, hf_name, recipe.values()))
    model.load_state_dict(state)
    return model, recipes, frequency_factors(model.config)


def frequency_factors(config):
    """Rotary factors that the converter writes as tensors."""
    ropes = config.rope_parameters
    if ropes.get("rope_type") == "longrope":
        return {"rope_factors_long.weight": np.array(ropes["long_factor"], np.float32),
                "rope_factors_short.weight": np.array(ropes["short_factor"], np.float32)}
    if ropes.get("rope_type") != "llama3":
        return {}
    factors = []
    for i in range(0, config.head_dim, 2):
        wavelength = 2.0 * math.pi * ropes["rope_theta"] ** (i / config.head_dim)
        turns = ropes["original_max_position_embeddings"] / wavelength
        low, high = ropes["low_freq_factor"], ropes["high_freq_factor"]
        smooth = (turns - low) / (high - low)
        if turns > high:
            factors.append(1.0)
        elif turns < low:
            factors.append(ropes["factor"])
        else:
            factors.append(1.0 / ((1.0 - smooth) / ropes["factor"] + smooth))
    return {"rope_freqs.weight": np.array(factors, np.float32)}


def write_metadata(writer, case, config):
    """The keys of convert_hf_to_gguf.py; no tokenizer."""
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    writer.add_tokenizer_model("no_vocab")
    ropes = config.rope_parameters
    full = ropes.get("full_attention", ropes)
    head_dim = getattr(config, "head_dim", None)
    if head_dim is not None and case.architecture != "phi3":
        writer.add_key_length(head_dim)
        writer.add_value_length(head_dim)
    if case.architecture == "gemma2":  # its converter writes nothing of rotary settings
        writer.add_attn_logit_softcapping(config.attn_logit_softcapping)
        writer.add_final_logit_softcapping(config.final_logit_softcapping)
        writer.add_sliding_window(config.sliding_window)
        return
    writer.add_rope_freq_base(full["rope_theta"])
    if case.architecture == "phi3":
        write_phi3_metadata(writer, config, full)
        return
    if case.architecture == "llama":
        writer.add_rope_dimension_count(head_dim)
    if case.architecture == "gemma3":
        writer.add_sliding_window(config.sliding_window)
        writer.add_rope_freq_base_swa(ropes["sliding_attention"]["rope_theta"])
    write_scaling(writer, full)


def write_phi3_metadata(writer, config, ropes):
    original = ropes["original_max_position_embeddings"]
    writer.add_rope_scaling_orig_ctx_len(original)
    writer.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    writer.add_sliding_window(config.sliding_window or 0)
    scale = config.max_position_embeddings / original
    if ropes["rope_type"] == "longrope":
        writer.add_rope_scaling_attn_factors(
            math.sqrt(1.0 + math.log(scale) / math.log(original)) if scale > 1.0 else 1.0)


def write_scaling(writer, ropes):
    if ropes["rope_type"] == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(ropes["factor"])
    if ropes["rope_type"] == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(ropes["factor"])
        writer.add_rope_scaling_orig_ctx_len(ropes["original_max_position_embeddings"])
        if ropes.get("beta_fast") is not None:
            writer.add_rope_scaling_yarn_beta_fast(ropes["beta_fast"])
        if ropes.get("beta_slow") is not None:
            writer.add_rope_scaling_yarn_beta_slow(ropes["beta_slow"])


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_model(path, case, config, recipes, literals):
    """The whole model as a GGUF file in F32."""
    writer = gguf.GGUFWriter(str(path), case.architecture)
    write_metadata(writer, case, config)
    for name, values in literals.items():
        writer.add_tensor(name, values)
    for recipe in recipes:
        writer.add_tensor(recipe.name, recipe.values())
    finish(writer)


def reference_logits(model, tokens):
    """[positions, vocabulary] in F32, of one forward pass over the whole sequence."""
    with torch.no_grad():
        return model(torch.tensor([tokens]), use_cache=False).logits[0].float().numpy()


@contextlib.contextmanager
def f16_cache(model):
    """Keys (rotated) and values pass through F16, as a cache in F16 makes them."""
    module = sys.modules[type(model).__module__]
    attention = module.eager_attention_forward

    def rounded(layer, query, key, value, *arguments, **options):
        return attention(layer, query, key.half().float(), value.half().float(), *arguments,
                         **options)

    module.eager_attention_forward = rounded
    try:
        yield
    finally:
        module.eager_attention_forward = attention
