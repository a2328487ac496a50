"""premise bench engine says what computes each matrix, and refuses to measure a model that is off the fast
path where that is asked for. Models are synthetic ones (premise synth)."""

import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = os.environ.get("PREMISE", str(ROOT / "build/release/premise"))
SHORT = ("-p", "4", "-n", "2", "-r", "1")


def premise(*arguments, **variables):
    environment = {"PATH": os.environ["PATH"], "LANG": "C", "HOME": "/nonexistent",
                   "PREMISE_HOME": "/nonexistent/store", **variables}
    return subprocess.run([PROGRAM, *map(str, arguments)], env=environment, capture_output=True, timeout=120)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """The same shape as codes of four bits, and as plain numbers."""
    folder = tmp_path_factory.mktemp("models")
    for kind in ("q4_k_m", "f16"):
        made = premise("synth", "--arch", "llama", "--size", "tiny", "--type", kind, "-o", folder / f"{kind}.gguf")
        assert made.returncode == 0, made.stderr.decode()
    return folder


def isa_of(model):
    return json.loads(premise("inspect", model, "--plan", "--json").stdout)["isa"]


@pytest.fixture(scope="module")
def vectors(models):
    """An instruction set without tiles that this machine has."""
    isa = isa_of(models / "q4_k_m.gguf")
    if isa == "ref":
        pytest.skip("this machine has neither AVX2 nor AVX-512")
    return "avx512" if isa == "amx" else isa


def measured(model, *more, **variables):
    result = premise("bench", "engine", model, *SHORT, "--json", *more, **variables)
    return result, json.loads(result.stdout)


def test_every_matrix_is_listed_with_what_computes_it(models, vectors):
    result, found = measured(models / "q4_k_m.gguf", PREMISE_ISA=vectors)
    assert result.returncode == 0 and b"warning" not in result.stderr
    tensors = {row["tensor"]: row for row in found["fast_path"]["tensors"]}
    plan = json.loads(premise("inspect", models / "q4_k_m.gguf", "--json").stdout)
    assert tensors.keys() == {t["name"] for t in plan["tensors"] if len(t["shape"]) == 2}
    for tensor in plan["tensors"]:
        if len(tensor["shape"]) == 2:
            row = tensors[tensor["name"]]
            rows, columns = tensor["shape"]
            assert row["type"] == tensor["type"] and row["products"] == rows * columns
            assert row["kernel"] == f"matmul.{row['layout']}.{vectors}" and row["tile_kernel"] is None
            assert row["bytes"] >= tensor["bytes"]
            assert row["path"] == "integers" and row["fast"] is True
    assert found["fast_path"]["share"] == found["fast_path"]["bytes_share"] == 1


def test_people_see_a_row_for_each_kind(models, vectors):
    result = premise("bench", "engine", models / "q4_k_m.gguf", *SHORT, PREMISE_ISA=vectors)
    table = result.stdout.decode()
    assert "blk.*.attn_q.weight" in table and "blk.0" not in table and f"matmul.p4.{vectors}" in table
    assert "fast path: 100.0 % of the products, 100.0 % of the weights" in table
    chinese = premise("bench", "engine", models / "q4_k_m.gguf", *SHORT, "--lang", "zh", PREMISE_ISA=vectors)
    assert "快速路径：乘法的 100.0 %".encode() in chinese.stdout


def test_a_model_on_the_fast_path_is_measured_where_that_is_required(models, vectors):
    result, found = measured(models / "q4_k_m.gguf", "--require-fast-path", PREMISE_ISA=vectors)
    assert result.returncode == 0 and found["decode"][0]["tokens_per_second"] > 0


def test_plain_numbers_are_measured_with_a_warning(models, vectors):
    result, found = measured(models / "f16.gguf", PREMISE_ISA=vectors)
    assert result.returncode == 0 and found["fast_path"]["share"] == 0
    assert b"warning: 0.0 % of the products are on the fast path, less than 95 %: blk.*.ffn" in result.stderr
    assert {row["path"] for row in found["fast_path"]["tensors"]} == {"floats"}


def test_off_the_fast_path_nothing_is_measured_where_it_is_required(models, vectors):
    result, found = measured(models / "f16.gguf", "--require-fast-path", PREMISE_ISA=vectors)
    assert result.returncode == 1
    assert b"not measured: 0.0 % of the products are on the fast path, less than 95 %" in result.stderr
    assert b"f16: matmul.f16." in result.stderr
    assert "prefill" not in found and "decode" not in found
    assert found["fast_path"]["required"] == 0.95 and found["isa"] == vectors
    shown = premise("bench", "engine", models / "f16.gguf", *SHORT, "--require-fast-path", PREMISE_ISA=vectors)
    assert shown.returncode == 1 and b"no: floats" in shown.stdout and b"TOKENS/S" not in shown.stdout


def test_the_scalar_reference_is_never_fast(models):
    result, found = measured(models / "q4_k_m.gguf", "--require-fast-path", PREMISE_ISA="ref")
    assert result.returncode == 1 and found["isa"] == "ref"
    assert {row["path"] for row in found["fast_path"]["tensors"]} == {"scalar"}
