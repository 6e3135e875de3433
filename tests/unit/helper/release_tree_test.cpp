// What comes out of an archive of a release, and what no archive may bring in.
#include "../../../daemon/helper/release_tree.hpp"

#include "catch.hpp"

using namespace difyd;
using helper::entry;
using kind = helper::entry::kind;

namespace {

struct one {
  entry of;
  std::string bytes{};
};

const std::vector<one> release = {
    {{"dify-1.12.1/", kind::folder}},
    {{"dify-1.12.1/api/link-out", kind::link, 0777, 0, "../../../etc/passwd"}},  // not ours to follow
    {{"dify-1.12.1/api/\xc3\xa9.py", kind::file, 0644, 3}, "api"},
    {{"dify-1.12.1/docker/", kind::folder, 02775}},
    {{"./dify-1.12.1//docker/docker-compose.yaml", kind::file, 0664, 4}, "yaml"},
    {{"dify-1.12.1/docker/nginx/entrypoint.sh", kind::file, 0775, 2}, "sh"},
};

Result<std::vector<tree_file>> read(const std::vector<one>& entries, helper::archive_limits limits = {}) {
  helper::release_tree tree(limits);
  for (const auto& each : entries) {
    const auto wanted = tree.admit(each.of);
    if (!wanted) return fail(wanted.error());
    if (*wanted)
      if (auto added = tree.add(each.bytes); !added) return fail(added.error());
  }
  return tree.finish();
}

std::vector<one> with(std::vector<one> more) {
  auto all = release;
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

one below(const std::string& name, kind is, const std::string& target = {}, unsigned mode = 0644) {
  return {{"dify-1.12.1/docker/" + name, is, mode, 0, target}};
}

}  // namespace

TEST_CASE("the plain files below docker come out, and nothing else") {
  const auto files = read(release);
  REQUIRE(files);
  CHECK(*files ==
        std::vector<tree_file>{{"docker-compose.yaml", 0644, "yaml"}, {"nginx/entrypoint.sh", 0755, "sh"}});
}

TEST_CASE("a link within docker is the file that it leads to") {
  const auto files = read(with({below("a/compose.yaml", kind::link, ".././docker-compose.yaml"),
                                below("again", kind::link, "a/compose.yaml"),
                                below("hard", kind::hard_link, "dify-1.12.1/docker/nginx/entrypoint.sh")}));
  REQUIRE(files);
  CHECK(files->size() == 5);
  CHECK((*files)[0] == tree_file{"a/compose.yaml", 0644, "yaml"});
  CHECK((*files)[1] == tree_file{"again", 0644, "yaml"});
  CHECK((*files)[3] == tree_file{"hard", 0755, "sh"});
}

TEST_CASE("what no archive of a release holds is refused") {
  struct row {
    const char* what;
    std::vector<one> more;
    std::string says;
  };
  const auto row_of = GENERATE(values<row>({
      {"a way up", {{{"dify-1.12.1/docker/../../../etc/cron.d/x", kind::file}}}, "leads out of its folder"},
      {"a way up elsewhere", {{{"../x", kind::file}}}, "leads out of its folder"},
      {"an absolute path", {{{"/etc/cron.d/x", kind::file}}}, "an absolute path"},
      {"no name", {{{"", kind::file}}}, "empty or too long"},
      {"two folders",
       {{{"other/docker/x", kind::file}}},
       "more than one folder: \"dify-1.12.1\" and \"other\""},
      {"a file beside the folder", {{{"x", kind::file}}}, "more than one folder"},
      {"a link to elsewhere", {below("x", kind::link, "/etc/passwd")}, "a link to \"/etc/passwd\""},
      {"a link up", {below("a/x", kind::link, "../../api/main.py")}, "a link to \"../../api/main.py\""},
      {"a link to a folder", {below("x", kind::link, "nginx")}, "which is no file of its docker folder"},
      {"a link to nothing", {below("x", kind::link, "y")}, "which is no file of its docker folder"},
      {"links in a circle", {below("x", kind::link, "y"), below("y", kind::link, "x")}, "which is no file"},
      {"a link that is a folder",
       {below("x", kind::link, "nginx/entrypoint.sh"), below("x/y", kind::file)},
       "below something that is no folder"},
      {"a file that is a folder",
       {below("x", kind::file), below("x/y", kind::file)},
       "below something that is no folder"},
      {"a hard link out", {below("x", kind::hard_link, "/etc/passwd")}, "a link to \"/etc/passwd\""},
      {"a hard link to another part",
       {below("x", kind::hard_link, "dify-1.12.1/api/main.py")},
       "a link to \"dify-1.12.1/api/main.py\""},
      {"a device or pipe", {below("x", kind::special)}, "neither a file nor a folder nor a link"},
      {"a file of root", {below("x", kind::file, "", 04755)}, "with the rights of another user"},
      {"a file of a group", {below("x", kind::file, "", 02755)}, "with the rights of another user"},
      {"a file twice", {below("docker-compose.yaml", kind::file)}, "twice"},
      {"a name with a line break",
       {below("x\ny", kind::file)},
       "\"dify-1.12.1/docker/x?y\", which is no file name"},
      {"docker as a link", {{{"dify-1.12.1/docker", kind::link, 0777, 0, "/etc"}}}, "is no folder"},
      {"a bomb", {{{"dify-1.12.1/api/zeros", kind::file, 0644, 5ull << 30}}}, "larger than any release"},
      {"an overflowing bomb",
       {{{"dify-1.12.1/a", kind::file, 0644, ~0ull}}, {{"dify-1.12.1/b", kind::file, 0644, ~0ull}}},
       "larger than any release"},
      {"a bomb in docker",
       {{{"dify-1.12.1/docker/zeros", kind::file, 0644, 1}, std::string(17u << 20, '0')}},
       "its docker folder is larger than any release's"},
  }));
  INFO(row_of.what);
  const auto files = read(with(row_of.more));
  REQUIRE_FALSE(files);
  CHECK(files.error().code == "release-archive");
  CHECK_THAT(files.error().message, Catch::Contains(row_of.says));
}

TEST_CASE("bounds of an archive") {
  CHECK_FALSE(read(release, {.entries = 5}));
  CHECK(read(release, {.entries = 6}));
  CHECK_FALSE(read(release, {.docker_files = 1}));
  CHECK_FALSE(read(with({below("x", kind::link, "docker-compose.yaml")}), {.docker_bytes = 9}));
  CHECK(read(with({below("x", kind::link, "docker-compose.yaml")}), {.docker_bytes = 10}));
}

TEST_CASE("an archive of something else has no docker folder") {
  const auto files = read({{{"linux-6.1/Makefile", kind::file, 0644, 1}, "x"}});
  REQUIRE_FALSE(files);
  CHECK(files.error().message == "it has no docker folder below \"linux-6.1\"");
}
