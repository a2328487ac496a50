#include "base/bus_error.h"

#include <unistd.h>

#include <csignal>
#include <string_view>

#include "base/result.h"

namespace premise {
namespace {

// Written before the handler is installed, read by it alone: a handler may touch no more.
std::string_view sentence;

void on_bus_error(int) {
  // Nothing is left to do where standard error takes no more either.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, sentence.data(), sentence.size());
  ::_exit(static_cast<int>(ErrorCode::bad_input));
}

}  // namespace

void end_cleanly_on_bus_error(Language language) {
  sentence = language == Language::chinese
                 ? "\n错误：读取模型文件时，文件被截短或其磁盘出错\n"
                   "提示：请用 premise verify 检查该文件；更新模型文件应以重命名替换\n"
                 : "\nerror: a model file was cut short, or its disk failed, while it was read\n"
                   "hint: check it with premise verify; replace model files by renaming\n";
  struct sigaction action{};
  action.sa_handler = on_bus_error;
  ::sigaction(SIGBUS, &action, nullptr);
}

}  // namespace premise
