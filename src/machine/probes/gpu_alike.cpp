// Several GPUs: are they of one kind, and does the environment hide any? A program that counts
// cards in CUDA's order (fastest first) while its user counts in nvidia-smi's (by PCI address) puts
// parts of a model on different cards: "Expected all tensors to be on the same device".
#include <algorithm>
#include <map>

#include "machine/facts/words.h"
#include "machine/gpu/gpus.h"
#include "machine/probe.h"

namespace premise {
namespace {

// Of the models that occur, the one with most memory in all; its cards are what to work with.
std::vector<NumberedGpu> best_group(const std::vector<NumberedGpu>& cards) {
  std::map<std::string, std::vector<NumberedGpu>> groups;
  for (const NumberedGpu& card : cards) groups[model_of(*card.gpu)].push_back(card);
  const auto memory = [](const std::vector<NumberedGpu>& group) {
    std::uint64_t bytes = 0;
    for (const NumberedGpu& card : group) bytes += card.gpu->memory_total_bytes.value_or(0);
    return bytes;
  };
  return std::ranges::max_element(groups, {}, [&](const auto& g) { return memory(g.second); })
      ->second;
}

Finding alike(const std::vector<NumberedGpu>& cards) {
  constexpr const char* id = "gpu.alike";
  if (cards.size() == 1) return ok(id, true, text({"one GPU", "一块 GPU"}));
  const std::vector<NumberedGpu> group = best_group(cards);
  if (group.size() == cards.size()) {
    return ok(id, true, text({"{} GPUs of one kind", "{} 块同型号 GPU"}, cards.size()));
  }
  return warning(
      id, false,
      text({"GPUs of unlike kind: a program that numbers them differently from nvidia-smi ends "
            "with \"Expected all tensors to be on the same device\" or out of memory on the "
            "smaller one",
            "GPU 型号不一：程序编号若与 nvidia-smi 不同，会出现 \"Expected all tensors to be on "
            "the same device\"，或在较小的卡上显存不足"}),
      command_line("export CUDA_DEVICE_ORDER=PCI_BUS_ID CUDA_VISIBLE_DEVICES=" +
                   number_list_of(group)));
}

// What CUDA makes of CUDA_VISIBLE_DEVICES: numbers until the first that is none of a card. UUIDs
// are not judged (the recording does not hold them).
struct Visible {
  std::size_t count = 0;
  bool judged = true;
  std::string refused{};
};

Visible parse_visible(std::string_view list, std::size_t cards) {
  Visible visible;
  for (const std::string_view piece : pieces_of(list, ',')) {
    const std::string_view entry = trimmed(piece);
    if (entry.starts_with("GPU-") || entry.starts_with("MIG-"))
      return {.count = 0, .judged = false};
    const auto number = whole_number(entry);
    if (!number || *number < 0 || static_cast<std::size_t>(*number) >= cards) {
      visible.refused = entry;
      break;
    }
    ++visible.count;
  }
  return visible;
}

Finding visible(MachineSource& machine, std::size_t cards) {
  constexpr const char* id = "gpu.visible";
  const auto list = machine.environment("CUDA_VISIBLE_DEVICES");
  const auto all = static_cast<std::int64_t>(cards);
  if (!list) {
    return ok(id, all, text({"CUDA programs see every GPU", "CUDA 程序可以看到全部 GPU"}));
  }
  const Visible seen = parse_visible(*list, cards);
  if (!seen.judged) {
    return info(id, {},
                text({"CUDA_VISIBLE_DEVICES chooses GPUs by UUID",
                      "CUDA_VISIBLE_DEVICES 以 UUID 选择 GPU"}));
  }
  const auto count = static_cast<std::int64_t>(seen.count);
  if (!seen.refused.empty() || seen.count == 0) {
    return warning(id, count,
                   text({"CUDA_VISIBLE_DEVICES={} leaves CUDA programs {} of {} GPUs: what follows "
                         "a number without a card is not read",
                         "CUDA_VISIBLE_DEVICES={} 使 CUDA 程序只能看到 {}/{} 块 "
                         "GPU：无效编号之后的内容会被忽略"},
                        *list, seen.count, cards),
                   command_line("unset CUDA_VISIBLE_DEVICES"));
  }
  return info(id, count,
              text({"CUDA_VISIBLE_DEVICES={} shows {} of {} GPUs, renumbered from 0",
                    "CUDA_VISIBLE_DEVICES={} 显示 {}/{} 块 GPU，并从 0 重新编号"},
                   *list, seen.count, cards));
}

void probe_gpu_alike(MachineSource& machine, Findings& findings) {
  const Gpus gpus = read_gpus(machine);
  const std::vector<NumberedGpu> cards = working_cards(gpus);
  if (cards.empty()) return;
  findings.push_back(alike(cards));
  findings.push_back(visible(machine, cards.size()));
}

}  // namespace

extern const Probe gpu_alike;
const Probe gpu_alike{"gpu_alike", 505, probe_gpu_alike};

}  // namespace premise
