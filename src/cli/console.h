// The terminal, or what stands in for it: data goes to standard output, everything else to standard
// error, each in the user's language. Commands get a Console and touch no global stream.
#pragma once

#include <cstdio>
#include <string_view>

#include "base/interrupt.h"
#include "base/result.h"
#include "base/text.h"

namespace premise {

class Console {
 public:
  /// Borrows everything. Without `interrupt` nothing is ever interrupted.
  Console(std::FILE* out, std::FILE* err, Language language, Interrupt* interrupt = nullptr);

  Language language() const { return language_; }
  std::FILE* out() const { return out_; }
  std::FILE* err() const { return err_; }
  bool out_is_terminal() const { return out_is_terminal_; }
  bool err_is_terminal() const { return err_is_terminal_; }
  bool in_is_terminal() const;

  /// The user's Ctrl-C: long work looks at interrupt().requested() between two steps.
  Interrupt& interrupt() { return interrupt_ ? *interrupt_ : never_; }

  /// Data: written to standard output as it is, at once visible when `flush`.
  void write(std::string_view data, bool flush = false);

  /// False once standard output takes no more (reader gone, disk full): work for it may stop.
  bool out_is_open() const { return out_errno_ == 0; }

  /// Flushes standard output. A reader that went away (`premise … | head`) is no error; data that
  /// could not be written is one.
  Status finish();

  /// A line for people, on standard error.
  void say(const Text& text);

  /// "error: …" and "hint: …", on standard error.
  void report(const Error& error);

  /// The same terminal in another language.
  Console in(Language language) const { return {out_, err_, language, interrupt_}; }

 private:
  void say_line(std::string_view line);

  std::FILE* out_;
  std::FILE* err_;
  Language language_;
  Interrupt* interrupt_;
  Interrupt never_;
  int out_errno_ = 0;
  bool out_is_terminal_;
  bool err_is_terminal_;
};

}  // namespace premise
