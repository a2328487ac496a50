#include "machine/redactor.h"

#include <gtest/gtest.h>

namespace premise {
namespace {

Redactor redactor() {
  return Redactor({.host_name = "bank-llm-07", .user_name = "wang", .home = "/home/wang"});
}

TEST(Redactor, takes_names_of_host_user_and_home) {
  EXPECT_EQ(redactor()("wang@bank-llm-07:/home/wang/.premise"), "user@host:/home/user/.premise");
  EXPECT_EQ(redactor()("/srv/wang/x /home/wangwei"), "/srv/user/x /home/wangwei");
}

TEST(Redactor, leaves_words_that_say_nothing_about_anybody) {
  Redactor common({.host_name = "ubuntu", .user_name = "root", .home = "/root"});
  EXPECT_EQ(common("ID=ubuntu root /root/.premise"), "ID=ubuntu root /root/.premise");
}

TEST(Redactor, takes_hardware_addresses_and_uuids_and_keeps_them_apart) {
  Redactor redact = redactor();
  EXPECT_EQ(redact("3c:fd:fe:a1:b2:c3 3c:fd:fe:a1:b2:c4 3c:fd:fe:a1:b2:c3"),
            "02:00:00:00:00:01 02:00:00:00:00:02 02:00:00:00:00:01");
  EXPECT_EQ(redact("GPU-5f3a1b2c-1234-5678-9abc-def012345678"),
            "GPU-00000000-0000-0000-0000-000000000001");
  EXPECT_EQ(redact("enx3cfdfea1b2c3: up"), "enx020000000001: up");
}

TEST(Redactor, a_container_keeps_one_name_in_texts_and_paths) {
  Redactor redact = redactor();
  const std::string id = "4f5e6d7c8b9a0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796";
  const std::string stands = redact("0::/docker/" + id);
  EXPECT_EQ(stands.find(id), std::string::npos);
  EXPECT_EQ("/sys/fs/cgroup" + stands.substr(3) + "/cpu.max",
            redact("/sys/fs/cgroup/docker/" + id + "/cpu.max"));
}

TEST(Redactor, takes_addresses_of_networks) {
  EXPECT_EQ(redactor()("10.20.30.40:/export rw,addr=10.20.30.40"),
            "192.0.2.1:/export rw,addr=192.0.2.1");
  EXPECT_EQ(redactor()("10.20.30.40"), "192.0.2.1");
  EXPECT_EQ(redactor()("inet6 fe80::3efd:feff:fea1:b2c3/64"), "inet6 2001:db8::1/64");
}

TEST(Redactor, leaves_what_findings_hang_on) {
  for (const char* text :
       {"5.15.153.1-microsoft-standard-WSL2", "nvidia-cublas-cu12==12.1.3.1", "cufft 11.0.2.54",
        "0000:3b:00.0", "0-1,4", "0::/user.slice", "8086:1533", "2026-01-02 12:34:56",
        "NVRM version: 550.54.15", "36 35 98:0 / / rw - ext4 /dev/root rw", "fe ff 00 deadbeef",
        "c4 e2 78 49", "std::string"}) {
    EXPECT_EQ(redactor()(text), text);
  }
}

TEST(Redactor, takes_serial_numbers_and_leaves_json_whole) {
  EXPECT_EQ(redactor()("Serial Number: CN7792\nUUID: x\n"), "Serial Number: left out\nUUID: x\n");
  EXPECT_EQ(redactor()("  \"serial\": \"1320\",\n"), "  \"serial\": \"left out\",\n");
}

TEST(Redactor, takes_servers_of_shares_and_leaves_their_kind) {
  EXPECT_EQ(redactor()("30 20 0:50 / /data rw - cifs //fs01/risk rw,username=li,domain=BANK\n"),
            "30 20 0:50 / /data rw - cifs server:/share rw\n");
  EXPECT_EQ(redactor()("30 20 8:1 / / rw - ext4 /dev/sda1 rw"),
            "30 20 8:1 / / rw - ext4 /dev/sda1 rw");
}

TEST(Redactor, takes_any_bytes) {
  Redactor redact = redactor();
  EXPECT_EQ(redact(""), "");
  EXPECT_EQ(redact(std::string("\0\xff:", 3)), std::string("\0\xff:", 3));
  EXPECT_EQ(redact("::::::"), "::::::");
  EXPECT_EQ(redact("serial"), "serial");
}

}  // namespace
}  // namespace premise
