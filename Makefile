# The front door; the build itself is CMake (CMakePresets.json). `make help` lists the targets.
SHELL := /bin/sh
.DEFAULT_GOAL := build
.PHONY: deps deps-test deps-lint build run test bench bench-serve soak-serve conformance fuzz soak lint format clean help

premise := build/release/premise
jobs    := $(shell nproc)
chinese := $(filter zh%,$(firstword $(LC_ALL) $(LC_MESSAGES) $(LANG)))

MODEL  ?= gemma3:270m-base
comma  := ,
PROMPT ?= $(if $(chinese),从前，在海边的一个小村庄里，,Once upon a time$(comma) in a village by the sea$(comma))
export PROMPT  # read from the environment below: it may hold quotes

deps:
	@packages/install.sh packages/debian.txt

deps-test:
	@packages/install.sh packages/debian.txt packages/debian-test.txt

deps-lint:
	@packages/install.sh packages/debian.txt packages/debian-test.txt packages/debian-lint.txt

build: deps
	@[ -f build/release/build.ninja ] || cmake --preset release
	@cmake --build build/release -j $(jobs) --target premise

run: build
	@$(premise) pull $(MODEL)
	@printf '\n%s' "$$PROMPT"
	@$(premise) complete $(MODEL) -p "$$PROMPT"
	@printf '\n'
	@exec $(premise) serve $(MODEL) $(ARGS)

test: deps-test
	@python3 tests/run.py test

conformance: build
	@packages/install.sh packages/debian-test.txt packages/debian-conformance.txt
	@python3 tests/run.py conformance

bench: build
	@packages/install.sh packages/debian-test.txt
	@python3 benchmarks/compare_test.py -q
	@python3 benchmarks/targets_test.py -q
	@python3 benchmarks/compare.py $(ARGS)

bench-serve: build
	@packages/install.sh packages/debian-test.txt
	@python3 benchmarks/serve_test.py -q
	@python3 benchmarks/serve.py --model $(MODEL) $(ARGS)

# RUNS inputs for every fuzzer; SECONDS for soak.
RUNS    ?= 100000
SECONDS ?= 1800

fuzz: deps-test
	@python3 tests/run.py fuzz --runs $(RUNS)

soak: deps-test
	@python3 tests/run.py fuzz --seconds $(SECONDS)

soak-serve: SECONDS := $(if $(filter command line environment,$(origin SECONDS)),$(SECONDS),300)
soak-serve: build
	@$(premise) pull $(MODEL)
	@python3 tests/load/soak.py --seconds $(SECONDS) --model $(MODEL) $(ARGS)

lint: deps-lint
	@python3 tests/run.py lint

format: deps-lint
	@git ls-files -co --exclude-standard '*.h' '*.cpp' | xargs clang-format-19 -i

clean:
	@rm -rf build .venv .venv-conformance .venv-bench*

help:
	@$(if $(chinese),sed -n 's/^#zh //p',sed -n 's/^#en //p') Makefile

#en make build        install what is missing, build build/release/premise
#en make run          build, fetch the default model, let it write, serve it on http://127.0.0.1:8080   (MODEL=… PROMPT=…)
#en make test         every check a change must pass
#en make conformance  compare live with reference libraries          (downloads them)
#en make bench        compare speed with llama.cpp on this machine  (an hour or two, 12 GB of disk; ARGS=--quick: minutes)
#en make bench-serve  compare serving with vLLM and llama-server    (downloads some 4 GB)
#en make fuzz         every fuzzer, RUNS=100000 inputs each
#en make soak         every fuzzer, SECONDS=1800 each
#en make soak-serve   256 rude clients at the server, SECONDS=300
#en make lint         clang-tidy, clang-format, include directions
#en make format       rewrite the sources in the house style
#en make deps         only install the packages of packages/debian.txt
#en make clean        remove everything that was built
#zh make build        安装缺少的软件包，构建 build/release/premise
#zh make run          构建、下载默认模型，让它续写，并在 http://127.0.0.1:8080 提供服务   （MODEL=… PROMPT=…）
#zh make test         每个改动都必须通过的全部检查
#zh make conformance  与参考库实时对照               （会下载参考库）
#zh make bench        在本机与 llama.cpp 比较速度        （约一至两小时、12 GB 磁盘；ARGS=--quick 只需几分钟）
#zh make bench-serve  在本机与 vLLM、llama-server 比较服务性能  （会下载约 4 GB）
#zh make fuzz         运行所有模糊测试，每个 RUNS=100000 个输入
#zh make soak         运行所有模糊测试，每个 SECONDS=1800 秒
#zh make soak-serve   用 256 个捣乱的客户端考验服务器，SECONDS=300
#zh make lint         clang-tidy、clang-format、包含方向检查
#zh make format       按统一风格重排源代码
#zh make deps         仅安装 packages/debian.txt 中的软件包
#zh make clean        删除所有构建产物
