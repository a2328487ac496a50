// For tests: a redis-server of their own, and servers that misbehave on purpose.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "redis/redis_client.h"

namespace premise {

/// A port of loopback that nobody listens on (until somebody does).
inline std::uint16_t free_port() {
  const int made = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  bind(made, reinterpret_cast<sockaddr*>(&address), sizeof address);
  getsockname(made, reinterpret_cast<sockaddr*>(&address), &length);
  close(made);
  return ntohs(address.sin_port);
}

/// A redis-server on loopback, without persistence, stopped by its process id when this goes.
class TestRedis {
 public:
  static bool installed() { return !program().empty(); }

  explicit TestRedis(std::string password = "")
      : port_(free_port()), password_(std::move(password)) {
    start();
  }
  ~TestRedis() { stop(); }

  std::string url(int database = 0) const { return url(password_, database); }
  std::string url(const std::string& password, int database = 0) const {
    return "redis://" + (password.empty() ? "" : ":" + password + "@") +
           "127.0.0.1:" + std::to_string(port_) + "/" + std::to_string(database);
  }
  std::uint16_t port() const { return port_; }

  void start() {
    std::vector<std::string> words = {
        program(),      "--port", std::to_string(port_), "--bind",    "127.0.0.1", "--save", "",
        "--appendonly", "no",     "--logfile",           "/dev/null", "--dir",     "/"};
    if (!password_.empty()) words.insert(words.end(), {"--requirepass", password_});
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    process_ = fork();
    if (process_ == 0) {  // from here to exec only what is safe after a fork of a threaded program
      prctl(PR_SET_PDEATHSIG, SIGKILL);  // not even a test that crashes leaves a server behind
      const int nowhere = open("/dev/null", O_RDWR);
      for (const int descriptor : {0, 1, 2}) dup2(nowhere, descriptor);
      execv(pointers[0], pointers.data());
      _exit(127);
    }
    ASSERT_GT(process_, 0);
    wait_until_it_answers();
  }
  /// As a machine goes: nothing is said to anybody.
  void stop() {
    if (process_ <= 0) return;
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
    process_ = -1;
  }
  void freeze() { kill(process_, SIGSTOP); }
  void thaw() { kill(process_, SIGCONT); }

 private:
  static std::string program() {
    for (const char* path : {"/usr/bin/redis-server", "/usr/local/bin/redis-server"})
      if (access(path, X_OK) == 0) return path;
    return "";
  }
  void wait_until_it_answers() {
    const auto parsed = parse_redis_url(url());
    ASSERT_TRUE(parsed.ok());
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < end) {
      if (RedisConnection::open(*parsed, 1 << 20,
                                std::chrono::steady_clock::now() + std::chrono::seconds(1))
              .ok())
        return;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    FAIL() << "redis-server did not start";
  }

  std::uint16_t port_;
  std::string password_;
  pid_t process_ = -1;
};

#define PREMISE_NEEDS_REDIS()             \
  if (!::premise::TestRedis::installed()) \
  GTEST_SKIP() << "redis-server is not installed: apt-get install redis-server"

/// Says to every connection what it is given to say, and nothing else.
class RudeServer {
 public:
  using Talk = std::function<void(int socket, const std::atomic<bool>& over)>;

  explicit RudeServer(Talk talk) : talk_(std::move(talk)) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    listen(listener_, 8);
    thread_ = std::thread([this] {
      while (!over_) {
        const int client = accept(listener_, nullptr, nullptr);
        if (client < 0) break;
        talk_(client, over_);
        close(client);
      }
    });
  }
  ~RudeServer() {
    over_ = true;
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  std::string url(const std::string& login = "") const {
    return "redis://" + login + "127.0.0.1:" + std::to_string(port_);
  }

 private:
  Talk talk_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> over_{false};
  std::thread thread_;
};

/// Up to `limit`, looking every few milliseconds.
inline bool eventually(const std::function<bool()>& holds,
                       std::chrono::milliseconds limit = std::chrono::seconds(10)) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!holds()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace premise
