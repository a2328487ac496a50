#!/usr/bin/env python3
"""Records what transformers says of the sizes of published models.

    make_planning_goldens.py [FOLDER]      default: tests/golden/planning beside this file

Needs the packages of tests/conformance/requirements.txt. families.json holds, for each model of
src/planning/families.cpp, a configuration as save_pretrained() writes it (fields that equal the
default of their class are left out) and the number of parameters of the module that transformers
builds from it, on the meta device. tiny-llama is a model of a few kilobytes, saved in shards.
"""
import json
import shutil
import sys
from pathlib import Path

import torch
import transformers
from transformers import (Gemma3Config, Gemma3ForCausalLM, Gemma3TextConfig, LlamaConfig,
                          LlamaForCausalLM, MistralConfig, MistralForCausalLM, Phi3Config,
                          Phi3ForCausalLM, Qwen2Config, Qwen2ForCausalLM, Qwen3Config,
                          Qwen3ForCausalLM)


def sizes(layers, hidden, heads, kv_heads, head_dim, feed_forward, vocabulary, tied, **more):
    fields = {"num_hidden_layers": layers, "hidden_size": hidden, "num_attention_heads": heads,
              "num_key_value_heads": kv_heads, "head_dim": head_dim,
              "intermediate_size": feed_forward, "vocab_size": vocabulary,
              "tie_word_embeddings": tied, **more}
    # Qwen2 and Phi-3 know no head_dim: it is hidden / heads.
    return {key: value for key, value in fields.items() if value is not None}


def qwen2(*numbers, **more):
    return Qwen2Config, Qwen2ForCausalLM, sizes(*numbers, **more)


def qwen3(*numbers, **more):
    return Qwen3Config, Qwen3ForCausalLM, sizes(*numbers, **more)


def llama(*numbers, **more):
    return LlamaConfig, LlamaForCausalLM, sizes(*numbers, **more)


def mistral(*numbers, **more):
    return MistralConfig, MistralForCausalLM, {**sizes(*numbers, **more), "sliding_window": None}


def gemma3(*numbers, **more):
    return Gemma3TextConfig, Gemma3ForCausalLM, sizes(*numbers, **more)


def phi3(*numbers, **more):
    return Phi3Config, Phi3ForCausalLM, sizes(*numbers, pad_token_id=0, **more)


# As the config.json of each model on its hub page says.
MODELS = {
    "Qwen2.5 0.5B": qwen2(24, 896, 14, 2, None, 4864, 151936, True),
    "Qwen2.5 1.5B": qwen2(28, 1536, 12, 2, None, 8960, 151936, True),
    "Qwen2.5 3B": qwen2(36, 2048, 16, 2, None, 11008, 151936, True),
    "Qwen2.5 7B": qwen2(28, 3584, 28, 4, None, 18944, 152064, False),
    "Qwen2.5 14B": qwen2(48, 5120, 40, 8, None, 13824, 152064, False),
    "Qwen2.5 32B": qwen2(64, 5120, 40, 8, None, 27648, 152064, False),
    "Qwen2.5 72B": qwen2(80, 8192, 64, 8, None, 29568, 152064, False),
    "Llama 3.2 1B": llama(16, 2048, 32, 8, 64, 8192, 128256, True),
    "Llama 3.2 3B": llama(28, 3072, 24, 8, 128, 8192, 128256, True),
    "Llama 2 7B": llama(32, 4096, 32, 32, None, 11008, 32000, False),
    "Llama 3.1 8B": llama(32, 4096, 32, 8, 128, 14336, 128256, False),
    "Llama 2 13B": llama(40, 5120, 40, 40, None, 13824, 32000, False),
    "Llama 3.1 70B": llama(80, 8192, 64, 8, 128, 28672, 128256, False),
    "Llama 3.1 405B": llama(126, 16384, 128, 8, 128, 53248, 128256, False),
    "Qwen3 0.6B": qwen3(28, 1024, 16, 8, 128, 3072, 151936, True),
    "Qwen3 1.7B": qwen3(28, 2048, 16, 8, 128, 6144, 151936, True),
    "Qwen3 4B": qwen3(36, 2560, 32, 8, 128, 9728, 151936, True),
    "Qwen3 8B": qwen3(36, 4096, 32, 8, 128, 12288, 151936, False),
    "Qwen3 14B": qwen3(40, 5120, 40, 8, 128, 17408, 151936, False),
    "Qwen3 32B": qwen3(64, 5120, 64, 8, 128, 25600, 151936, False),
    "Gemma 3 270M": gemma3(18, 640, 4, 1, 256, 2048, 262144, True, sliding_window=512),
    "Gemma 3 1B": gemma3(26, 1152, 4, 1, 256, 6912, 262144, True, sliding_window=512),
    "Gemma 3 4B": gemma3(34, 2560, 8, 4, 256, 10240, 262208, True, sliding_window=1024),
    "Gemma 3 12B": gemma3(48, 3840, 16, 8, 256, 15360, 262208, True, sliding_window=1024),
    "Gemma 3 27B": gemma3(62, 5376, 32, 16, 128, 21504, 262208, True, sliding_window=1024),
    "Mistral 7B v0.3": mistral(32, 4096, 32, 8, 128, 14336, 32768, False),
    "Mistral Nemo 12B": mistral(40, 5120, 32, 8, 128, 14336, 131072, False),
    "Mistral Small 24B": mistral(40, 5120, 32, 8, 128, 32768, 131072, False),
    "Mistral Large 123B": mistral(88, 12288, 96, 8, 128, 28672, 32768, False),
    "Yi 1.5 6B": llama(32, 4096, 32, 4, None, 11008, 64000, False),
    "Yi 1.5 9B": llama(48, 4096, 32, 4, None, 11008, 64000, False),
    "Yi 1.5 34B": llama(60, 7168, 56, 8, None, 20480, 64000, False),
    "Phi-3 mini 3.8B": phi3(32, 3072, 32, 32, None, 8192, 32064, False, sliding_window=2047),
    "Phi-3 medium 14B": phi3(40, 5120, 40, 10, None, 17920, 32064, False, sliding_window=2047),
    "Phi-4 14B": phi3(40, 5120, 40, 10, None, 17920, 100352, False),
}


def count(model_class, config):
    with torch.device("meta"):
        model = model_class(config)
    model.tie_weights()
    return model.num_parameters()


def entry_of(name, config_class, model_class, fields):
    config = config_class(**fields)
    return {"name": name, "parameters": count(model_class, config),
            "config": json.loads(config.to_json_string(use_diff=True))}


def with_vision():
    """Gemma 3's configuration as published: the text model's fields, mostly left to defaults."""
    text = Gemma3TextConfig(num_hidden_layers=34, hidden_size=2560, intermediate_size=10240,
                            sliding_window=1024)
    config = Gemma3Config(text_config=text)
    return {"name": "Gemma 3 4B with image input", "parameters": count(Gemma3ForCausalLM, text),
            "config": json.loads(config.to_json_string(use_diff=True))}


def save_tiny(folder):
    shutil.rmtree(folder, ignore_errors=True)
    torch.manual_seed(1)
    config = LlamaConfig(**sizes(2, 16, 2, 1, 8, 32, 32, False, max_position_embeddings=256))
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(folder, max_shard_size="4KB")
    (folder / "generation_config.json").unlink()
    for path in folder.iterdir():
        path.chmod(0o644)


def main():
    here = Path(__file__).resolve().parent
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else here / "planning"
    folder.mkdir(parents=True, exist_ok=True)
    entries = [entry_of(name, *parts) for name, parts in MODELS.items()] + [with_vision()]
    document = {"transformers": transformers.__version__, "models": entries}
    (folder / "families.json").write_text(json.dumps(document, indent=1) + "\n")
    save_tiny(folder / "tiny-llama")


if __name__ == "__main__":
    main()
