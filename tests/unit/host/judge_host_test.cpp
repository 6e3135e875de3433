#include <cstdlib>

#include "catch.hpp"
#include "difyd/host/metadata.hpp"
#include "difyd/host/probes.hpp"

using namespace difyd;
using namespace difyd::host;

namespace {

constexpr std::uint64_t gib = 1u << 30;

disk_usage disk(std::uint64_t total, std::uint64_t free, std::uint64_t files, std::uint64_t files_free,
                bool ro = false) {
  return {"/", total, free, files, files_free, ro};
}

}  // namespace

TEST_CASE("a disk is judged by space, inodes and whether it can be written") {
  struct disk_case {
    disk_usage usage;
    bool boot;
    const char* code;
    severity level;
  };
  const disk_case cases[] = {
      {disk(10 * gib, 5 * gib, 1000, 500), true, "disk-ok", severity::ok},
      {disk(10 * gib, gib / 2, 1000, 500), true, "disk-low", severity::warning},
      {disk(10 * gib, gib / 50, 1000, 500), true, "boot-disk-full", severity::critical},
      {disk(10 * gib, gib / 50, 1000, 500), false, "disk-full", severity::critical},
      {disk(10 * gib, 5 * gib, 1000, 50), true, "inodes-low", severity::warning},
      {disk(10 * gib, 5 * gib, 1000, 1), true, "boot-inodes-full", severity::critical},
      {disk(10 * gib, 5 * gib, 0, 0), true, "disk-ok", severity::ok},
      {disk(10 * gib, 5 * gib, 1000, 500, true), true, "boot-disk-read-only", severity::critical},
      {disk(10 * gib, 5 * gib, 1000, 500, true), false, "disk-read-only", severity::critical},
      {disk(1000 * gib, 5 * gib, 1000, 500), true, "disk-low", severity::warning},
  };
  for (const auto& each : cases) {
    INFO(each.code);
    const auto found = judge_disk("x", each.boot, each.usage);
    CHECK(found.subject == "disk.x");
    CHECK(found.code == each.code);
    CHECK(found.level == each.level);
    CHECK(found.new_vm_helps == (each.boot && each.level == severity::critical));
  }
  CHECK(judge_disk("x", true, fail("file-io", "cannot measure")).level == severity::warning);
}

TEST_CASE("the share's errors become findings of their own") {
  const storage_expectation expected{storage_kind::local, "/srv", "", "", 1001};
  const auto code = [&](const char* error) { return judge_share(expected, fail(error, "m", "r")).code; };
  CHECK(code("share-hung") == "storage-hung");
  CHECK(code("share-missing") == "storage-missing");
  CHECK(code("share-read-only") == "storage-read-only");
  CHECK(code("share-not-writable") == "storage-not-writable");
  CHECK(code("disk-full") == "storage-full");
  CHECK(code("share-io") == "storage-failing");
  CHECK(judge_share(expected, share_state{10, 9, 10, 9, 1001, ""}).level == severity::ok);
  CHECK(judge_share(expected, share_state{10, 9, 10, 9, 0, ""}).level == severity::info);
  CHECK(judge_share(expected, share_state{100, 9, 0, 0, 1001, ""}).code == "storage-nearly-full");
}

TEST_CASE("memory is read from the kernel's tables") {
  const auto memory =
      parse_memory("MemTotal:       16000 kB\nMemFree: 1 kB\nMemAvailable:    400 kB\n",
                   "some avg10=0.00 avg60=9.00\nfull avg10=0.00 avg60=1.50 avg300=0.00 total=7\n");
  CHECK(memory.total == 16000u * 1024);
  CHECK(memory.available == 400u * 1024);
  CHECK(memory.stalled_percent == 1.5);
  CHECK(judge_memory(memory).code == "memory-low");
  CHECK(judge_memory(memory_state{100, 50, 30}).code == "memory-stalled");
  CHECK(judge_memory(memory_state{100, 50, 0}).code == "memory-ok");
  REQUIRE(measure_memory());
  CHECK(measure_memory()->total > 0);
}

TEST_CASE("a machine is told from its replacement by the most particular id there is") {
  CHECK(machine_identity{"m", "b", "h", "i"}.unique() == "i");
  CHECK(machine_identity{"m", "b", "h", ""}.unique() == "m");
  CHECK(machine_identity{"", "b", "h", ""}.unique() == "b");
  CHECK_FALSE(identify_machine().unique().empty());
}

TEST_CASE("the cloud is known without asking the network") {
  ::unsetenv("GCE_METADATA_HOST");
  CHECK(detect_cloud("/does/not/exist") == cloud::unknown);
  CHECK(detect_cloud("/proc/self/comm") == cloud::none);
  ::setenv("GCE_METADATA_HOST", "127.0.0.1:1", 1);
  CHECK(detect_cloud("/does/not/exist") == cloud::gce);
  ::unsetenv("GCE_METADATA_HOST");
}
