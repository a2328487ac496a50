// premise chat: a conversation, at the terminal or through a pipe.
//
// Every turn renders the whole conversation anew, as services do: templates look back and ahead
// (they drop the thoughts of earlier answers, or write a system prompt into the first question), so
// that no turn could be appended to the text of the last. A base model knows no chat format and
// gets a plain transcript ("User: …", "Assistant: …"), which is said once.
#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <memory>

#include "base/printable.h"
#include "cli/command.h"
#include "cli/generate.h"
#include "cli/model_options.h"
#include "cli/sampling_options.h"
#include "engine/chat_format.h"

namespace premise {
namespace {

constexpr std::size_t chat_context = 8192;

struct ChatOptions {
  ModelOptions model;
  SamplingOptions sampling;
  std::string system;
  std::size_t tokens = 512;
  bool transcript = false;
};

enum class Line { text, end, interrupted };

// A line of standard input without its line break.
/// False once Ctrl-C was pressed. The flag is looked at between short waits: a signal that came
/// just before a read began to wait would be noticed with the next key only. Nothing is buffered
/// here: a terminal gives one line at a time.
bool wait_for_line(const Interrupt& interrupt) {
  pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  while (!interrupt.requested())
    if (poll(&input, 1, 100) > 0) return true;
  return false;
}

/// `terminal`: where Ctrl-C is waited for beside the line; null for a pipe.
Line read_line(std::string& line, const Interrupt* terminal) {
  line.clear();
  if (terminal != nullptr && !wait_for_line(*terminal)) return Line::interrupted;
  errno = 0;
  for (int c = std::getc(stdin); c != '\n'; c = std::getc(stdin)) {
    if (c == EOF) {
      if (errno == EINTR) return Line::interrupted;
      return line.empty() ? Line::end : Line::text;
    }
    line.push_back(static_cast<char>(c));
  }
  return Line::text;
}

Text transcript_hint() {
  return text({"--transcript talks to it as to a base model, in plain text",
               "--transcript 以纯文本方式与其对话，如同基础模型"});
}

class Session {
 public:
  Session(Console& console, const ChatOptions& options, LoadedModel& loaded,
          const Tokenizer& tokenizer, const ChatFormat& format, SamplingParams sampling)
      : console_(console),
        options_(options),
        engine_(*loaded.engine),
        tokenizer_(tokenizer),
        format_(format),
        sampling_(std::move(sampling)),
        interactive_(console.in_is_terminal()) {
    forget();
  }

  Result<int> run() {
    constexpr int interrupted = static_cast<int>(ErrorCode::cancelled);
    if (interactive_) say_help();
    for (std::string line; console_.out_is_open();) {
      if (console_.interrupt().requested()) return interrupted;  // while loading, or in a pipe
      if (interactive_) console_.write("> ", true);
      const Line got = read_line(line, interactive_ ? &console_.interrupt() : nullptr);
      if (got != Line::text && interactive_) console_.write("\n");
      if (got == Line::interrupted) return interrupted;
      if (got == Line::end || line == "/exit") break;
      if (is_command(line) || line.find_first_not_of(" \t\r") == std::string::npos) continue;
      if (auto answered = answer(line); !answered) {
        if (!interactive_) return std::move(answered).error();
        console_.report(answered.error());
      }
      if (interactive_) console_.interrupt().reset();  // it ended the answer, not the conversation
    }
    return 0;
  }

 private:
  void forget() {
    messages_.clear();
    if (!options_.system.empty()) messages_.push_back(Message::text("system", options_.system));
  }

  void say_help() {
    console_.say(text({"Ctrl-C stops an answer; /clear forgets the conversation; /exit ends it",
                       "Ctrl-C 停止回答；/clear 清空对话；/exit 退出"}));
  }

  // Obeys "/clear" and "/help". At the terminal another single word behind a slash is a slip of the
  // hand and is not sent; in a pipe it is text like any other.
  bool is_command(std::string_view line) {
    if (line == "/clear") {
      forget();
      return true;
    }
    if (!interactive_ || !line.starts_with('/') || line.find_first_of(" \t/", 1) != line.npos)
      return false;
    if (line != "/help")
      console_.say(text({"{}: no such command; a space in front of it sends it to the model",
                         "{}：没有这个命令；在前面加空格可将其发送给模型"},
                        line));
    say_help();
    return true;
  }

  // Answers a line; both stay in the conversation only where that worked.
  Status answer(const std::string& line) {
    messages_.push_back(Message::text("user", line));
    auto answered = generate_answer();
    if (!answered) {
      messages_.pop_back();
      return std::move(answered).error();
    }
    messages_.push_back(Message::text("assistant", std::move(answered).value()));
    return {};
  }

  Result<Request> make_request() const {
    Request request;
    auto prompt = format_.prompt(messages_);
    if (!prompt && prompt.error().code == ErrorCode::bad_input)
      return std::move(prompt).error().with_hint(transcript_hint());
    PREMISE_TRY(request.prompt, std::move(prompt));
    if (request.prompt.empty())
      return error(ErrorCode::bad_input,
                   {"the model's chat template makes an empty prompt of the conversation",
                    "该模型的对话模板由对话生成了空提示"});
    if (request.prompt.size() >= engine_.context())
      return error(ErrorCode::usage,
                   {"the conversation is {} tokens long; the context holds {}",
                    "对话已有 {} 个词元；上下文只有 {} 个"},
                   request.prompt.size(), engine_.context())
          .with_hint(text({"/clear begins anew; --context N makes room",
                           "/clear 重新开始；--context N 可扩大上下文"}));
    request.sampling = sampling_;
    request.stop_tokens.assign(format_.stop_tokens().begin(), format_.stop_tokens().end());
    request.max_tokens = std::min(options_.tokens, engine_.context() - request.prompt.size());
    return request;
  }

  // Shows the answer as it comes, and returns it as the model wrote it.
  Result<std::string> generate_answer() {
    PREMISE_TRY(Request request, make_request());
    const std::size_t room = engine_.context() - request.prompt.size();
    // The transcript has "Assistant: text" and maybe empty lines after it; people see the text.
    bool at_start = true;
    std::string held;  // white space that is shown only where more text follows
    const auto sink = [&](std::string_view piece) {
      const auto last = piece.find_last_not_of(" \n");
      if (last == piece.npos) {
        held += piece;
        return true;
      }
      if (at_start) {
        held.clear();
        piece.remove_prefix(piece.find_first_not_of(" \n"));
        at_start = false;
      }
      const auto kept = piece.find_last_not_of(" \n") + 1;
      console_.write(held);
      console_.write(piece.substr(0, kept), true);
      held = piece.substr(kept);
      return console_.out_is_open();
    };
    PREMISE_TRY(GeneratedAnswer result,
                generate(engine_, tokenizer_, std::move(request), format_.stop_strings(),
                         console_.interrupt(), sink));
    console_.write("\n", true);
    if (result.reason == FinishReason::length && room <= options_.tokens)
      console_.say(
          text({"the context of {} tokens is full and cut the answer; /clear begins anew, "
                "--context N makes room",
                "{} 个词元的上下文已满，回答被截断；/clear 重新开始，--context N 可扩大上下文"},
               engine_.context()));
    return std::move(result.text);
  }

  Console& console_;
  const ChatOptions& options_;
  Engine& engine_;
  const Tokenizer& tokenizer_;
  const ChatFormat& format_;
  SamplingParams sampling_;
  std::vector<Message> messages_;
  const bool interactive_;
};

// The model's own format, or the transcript, which is not passed over in silence.
Result<ChatFormat> choose_format(const TensorSource& source, const Tokenizer& tokenizer,
                                 const ChatOptions& options, Console& console) {
  if (options.transcript) {
    console.say(text({"no chat template is used: the conversation is a plain transcript",
                      "未使用对话模板：对话以纯文本记录的形式进行"}));
    return ChatFormat::transcript(tokenizer);
  }
  auto format = ChatFormat::from_metadata(source.metadata(), tokenizer);
  if (!format) {
    const std::string model = printable(options.model.model);
    return at(Text{model, model}, std::move(format).error()).with_hint(transcript_hint());
  }
  if (format->is_transcript())
    console.say(text({"the model has no chat template: the conversation is a plain transcript",
                      "该模型没有对话模板：对话以纯文本记录的形式进行"}));
  return format;
}

Result<int> run_chat(Console& console, const ChatOptions& options) {
  PREMISE_TRY(const auto source, open_model(options.model.model));
  PREMISE_TRY(const Tokenizer tokenizer, Tokenizer::from_gguf(source->metadata()));
  PREMISE_TRY(SamplingParams sampling, sampling_params(options.sampling, tokenizer));
  PREMISE_TRY(const ChatFormat format, choose_format(*source, tokenizer, options, console));
  EngineOptions engine_options;
  engine_options.context = options.model.context;
  if (engine_options.context == 0) {
    PREMISE_TRY(const std::size_t most, context_length(*source));
    engine_options.context = std::min(chat_context, most);
  }
  PREMISE_TRY(LoadedModel loaded, load_model(options.model, engine_options, console));
  return Session(console, options, loaded, tokenizer, format, std::move(sampling)).run();
}

CommandRun declare_chat(CLI::App& app, Language language) {
  const auto options = std::make_shared<ChatOptions>();
  const auto say = [language](Phrase<> phrase) { return text(phrase).in(language); };
  options->sampling.params.temperature = 0.7f;
  options->sampling.params.top_p = 0.95f;
  add_model_options(app, options->model, language);
  app.add_option("--system", options->system,
                 say({"instruction in front of the conversation", "置于对话之前的指令"}));
  app.add_option("-n,--tokens", options->tokens,
                 say({"tokens of an answer at most", "每次回答的最大词元数"}))
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 30));
  app.add_flag("--transcript", options->transcript,
               say({"use a plain transcript although the model has a chat template",
                    "即使模型带有对话模板也使用纯文本记录"}));
  add_context_option(app, options->model, language);
  add_speculative_option(app, options->model, language);
  add_sampling_options(app, options->sampling, language);
  return [options](Console& console) { return run_chat(console, *options); };
}

}  // namespace

extern const Command chat_command;
const Command chat_command{
    .name = "chat",
    .order = 12,
    .summary = {"talk to a model", "与模型对话"},
    .examples = {"premise chat gemma3:270m-base\n"
                 "echo \"What is a bank?\" | premise chat gemma3:270m-base --temperature 0",
                 "premise chat gemma3:270m-base\n"
                 "echo \"什么是银行？\" | premise chat gemma3:270m-base --temperature 0"},
    .declare = declare_chat};

}  // namespace premise
