#include "serve/filter/request_filter.h"

#include <string>
#include <utility>
#include <vector>

namespace premise {
namespace {

class RequestReader {
 public:
  RequestReader(const WordList& words, FilterAction action) : words_(words), action_(action) {}

  /// Texts that will stand one behind the other.
  void read(const std::vector<std::string*>& texts) {
    if (found_.rejected) return;
    std::string joined;
    for (const std::string* text : texts) joined += *text;
    const std::vector<ByteRange> matches = words_.matches(joined);
    if (matches.empty()) return;
    found_.matches += matches.size();
    if (action_ == FilterAction::reject) {
      found_.matches = 1;
      found_.rejected = true;
    }
    if (action_ != FilterAction::mask) return;
    std::size_t begin = 0;
    for (std::string* text : texts) {
      const std::size_t size = text->size();
      mask_part(matches, begin, *text);
      begin += size;
    }
  }

  RequestFindings findings() const { return found_; }

 private:
  /// Masks what lies of `matches` in a text that begins at byte `begin` of what was searched.
  static void mask_part(const std::vector<ByteRange>& matches, std::size_t begin,
                        std::string& text) {
    std::string out;
    std::size_t copied = 0;
    for (const ByteRange& match : matches) {
      const std::size_t from = match.begin > begin ? match.begin - begin : 0;
      if (match.end <= begin || from >= text.size()) continue;
      const std::size_t until = std::min(match.end - begin, text.size());
      out.append(text, copied, from - copied);
      out += mask_of(std::string_view(text).substr(from, until - from));
      copied = until;
    }
    out.append(text, copied);
    text = std::move(out);
  }

  const WordList& words_;
  FilterAction action_;
  RequestFindings found_;
};

/// The text parts of each message that has more than one.
std::vector<std::vector<std::string*>> joined_parts(GenerationRequest& request) {
  std::vector<std::vector<std::string*>> all;
  for (Prompt& prompt : request.prompts) {
    auto* conversation = std::get_if<Conversation>(&prompt);
    if (conversation == nullptr) continue;
    for (Message& message : conversation->messages) {
      std::vector<std::string*> parts;
      for (MessagePart& part : message.parts)
        if (auto* written = std::get_if<TextPart>(&part)) parts.push_back(&written->text);
      if (parts.size() > 1) all.push_back(std::move(parts));
    }
  }
  return all;
}

}  // namespace

RequestFindings filter_request(const WordList& words, FilterAction action,
                               GenerationRequest& request) {
  RequestReader reader(words, action);
  for (const auto& parts : joined_parts(request)) reader.read(parts);
  for_each_text(request, [&reader](std::string& text) { reader.read({&text}); });
  RequestFindings findings = reader.findings();
  for (const Prompt& prompt : request.prompts)
    if (std::holds_alternative<std::vector<TokenId>>(prompt)) ++findings.unread_prompts;
  return findings;
}

Text rejected_request_text() {
  return text({"the request holds text that this server's word filter does not let pass",
               "请求包含本服务器词语过滤器不允许的内容"});
}

}  // namespace premise
