#include "cli/doctor_report.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/printable.h"
#include "cli/help.h"

namespace premise {
namespace {

using Json = nlohmann::ordered_json;

struct Area {
  std::string_view id;
  Phrase<> title;
};

const std::array areas{
    Area{"os", {"Operating system", "操作系统"}},
    Area{"cpu", {"Processor", "处理器"}},
    Area{"memory", {"Memory", "内存"}},
    Area{"storage", {"Storage", "存储"}},
    Area{"gpu", {"GPU", "GPU（显卡）"}},
    Area{"nvidia", {"NVIDIA driver", "NVIDIA 驱动"}},
    Area{"cuda", {"CUDA", "CUDA（计算平台）"}},
    Area{"python", {"Python frameworks", "Python 框架"}},
    Area{"network", {"Network", "网络"}},
    Area{"power", {"Power and heat", "供电与散热"}},
};

std::size_t area_order(std::string_view id) {
  const auto found =
      std::find_if(areas.begin(), areas.end(), [&](const Area& area) { return area.id == id; });
  return static_cast<std::size_t>(found - areas.begin());
}

std::string area_title(std::string_view id, Language language) {
  const std::size_t order = area_order(id);
  return order < areas.size() ? text(Phrase<>(areas[order].title)).in(language) : std::string(id);
}

Json to_json(const FindingValue& value) {
  struct Visitor {
    Json operator()(std::monostate) const { return nullptr; }
    Json operator()(bool yes) const { return yes; }
    Json operator()(std::int64_t number) const { return number; }
    Json operator()(double number) const { return number; }
    Json operator()(const std::string& words) const { return printable(words); }
  };
  return std::visit(Visitor{}, value);
}

struct StatusWord {
  Phrase<> word;
  std::string_view color;
};

const StatusWord& status_of(FindingStatus status) {
  static const std::array words{
      StatusWord{{"ok", "正常"}, "\x1b[32m"}, StatusWord{{"info", "信息"}, "\x1b[36m"},
      StatusWord{{"warning", "警告"}, "\x1b[33m"}, StatusWord{{"failure", "故障"}, "\x1b[1;31m"}};
  return words[static_cast<std::size_t>(status)];
}

std::size_t count_of(const Findings& findings, FindingStatus status) {
  return static_cast<std::size_t>(std::count_if(
      findings.begin(), findings.end(), [&](const Finding& f) { return f.status == status; }));
}

/// A place where a line may end: behind a blank, or at a character of Chinese text (three bytes of
/// UTF-8 and wide), which needs no blanks.
std::size_t next_piece(std::string_view text) {
  const auto byte = static_cast<unsigned char>(text.front());
  if (byte >= 0xe2) {
    const std::size_t length = byte >= 0xf0 ? 4 : 3;
    return std::min(length, text.size());
  }
  std::size_t end = 1;
  while (end < text.size() && text[end - 1] != ' ' &&
         static_cast<unsigned char>(text[end]) < 0xe2) {
    ++end;
  }
  return end;
}

/// Punctuation that may not begin a line of Chinese.
bool clings(std::string_view piece) {
  for (const std::string_view mark : {"，", "。", "；", "：", "）", "、", "”"})
    if (piece == mark) return true;
  return false;
}

/// Lines of at most `columns`; a word that is longer keeps a line of its own.
std::vector<std::string> broken(std::string_view text, std::size_t columns) {
  std::vector<std::string> lines(1);
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, next_piece(text));
    const std::size_t width = display_width(lines.back()) +
                              display_width(piece.substr(0, piece.find_last_not_of(' ') + 1));
    if (columns > 0 && width > columns && !lines.back().empty() && !clings(piece)) {
      lines.emplace_back();
    }
    lines.back() += piece;
    text.remove_prefix(piece.size());
  }
  for (std::string& line : lines) line.erase(line.find_last_not_of(' ') + 1);
  return lines;
}

class Page {
 public:
  Page(const Findings& findings, Language language, PageStyle style)
      : language_(language), style_(style) {
    for (const Finding& finding : findings) {
      status_columns_ = std::max(status_columns_, display_width(word(finding.status)));
      id_columns_ = std::max(id_columns_, finding.id.size());
    }
    for (const Finding& finding : findings) add(finding);
  }

  std::string take() { return std::move(out_); }

 private:
  std::string word(FindingStatus status) const {
    return text(Phrase<>(status_of(status).word)).in(language_);
  }

  std::string colored(std::string_view color, std::string words) const {
    return style_.color ? std::string(color) + words + "\x1b[0m" : std::move(words);
  }

  void add(const Finding& finding) {
    if (finding.area() != area_) {
      area_ = finding.area();
      if (!out_.empty()) out_ += "\n";
      out_ += colored("\x1b[1m", area_title(area_, language_)) + "\n";
    }
    const std::string status = word(finding.status);
    out_ += "  " + colored(status_of(finding.status).color, status) +
            std::string(status_columns_ - display_width(status) + 2, ' ') + finding.id +
            std::string(id_columns_ - finding.id.size() + 2, ' ');
    const std::size_t indent = status_columns_ + id_columns_ + 6;
    add_text(printable(finding.why.in(language_)), indent);
    if (!finding.fix.empty()) {
      out_ += std::string(indent, ' ') + colored("\x1b[1m", "→ ");
      add_text(printable(finding.fix.in(language_)), indent + 2);
    }
  }

  /// Text behind what stands on the line already, its further lines below its beginning.
  void add_text(const std::string& words, std::size_t indent) {
    // A terminal of less is left to break lines itself.
    const std::size_t room = style_.columns > indent + 30 ? style_.columns - indent - 1 : 0;
    bool first = true;
    for (const std::string& line : broken(words, room)) {
      if (!first) out_ += std::string(indent, ' ');
      out_ += line + "\n";
      first = false;
    }
  }

  Language language_;
  PageStyle style_;
  std::size_t status_columns_ = 0;
  std::size_t id_columns_ = 0;
  std::string_view area_;
  std::string out_;
};

Text summary(const Findings& findings) {
  const std::size_t failures = count_of(findings, FindingStatus::failure);
  const std::size_t warnings = count_of(findings, FindingStatus::warning);
  if (failures + warnings == 0) {
    return text({"{} findings, nothing wrong", "共 {} 项，没有问题"}, findings.size());
  }
  return text({"{} findings; failures: {}, warnings: {}", "共 {} 项：{} 项故障，{} 项警告"},
              findings.size(), failures, warnings);
}

}  // namespace

void sort_by_area(Findings& findings) {
  std::vector<std::pair<std::size_t, std::size_t>> places;  // area, index
  for (std::size_t i = 0; i < findings.size(); ++i)
    places.emplace_back(area_order(findings[i].area()), i);
  std::sort(places.begin(), places.end());
  Findings sorted;
  sorted.reserve(findings.size());
  for (const auto& [area, index] : places) sorted.push_back(std::move(findings[index]));
  findings = std::move(sorted);
}

std::string doctor_json(const DoctorReport& report, Language language) {
  Json document{{"findings", Json::array()}};
  for (const Finding& finding : report.findings) {
    const std::string& fix = finding.fix.in(language);
    document["findings"].push_back({{"id", printable(finding.id)},
                                    {"area", printable(finding.area())},
                                    {"status", name_of(finding.status)},
                                    {"value", to_json(finding.value)},
                                    {"why", printable(finding.why.in(language))},
                                    {"fix", fix.empty() ? Json(nullptr) : Json(printable(fix))}});
  }
  document["measured"] = Json::parse(to_json(report.measured), nullptr, false);
  document["left_out"] = report.left_out;
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string doctor_page(const DoctorReport& report, Language language, PageStyle style) {
  return Page(report.findings, language, style).take() + "\n" +
         summary(report.findings).in(language) + "\n";
}

}  // namespace premise
