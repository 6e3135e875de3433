#include "difyd/release/working_copy.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "catch.hpp"
#include "difyd/base/durable_file.hpp"
#include "difyd/base/text.hpp"
#include "difyd/config/load.hpp"
#include "difyd/release/roles.hpp"

using namespace difyd;
namespace fs = std::filesystem;

namespace {

constexpr const char* compose_text = R"(
services:
  init_permissions:
    image: busybox:latest
    volumes: ["./volumes/app/storage:/app/api/storage"]
  api:
    image: langgenius/dify-api:1.11.4
    environment: {MODE: api, DB_HOST: "${DB_HOST:-db_postgres}", DB_TYPE: "${DB_TYPE:-postgresql}"}
    volumes: ["./volumes/app/storage:/app/api/storage"]
  worker:
    image: langgenius/dify-api:1.11.4
    environment: {MODE: worker}
    volumes: ["./volumes/app/storage:/app/api/storage"]
  worker_beat:
    image: langgenius/dify-api:1.11.4
    environment: {MODE: beat}
  plugin_daemon:
    image: langgenius/dify-plugin-daemon:0.5.2-local
    volumes: ["./volumes/plugin_daemon:/app/storage"]
  db_postgres:
    image: postgres:15-alpine
    profiles: [postgresql]
    volumes: ["./volumes/db/data:/var/lib/postgresql/data"]
  redis:
    image: redis:6-alpine
    volumes: ["./volumes/redis/data:/data"]
  sandbox:
    image: langgenius/dify-sandbox:0.2.12
    volumes: ["./volumes/sandbox/conf:/conf"]
  nginx:
    image: nginx:latest
    volumes: ["./nginx/nginx.conf:/etc/nginx/nginx.conf", "./nginx/conf.d:/etc/nginx/conf.d"]
)";

struct place {
  std::string root = fs::temp_directory_path() / ("difyd-release-" + random_hex(8));
  config::settings settings;

  place() {
    add_release("1.11.4", compose_text);
    fs::create_directory(root + "/storage");
    config::surroundings world;
    world.read_file = [](const std::string&) -> Result<std::string> { return std::string("secret"); };
    auto parsed = config::parse("storage: {root: " + root + "/storage}\nstate_dir: " + root +
                                    "/state\nreleases: {source: " + root + "/bundles}\nproject: shop\n",
                                "test", world);
    REQUIRE(parsed.errors == std::vector<Error>{});
    settings = parsed.values;
  }
  ~place() { fs::remove_all(root); }

  void put(const std::string& path, const std::string& text) const {
    fs::create_directories(fs::path(root + "/" + path).parent_path());
    std::ofstream(root + "/" + path) << text;
  }

  void add_release(const std::string& version, const std::string& compose) const {
    const std::string folder = "bundles/dify-" + version + "/docker/";
    put(folder + "docker-compose.yaml", compose);
    put(folder + ".env.example",
        "DB_HOST=db_postgres\nDB_TYPE=postgresql\nSECRET_KEY=sk\nCOMPOSE_PROFILES=\n");
    put(folder + "nginx/nginx.conf", "events {}\n");
    put(folder + "nginx/conf.d/.gitkeep", "");
    put(folder + "volumes/sandbox/conf/config.yaml", "shipped\n");
    fs::permissions(root + "/" + folder + "nginx/nginx.conf", fs::perms(0755));
  }
  std::string read(const std::string& path) const { return read_file(root + "/" + path).value_or("(none)"); }
};

const version wanted = *parse_version("1.11.4");

}  // namespace

TEST_CASE("bundles are found and judged") {
  const place p;
  const auto found = release::find_bundle(p.settings.releases.source, wanted);
  REQUIRE(found);
  CHECK(found->folder == p.root + "/bundles/dify-1.11.4/docker");
  CHECK(found->layout == release::layout::named_keys);
  p.add_release("1.15.0", "services: {api: {image: \"langgenius/dify-api:1.15.0\", env_file: [./.env]}}");
  p.add_release("1.12.0", "services: {api: {image: langgenius/dify-api:1.12.1}}");
  CHECK(release::find_bundle(p.settings.releases.source, *parse_version("1.15.0"))->layout ==
        release::layout::env_file);

  const auto unknown = release::find_bundle(p.settings.releases.source, *parse_version("9.9.9"));
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().code == "release-unknown");
  CHECK(unknown.error().remedy == "Known in " + p.root +
                                      "/bundles: 1.11.4, 1.12.0, 1.15.0. Put dify-9.9.9.tar.gz there, or set "
                                      "releases.url: difyd plan and "
                                      "difyd upgrade then unpack, or fetch, what they are asked for");
  const auto mismatch = release::find_bundle(p.settings.releases.source, *parse_version("1.12.0"));
  CHECK(mismatch.error().code == "release-mismatch");
  CHECK(mismatch.error().message.ends_with("names the api image of version 1.12.1"));
  fs::remove(p.root + "/bundles/dify-1.15.0/docker/.env.example");
  CHECK(release::find_bundle(p.settings.releases.source, *parse_version("1.15.0")).error().code ==
        "release-incomplete");
  CHECK(release::available(p.root + "/nowhere").empty());
}

TEST_CASE("a release is assembled once and kept in step") {
  const place p;
  const auto made = release::assemble(p.settings, wanted, {});
  if (!made) FAIL(sentence(made.error()));
  const std::string copy = "state/releases/dify-1.11.4/docker";
  CHECK(made->folder == p.root + "/" + copy);
  CHECK(made->project.name == "shop");
  CHECK(made->project.working_dir == made->folder);
  CHECK(p.read(copy + "/nginx/nginx.conf") == "events {}\n");
  CHECK(fs::status(p.root + "/" + copy + "/nginx/nginx.conf").permissions() == fs::perms(0755));
  CHECK(fs::read_symlink(p.root + "/" + copy + "/volumes") == p.root + "/storage");
  CHECK(fs::is_empty(p.root + "/storage"));  // it may hang: only the helper touches it
  const auto folders = release::bind_folders(made->project, p.settings);
  for (const char* folder : {"app/storage", "plugin_daemon", "db/data", "redis/data"})
    CHECK(std::ranges::find(folders, folder) != folders.end());
  struct stat info {};
  REQUIRE(::stat((made->folder + "/.env").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0640);
  CHECK(p.read(copy + "/.env") == made->environment.text);

  // Again: nothing is copied, what containers made stays.
  p.put(copy + "/nginx/conf.d/default.conf", "generated");
  REQUIRE(release::assemble(p.settings, wanted, release::environment_of(made->folder).value()));
  CHECK(p.read(copy + "/nginx/conf.d/default.conf") == "generated");

  // A changed bundle replaces the copy; the environment in force stays readable meanwhile.
  p.put("bundles/dify-1.11.4/docker/nginx/nginx.conf", "changed\n");
  const auto again = release::assemble(p.settings, wanted, release::environment_of(made->folder).value());
  REQUIRE(again);
  CHECK(p.read(copy + "/nginx/nginx.conf") == "changed\n");
  CHECK(again->bundle_hash != made->bundle_hash);
  CHECK(again->environment.text == made->environment.text);
  CHECK(std::distance(fs::directory_iterator(p.root + "/state/releases/dify-1.11.4"), {}) ==
        3);  // and two hashes

  const auto resolved = release::resolve(p.settings, wanted, made->folder);
  REQUIRE(resolved);
  CHECK(*resolved == again->project);
  CHECK(release::resolve(p.settings, *parse_version("1.11.5"), made->folder).error().code ==
        "release-mismatch");
}

TEST_CASE("a .env that a human wrote is kept when it is written anew, one that difyd wrote is not") {
  place p;
  const std::string above = "state/releases/dify-1.11.4", env = above + "/docker/.env";
  const auto write = [&](const char* level) {
    p.settings.environment["LOG_LEVEL"] = level;
    REQUIRE(release::assemble(p.settings, wanted, {}));
    CHECK(p.read(env).find(std::string("LOG_LEVEL=") + level) != std::string::npos);
  };
  write("INFO");
  write("DEBUG");
  CHECK_FALSE(fs::exists(p.root + "/" + above + "/env.before"));
  p.put(env, "BY_HAND=secret\n");
  write("ERROR");
  CHECK(p.read(above + "/env.before") == "BY_HAND=secret\n");
  write("INFO");
  CHECK(p.read(above + "/env.before") == "BY_HAND=secret\n");
  for (const char* each : {"/env.before", "/.env-hash"})
    CHECK(fs::status(p.root + "/" + above + each).permissions() == fs::perms(0600));
}

TEST_CASE("an overlay is laid over the copy, which is made anew where either changed") {
  const place p;
  const std::string copy = "state/releases/dify-1.11.4/docker";
  release::overlay over = {{"nginx/nginx.conf", 0600, "mine\n"}, {"nginx/ssl/dify.key", 0600, "key\n"}};
  const auto lay_out = [&] {
    const auto made = release::assemble(p.settings, wanted, {}, over);
    if (!made) FAIL(sentence(made.error()));
    return *made;
  };
  CHECK(lay_out().laid_over == over);
  CHECK(p.read(copy + "/nginx/nginx.conf") == "mine\n");
  CHECK(p.read(copy + "/nginx/ssl/dify.key") == "key\n");
  CHECK(fs::status(p.root + "/" + copy + "/nginx/ssl/dify.key").permissions() == fs::perms(0600));
  CHECK(p.read("bundles/dify-1.11.4/docker/nginx/nginx.conf") == "events {}\n");

  p.put(copy + "/nginx/conf.d/default.conf", "generated");
  lay_out();
  CHECK(p.read(copy + "/nginx/conf.d/default.conf") == "generated");
  over[0].bytes = "mine again\n";
  lay_out();
  CHECK(p.read(copy + "/nginx/nginx.conf") == "mine again\n");
  CHECK(p.read(copy + "/nginx/conf.d/default.conf") == "(none)");
  for (const auto* path : {"nginx", "nginx/nginx.conf/x"})
    CHECK(release::preview(p.settings, wanted, {}, {{path, 0644, "x"}}).error().code == "overlay-refused");
  over.clear();
  lay_out();
  CHECK(p.read(copy + "/nginx/nginx.conf") == "events {}\n");
  CHECK_FALSE(fs::exists(p.root + "/" + copy + "/nginx/ssl"));
}

TEST_CASE("a preview has the overlay's files where compose reads them") {
  place p;
  p.add_release(
      "1.15.0",
      "services: {api: {image: \"langgenius/dify-api:1.15.0\", environment: {MODE: api, DB_HOST: db}, "
      "env_file: [./envs/own.env]}, db: {image: postgres}}");
  p.put("bundles/dify-1.15.0/docker/envs/own.env", "WHOSE=published\n");
  p.settings.database.host = "db";
  const auto whose = [&](const release::overlay& over) {
    const auto shown = release::preview(p.settings, *parse_version("1.15.0"), {}, over);
    if (!shown) FAIL(sentence(shown.error()));
    return shown->project.services.at("api").environment.at("WHOSE").value_or("");
  };
  CHECK(whose({}) == "published");
  CHECK(whose({{"envs/own.env", 0644, "WHOSE=mine\n"}}) == "mine");
}

TEST_CASE("a preview is the same project and touches nothing") {
  const place p;
  const auto shown = release::preview(p.settings, wanted, {});
  if (!shown) FAIL(sentence(shown.error()));
  CHECK_FALSE(fs::exists(p.root + "/state"));
  CHECK(fs::is_empty(p.root + "/storage"));
  const auto made = release::assemble(p.settings, wanted, {});
  REQUIRE(made);
  CHECK(shown->project == made->project);
  CHECK(shown->environment.hash == made->environment.hash);
}

TEST_CASE("a missing storage root is not made, a missing database service is named") {
  place p;
  fs::remove(p.root + "/storage");
  CHECK(release::assemble(p.settings, wanted, {}));
  CHECK_FALSE(fs::exists(p.root + "/storage"));
  p.settings.profiles = std::vector<std::string>{};
  const auto without = release::preview(p.settings, wanted, {});
  REQUIRE_FALSE(without);
  CHECK(without.error().code == "database-not-in-stack");
  CHECK(without.error().message ==
        "cannot use the bundled database: DB_HOST is \"db_postgres\" and no enabled service has that name");
}

TEST_CASE("who is who in a project") {
  const place p;
  const auto made = release::preview(p.settings, wanted, {});
  REQUIRE(made);
  using names = std::vector<std::string>;
  CHECK(release::api_service(made->project) == "api");
  CHECK(release::api_services(made->project) == names{"api", "worker", "worker_beat"});
  CHECK(release::worker_services(made->project) == names{"worker", "worker_beat"});
  CHECK(release::data_services(made->project) == names{"db_postgres", "plugin_daemon", "redis"});
  CHECK(release::database_users(made->project) == names{"api", "plugin_daemon", "worker", "worker_beat"});
  CHECK(release::nginx_service(made->project) == "nginx");
  CHECK(release::image_of(made->project, "redis") == "redis:6-alpine");
  CHECK(release::image_of(made->project, "none").empty());
  CHECK(release::images(made->project).size() == 7);
}

TEST_CASE("repositories") {
  CHECK(release::repository("langgenius/dify-api:1.11.4") == "langgenius/dify-api");
  CHECK(release::repository("docker.io/library/nginx:latest") == "nginx");
  CHECK(release::repository("localhost:5000/langgenius/dify-api@sha256:00") == "langgenius/dify-api");
  CHECK(release::repository("cr.weaviate.io/semitechnologies/weaviate:1.39.2") ==
        "semitechnologies/weaviate");
  CHECK(release::repository("nginx") == "nginx");
}
