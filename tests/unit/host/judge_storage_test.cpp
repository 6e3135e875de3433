#include "../../../daemon/host/verbs_mount.hpp"
#include "catch.hpp"
#include "difyd/host/holders.hpp"
#include "difyd/host/probes.hpp"

using namespace difyd;
using namespace difyd::host;

namespace {

storage_expectation nfs(bool managed = true) {
  storage_expectation expected;
  expected.kind = storage_kind::nfs;
  expected.root = "/srv/dify";
  expected.server = "10.0.0.2";
  expected.exported = "/share";
  expected.managed = managed;
  return expected;
}

finding broken(std::string code) {
  return {"storage", std::move(code), severity::critical, "it is broken", "mend it", false, {}};
}

mount mounted(std::string source, std::string fstype, std::string device = "0:52") {
  mount one;
  one.root = "/";
  one.point = "/srv/dify";
  one.device = std::move(device);
  one.fstype = std::move(fstype);
  one.source = std::move(source);
  one.options = "rw";
  return one;
}

}  // namespace

TEST_CASE("a new machine is said to help only where a second mount answers and mending has failed") {
  const Result<> answers, fails = difyd::fail("second-mount", "cannot mount a second time: refused");
  for (const char* code : {"mount-missing", "storage-hung", "storage-stale"}) {
    INFO(code);
    for (int failed = 0; failed < remounts_before_help; ++failed) {
      auto expected = nfs();
      expected.failed_remounts = failed;
      CHECK(judge_here(expected, broken(code), answers).code == code);
      CHECK_FALSE(judge_here(expected, broken(code), answers).new_vm_helps);
    }
    auto expected = nfs();
    expected.failed_remounts = remounts_before_help;
    const auto here = judge_here(expected, broken(code), answers);
    CHECK(here.code == (std::string(code) == "mount-missing" ? "mount-missing-here" : "mount-hung-here"));
    CHECK(here.new_vm_helps);
    CHECK(here.level == severity::critical);
    CHECK(judge_here(expected, broken(code), fails).code == code);
    CHECK_FALSE(judge_here(expected, broken(code), fails).new_vm_helps);
    expected.managed = false;
    CHECK(judge_here(expected, broken(code), answers).code == code);
  }
  auto expected = nfs();
  expected.failed_remounts = 100;
  for (const char* code : {"storage-full", "storage-not-writable", "mount-foreign", "storage-lying"})
    CHECK(judge_here(expected, broken(code), answers) == broken(code));
}

TEST_CASE("the server of a share that does not answer") {
  CHECK(judge_nfs_server(nfs(), {}).code == "server-answers");
  CHECK(judge_nfs_server(nfs(), difyd::fail("server-refuses", "m")).code == "server-refuses");
  CHECK(judge_nfs_server(nfs(), difyd::fail("deadline-exceeded", "m")).code == "server-silent");
  CHECK(judge_nfs_server(nfs(), difyd::fail("name-unknown", "m")).code == "server-unknown");
  CHECK_FALSE(judge_nfs_server(nfs(), difyd::fail("server-refuses", "m")).new_vm_helps);
}

TEST_CASE("who mends a mount that is missing") {
  CHECK(judge_mount(nfs(true), {}).remedy ==
        "difyd mounts it by itself; see why it is not: systemctl status srv-dify.mount");
  CHECK(judge_mount(nfs(false), {}).remedy.find("Mount it: mount -t nfs 10.0.0.2:/share /srv/dify") == 0);
  CHECK(judge_mount(nfs(), {mounted("10.0.0.2:/share", "nfs4")}).code == "mount-present");
  CHECK(judge_mount(nfs(), {mounted("10.0.0.2:/share", "ext4")}).code == "mount-foreign");
}

TEST_CASE("a second mount of NFS never waits long, and is reached as the first is") {
  CHECK(second_mount_options("nfs", "hard,timeo=600,vers=3,rsize=524288,port=20490,_netdev") ==
        "rw,soft,timeo=50,retrans=1,retry=0,nosharecache,vers=3,port=20490");
  CHECK(second_mount_options("fuse.x", "") == "rw");
  CHECK(second_mount_options("ext4", "noatime") == "noatime,rw");
}

TEST_CASE("mounts of the storage in a container's table") {
  const auto wish = wish_of(nfs());
  auto inside = std::vector<mount>{mounted("overlay", "overlay"), mounted("10.0.0.2:/share", "nfs", "0:52")};
  inside[1].point = "/app/api/storage";
  const auto now = mounted("10.0.0.2:/share", "nfs4", "0:60");
  const auto held = held_mounts(inside, wish, now, {});
  REQUIRE(held.size() == 1);
  CHECK(held[0].point == "/app/api/storage");
  CHECK(held[0].other);
  inside[1].device = "0:60";
  CHECK_FALSE(held_mounts(inside, wish, now, {})[0].other);
}

TEST_CASE("what a container has of before the mount, or of another server, is not what is there now") {
  const auto wish = wish_of(nfs());
  const auto now = mounted("10.0.0.2:/share", "nfs4", "0:60");
  auto inside =
      std::vector<mount>{mounted("/dev/sda1", "ext4", "8:1"), mounted("10.0.0.9:/old", "nfs4", "0:50"),
                         mounted("/dev/sdb", "ext4", "8:16"), mounted("/dev/sda1", "ext4", "8:1")};
  inside[0].point = "/app/api/storage";
  inside[1].point = "/app/keys";
  inside[2].point = "/data";  // a disk of its own below the share
  inside[3].point = "/etc/hosts";
  const auto held = held_mounts(inside, wish, now,
                                {{"/app/api/storage", "0:60"}, {"/app/keys", "0:60"}, {"/data", "8:16"}});
  REQUIRE(held.size() == 3);
  CHECK(held[0].other);
  CHECK(held[1].other);
  CHECK_FALSE(held[2].other);
}
