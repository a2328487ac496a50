// Memory errors of the cards. An uncorrected error has ended the program that met it (Xid 48, 94,
// 95); rows of memory are then replaced by spare ones at the next reset, as long as there are any.
#include "machine/gpu/gpus.h"
#include "machine/probe.h"

namespace premise {
namespace {

constexpr const char* gpu_ecc_id = "gpu.ecc";
constexpr std::uint64_t corrected_many = 1000;

bool has_failed_remap(const NvmlGpu& gpu) { return gpu.remap_failed == true; }
bool has_pending_remap(const NvmlGpu& gpu) { return gpu.remap_pending == true; }
bool has_uncorrected(const NvmlGpu& gpu) { return gpu.ecc_uncorrected.value_or(0) > 0; }
bool has_corrected(const NvmlGpu& gpu) { return gpu.ecc_corrected.value_or(0) >= corrected_many; }
bool is_switched_off(const NvmlGpu& gpu) { return gpu.ecc == false; }

Text which_and(const std::vector<NumberedGpu>& cards, const Text& what) {
  const Text which = numbers_of(cards);
  return {which.en + ": " + what.en, which.zh + "：" + what.zh};
}

std::optional<Finding> broken(const Gpus& gpus) {
  if (const auto cards = cards_where(gpus, has_failed_remap); !cards.empty()) {
    return failure(gpu_ecc_id, false,
                   which_and(cards, text({"memory rows could not be replaced any more",
                                          "显存行重映射已失败，无备用行可用"})),
                   text({"have the card replaced: nvidia-smi -q -d ROW_REMAPPER shows the proof",
                         "请更换显卡：nvidia-smi -q -d ROW_REMAPPER 可作凭证"}));
  }
  if (const auto cards = cards_where(gpus, has_uncorrected); !cards.empty()) {
    const auto count = static_cast<std::int64_t>(*cards.front().gpu->ecc_uncorrected);
    return failure(gpu_ecc_id, count,
                   which_and(cards, text({"{} uncorrected ECC errors since the driver was loaded",
                                          "自驱动加载以来有 {} 次不可纠正的 ECC 错误"},
                                         count)),
                   command_line("sudo nvidia-smi --gpu-reset -i " + number_list_of(cards)));
  }
  return std::nullopt;
}

std::optional<Finding> worth_attention(const Gpus& gpus) {
  if (const auto cards = cards_where(gpus, has_pending_remap); !cards.empty()) {
    return warning(gpu_ecc_id, false,
                   which_and(cards, text({"memory rows wait to be replaced at the next reset",
                                          "有显存行等待在下次复位时重映射"})),
                   command_line("sudo nvidia-smi --gpu-reset -i " + number_list_of(cards)));
  }
  if (const auto cards = cards_where(gpus, has_corrected); !cards.empty()) {
    const auto count = static_cast<std::int64_t>(*cards.front().gpu->ecc_corrected);
    return warning(gpu_ecc_id, count,
                   which_and(cards, text({"{} corrected ECC errors since the driver was loaded",
                                          "自驱动加载以来有 {} 次已纠正的 ECC 错误"},
                                         count)),
                   command_line("nvidia-smi -q -d ECC -i " + number_list_of(cards)));
  }
  if (const auto cards = cards_where(gpus, is_switched_off); !cards.empty()) {
    return warning(gpu_ecc_id, false,
                   which_and(cards, text({"ECC is switched off: a flipped bit goes unseen",
                                          "ECC 已关闭：比特翻转不会被发现"})),
                   text({"sudo nvidia-smi -e 1 -i {}, then: sudo reboot",
                         "sudo nvidia-smi -e 1 -i {}，然后执行 sudo reboot"},
                        number_list_of(cards)));
  }
  return std::nullopt;
}

Finding ecc(const Gpus& gpus) {
  if (auto finding = broken(gpus)) return *finding;
  if (auto finding = worth_attention(gpus)) return *finding;
  if (cards_where(gpus, [](const NvmlGpu& gpu) { return gpu.ecc == true; }).empty()) {
    return info(gpu_ecc_id, {},
                text({"these cards have no ECC for their memory", "该显卡的显存不支持 ECC"}));
  }
  return ok(gpu_ecc_id, true,
            text({"ECC is on, no uncorrected error since the driver was loaded",
                  "ECC 已开启，自驱动加载以来无不可纠正错误"}));
}

void probe_gpu_ecc(MachineSource& machine, Findings& findings) {
  const Gpus gpus = read_gpus(machine);
  if (!working_cards(gpus).empty()) findings.push_back(ecc(gpus));
}

}  // namespace

extern const Probe gpu_ecc;
const Probe gpu_ecc{"gpu_ecc", 540, probe_gpu_ecc};

}  // namespace premise
