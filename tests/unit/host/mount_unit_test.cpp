#include "difyd/host/mount_unit.hpp"

#include "catch.hpp"

using namespace difyd::host;

namespace {

const mount_wish share{"/srv/dify", "10.0.0.2:/share", "nfs", ""};

mount mounted(std::string source, std::string fstype, std::string point = "/srv/dify") {
  mount one;
  one.root = "/";
  one.point = std::move(point);
  one.fstype = std::move(fstype);
  one.source = std::move(source);
  one.options = "rw";
  return one;
}

mount_facts nothing_there() {
  mount_facts facts;
  facts.mounts = {mounted("/dev/sda1", "ext4", "/")};
  facts.unit = {"not-found", "inactive", "success", "", ""};
  return facts;
}

// As after difyd wrote the unit for `wish`.
mount_facts with_our_unit(const mount_wish& wish) {
  auto facts = nothing_there();
  facts.unit = {"loaded", "inactive", "success", mount_unit_file(wish.point), wish.source};
  facts.written = mount_unit_text(wish);
  return facts;
}

}  // namespace

// Compared with systemd-escape --path --suffix=mount of systemd 252.
TEST_CASE("the name of a mount's unit") {
  CHECK(mount_unit_name("/srv/dify") == "srv-dify.mount");
  CHECK(mount_unit_name("/srv//dify/") == "srv-dify.mount");
  CHECK(mount_unit_name("/srv/my-files") == "srv-my\\x2dfiles.mount");
  CHECK(mount_unit_name("/.hidden/.x") == "\\x2ehidden-.x.mount");
  CHECK(mount_unit_name("/a b/ü:_.1") == "a\\x20b-\\xc3\\xbc:_.1.mount");
  CHECK(mount_unit_name("/") == "-.mount");
}

TEST_CASE("the text of the unit") {
  const auto text = mount_unit_text(share);
  CHECK(text.find("\nWhat=10.0.0.2:/share\nWhere=/srv/dify\nType=nfs\n") != std::string::npos);
  CHECK(text.find("Options=hard,timeo=600,retrans=3,") != std::string::npos);
  CHECK(text.find("_netdev,nofail\n") != std::string::npos);
  CHECK(text.find("\nLazyUnmount=yes\n") != std::string::npos);
  CHECK(text.find("\nBefore=docker.service difyd.service\n") != std::string::npos);

  const auto own = mount_unit_text({"/srv/100%", "/dev/sdb", "ext4", "noatime"});
  CHECK(own.find("\nWhat=/dev/sdb\nWhere=/srv/100%%\nType=ext4\nOptions=noatime\n") != std::string::npos);
  CHECK(mount_unit_text({"/x", "/dev/sdb", "ext4", ""}).find("Options=nosuid,nodev,nofail\n") !=
        std::string::npos);
}

TEST_CASE("lines of fstab") {
  const auto lines = parse_fstab(
      "# a comment\n\nUUID=1-2 / ext4 errors=remount-ro 0 1\n"
      "10.0.0.2:/share\t/srv/my\\040files/ nfs  defaults,_netdev 0 0\nbroken\n/dev/sdc /x ext4\n");
  REQUIRE(lines.size() == 3);
  CHECK(lines[1].source == "10.0.0.2:/share");
  CHECK(lines[1].point == "/srv/my files");
  CHECK(lines[1].fstype == "nfs");
  CHECK(lines[1].options == "defaults,_netdev");
  CHECK(lines[2].options.empty());
}

TEST_CASE("a mount that is right is left alone") {
  auto facts = nothing_there();
  facts.mounts.push_back(mounted("10.0.0.2:/share", "nfs4"));
  CHECK(decide_mount(share, facts).act == mount_act::none);
  facts.fstab = {{"10.0.0.9:/other", "/srv/dify", "nfs", ""}};  // whoever mounted it
  CHECK(decide_mount(share, facts).act == mount_act::none);
}

TEST_CASE("a mount that is missing") {
  const auto fresh = decide_mount(share, nothing_there());
  CHECK(fresh.act == mount_act::start);
  CHECK(fresh.write);
  CHECK(fresh.cause == "nothing is mounted at /srv/dify");

  const auto again = decide_mount(share, with_our_unit(share));
  CHECK(again.act == mount_act::start);
  CHECK_FALSE(again.write);

  auto reloaded = with_our_unit(share);  // the file is there, systemd does not know it
  reloaded.unit = {"not-found", "inactive", "success", "", ""};
  CHECK(decide_mount(share, reloaded).write);

  auto changed = share;
  changed.options = "hard,vers=3";
  CHECK(decide_mount(changed, with_our_unit(share)).write);
}

TEST_CASE("a mount that hangs is made anew") {
  auto facts = with_our_unit(share);
  facts.mounts.push_back(mounted("10.0.0.2:/share", "nfs"));
  facts.answers = false;
  const auto decided = decide_mount(share, facts);
  CHECK(decided.act == mount_act::restart);
  CHECK(decided.cause == "nfs 10.0.0.2:/share at /srv/dify does not answer");
}

TEST_CASE("the configuration names another export") {
  auto facts = with_our_unit(share);
  facts.mounts.push_back(mounted("10.0.0.2:/share", "nfs"));
  auto moved = share;
  moved.source = "10.0.0.3:/share";
  const auto decided = decide_mount(moved, facts);
  CHECK(decided.act == mount_act::restart);
  CHECK(decided.write);
  CHECK(decided.cause.find("which the configuration does not name any more") != std::string::npos);
}

TEST_CASE("what a human mounted is not replaced") {
  auto facts = nothing_there();
  facts.mounts.push_back(mounted("/dev/sdb", "ext4"));
  const auto decided = decide_mount(share, facts);
  CHECK(decided.act == mount_act::refuse);
  CHECK(decided.refusal.code == "mount-foreign");
  CHECK(decided.refusal.message ==
        "cannot mount nfs 10.0.0.2:/share at /srv/dify: ext4 /dev/sdb is mounted there");
  CHECK(decided.refusal.remedy.find("umount /srv/dify") != std::string::npos);
}

TEST_CASE("a human's line in fstab") {
  auto facts = nothing_there();
  facts.fstab = {{"10.0.0.2:/share", "/srv/dify", "nfs4", "defaults"}};
  facts.unit = {"loaded", "inactive", "success", "/run/systemd/generator/srv-dify.mount", "10.0.0.2:/share"};
  const auto same = decide_mount(share, facts);
  CHECK(same.act == mount_act::start);
  CHECK_FALSE(same.write);

  facts.fstab[0].source = "10.0.0.9:/old";
  const auto other = decide_mount(share, facts);
  CHECK(other.act == mount_act::refuse);
  CHECK(other.refusal.code == "mount-unit-foreign");
  CHECK(other.refusal.message.find("/etc/fstab has nfs4 10.0.0.9:/old there") != std::string::npos);
}

TEST_CASE("a human's unit") {
  auto facts = nothing_there();
  facts.unit = {"loaded", "inactive", "success", "/etc/systemd/system/srv-dify.mount", "10.0.0.2:/share"};
  const auto same = decide_mount(share, facts);
  CHECK(same.act == mount_act::start);
  CHECK_FALSE(same.write);
  facts.unit.source = "10.0.0.9:/old";
  CHECK(decide_mount(share, facts).refusal.code == "mount-unit-foreign");
  facts.unit.load = "masked";
  CHECK(decide_mount(share, facts).refusal.remedy == "systemctl unmask srv-dify.mount");
}
