#include "../../../daemon/supervisor/configured.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "catch.hpp"

using namespace difyd;
using namespace difyd::supervisor;

namespace {

class folder {
 public:
  folder() { path_ = ::mkdtemp(name_); }
  ~folder() { std::filesystem::remove_all(path_); }
  std::string operator/(const char* name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  char name_[32] = "/tmp/difyd-configured-XXXXXX";
  std::string path_;
};

void write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

}  // namespace

TEST_CASE("where the state is, is read from a text that makes no sense otherwise") {
  CHECK(state_dir_in("nonsense: [\nstate_dir: /var/lib/x\n") == "/var/lib/x");
  CHECK(state_dir_in("state_dir: \"/a b\"  # here\n") == "/a b");
  CHECK(state_dir_in("  state_dir: /nested\n").empty());
  CHECK(state_dir_in("state_dir: relative\n").empty());
  CHECK(state_dir_in("").empty());
}

TEST_CASE("a configuration that is not valid any more leaves the last good one in force") {
  const folder here;
  const auto file = here / "difyd.yaml",
             good = "project: mine\nversion: 1.11.4\nstorage: {root: /srv/dify}\nstate_dir: " + here.path() +
                    "\n";
  write(file, good);
  const auto first = read_configuration(file);
  REQUIRE(first);
  CHECK_FALSE(first->invalid);

  struct stat info {};
  REQUIRE(::stat((here / "last-good.yaml").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);

  write(file, good + "no_such_key: 1\n");
  const auto second = read_configuration(file);
  REQUIRE(second);
  REQUIRE(second->invalid);
  CHECK(second->invalid->message.find("no_such_key") != std::string::npos);
  CHECK(second->settings.project == "mine");

  write(file, good + "log: {level: debug}\n");
  CHECK_FALSE(read_configuration(file)->invalid);
}

TEST_CASE("without a last good one the mistake is the error") {
  const folder here;
  const auto file = here / "difyd.yaml";
  write(file, "storage: {root: /srv/dify}\nstate_dir: " + here.path() + "\nno_such_key: 1\n");
  const auto read = read_configuration(file);
  REQUIRE_FALSE(read);
  CHECK(read.error().code == "config-unknown-key");
}

TEST_CASE("a secret whose file is gone leaves the last good configuration in force, without it") {
  const folder here;
  const auto file = here / "difyd.yaml", secret = here / "key";
  write(secret, "hush\n");
  write(file, "project: mine\nversion: 1.11.4\nstorage: {root: /srv/dify}\nstate_dir: " + (here / "new") +
                  "\nenvironment_files: {SECRET_KEY: " + secret + "}\n");
  REQUIRE(read_configuration(file));
  std::filesystem::remove(secret);
  const auto read = read_configuration(file);
  REQUIRE(read);
  REQUIRE(read->invalid);
  CHECK(read->invalid->message.find("SECRET_KEY") != std::string::npos);
  CHECK(read->settings.project == "mine");
}

TEST_CASE("what changed since the configuration was read is told, by the files' names") {
  const folder here;
  const auto file = here / "difyd.yaml", secret = here / "key";
  const std::string text = "version: 1.11.4\nstorage: {root: /srv/dify}\nstate_dir: " + here.path() +
                           "\nenvironment_files: {SECRET_KEY: " + secret + "}\n";
  write(secret, "hush\n");
  write(file, text);
  const auto read = read_configuration(file);
  REQUIRE(read);
  CHECK(changed_since(read->files).empty());
  write(secret, "other\n");
  CHECK(changed_since(read->files) == std::vector<std::string>{secret});
  write(file, text + "log: {level: debug}\n");
  std::filesystem::remove(secret);
  CHECK(changed_since(read->files) == std::vector<std::string>{file, secret});
  write(file, text);
  write(secret, "hush\n");
  CHECK(changed_since(read->files).empty());
}
