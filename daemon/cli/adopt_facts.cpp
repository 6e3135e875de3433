#include "adopt_facts.hpp"

#include <algorithm>
#include <filesystem>

#include "adopt_engine.hpp"
#include "difyd/base/durable_file.hpp"
#include "difyd/base/text.hpp"
#include "difyd/compose/dotenv.hpp"
#include "difyd/compose/load.hpp"
#include "difyd/config/table.hpp"
#include "difyd/release/advisories.hpp"
#include "difyd/release/working_copy.hpp"
#include "unpacking.hpp"
#include "write_configuration.hpp"

namespace difyd::cli {
namespace {

namespace fs = std::filesystem;
using release::text_map;

constexpr std::size_t largest_text = 4u << 20;

bool is_file(const std::string& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

bool has_compose_file(const std::string& folder) {
  return std::ranges::any_of(
      std::vector{"docker-compose.yaml", "docker-compose.yml", "compose.yaml", "compose.yml"},
      [&](const char* name) { return is_file(folder + "/" + name); });
}

Result<std::string> folder_of(const std::string& given) {
  std::error_code error;
  const std::string whole = fs::canonical(given, error);
  if (error)
    return fail("adopt-folder", "cannot adopt " + given + ": " + error.message(),
                "Name the folder with docker-compose.yaml and .env");
  for (const auto& folder : {whole, whole + "/docker"}) {
    if (!has_compose_file(folder)) continue;
    if (is_file(folder + "/.env")) return folder;
    return fail(
        "adopt-folder", "cannot adopt " + folder + ": it has no .env",
        "Without it Dify runs on the defaults of its compose file: cp .env.example .env and correct it, "
        "or make a new installation: difyd init");
  }
  return fail("adopt-folder", "cannot adopt " + given + ": there is no compose file in it",
              "Name the folder with docker-compose.yaml and .env");
}

Result<compose::project> load(const std::string& folder, compose::text_list files) {
  compose::source from;
  from.files = std::move(files);
  from.project_directory = folder;
  from.cwd = folder;
  const compose::disk_reader disk;
  auto loaded = compose::load(from, disk);
  if (!loaded) return fail(std::move(loaded.error()));
  return std::move(loaded->project);
}

// Regular files below `folder` whose names end so, sorted.
std::vector<std::string> files_below(const std::string& folder, std::string_view ending) {
  std::vector<std::string> found;
  std::error_code error;
  for (fs::recursive_directory_iterator each(folder, error), end; !error && each != end;
       each.increment(error))
    if (each->is_regular_file(error) && each->path().string().ends_with(ending))
      found.push_back(each->path());
  std::ranges::sort(found);
  return found;
}

Result<text_map> read_env(const std::string& path) {
  const auto text = read_file(path, largest_text);
  if (!text) return fail(text.error());
  auto values = compose::read_dotenv(*text, path);
  if (!values) return fail(std::move(values.error()));
  return std::move(values->variables);
}

class surveying {
 public:
  surveying(const adopt_wish& wish, std::string secrets) : wish_(wish) {
    found_.facts.secrets = std::move(secrets);
    found_.facts.base = config::defaults();
  }

  Result<installation> run() {
    for (const auto step : {&surveying::read_folder, &surveying::read_release, &surveying::read_keys,
                            &surveying::name_project, &surveying::find_storage})
      if (auto done = (this->*step)(); !done) return fail(std::move(done.error()));
    find_own_files();
    return std::move(found_);
  }

 private:
  Result<> read_folder() {
    auto folder = folder_of(wish_.folder);
    if (!folder) return fail(std::move(folder.error()));
    found_.folder = *folder;
    auto values = read_env(found_.folder + "/.env");
    if (!values) return fail(std::move(values.error()));
    found_.facts.environment = std::move(*values);
    auto project = load(found_.folder, {});
    if (!project) return fail(std::move(project.error()));
    found_.project = std::move(*project);
    for (const auto* each : {&found_.project.services, &found_.project.disabled_services})
      for (const auto& [name, service] : *each) found_.facts.own_services.insert(name);
    if (const auto api = found_.project.services.find("api"); api != found_.project.services.end())
      for (const auto& [key, value] : api->second.environment)
        if (value) found_.facts.given_to_api[key] = *value;
    found_.facts.published_port = release::published_port(found_.project);
    return look_at_overrides();
  }

  // docker-compose.override.yaml, or what COMPOSE_FILE adds.
  Result<> look_at_overrides() {
    const auto& files = found_.project.compose_files;
    if (files.size() < 2) return {};
    found_.override_files.assign(files.begin() + 1, files.end());
    auto first = load(found_.folder, {files.front()});
    if (!first) return {};  // it stands only together with the others: then nothing can be told apart
    found_.by_overrides = release::compare(*first, found_.project, {}).differences;
    return {};
  }

  Result<> read_release() {
    auto which = wish_.version.empty() ? release::version_of(found_.project) : parse_version(wish_.version);
    if (!which) return fail(std::move(which.error()));
    auto& base = found_.facts.base;
    base.version = *which;
    if (!wish_.releases.empty()) base.releases.source = fs::absolute(wish_.releases).lexically_normal();
    if (!wish_.dry_run)
      if (auto here = unpack_release(base.releases.source, *which); !here)
        return fail(std::move(here.error()));
    auto bundle = release::find_bundle(base.releases.source, *which);
    if (bundle) {
      std::error_code error;
      if (fs::equivalent(bundle->folder, found_.folder, error))
        return fail("adopt-folder",
                    "cannot adopt " + found_.folder +
                        ": it is itself the release below releases.source, which must stay as published",
                    "Unpack the release once more to another folder's dify-" + which->text() +
                        ", and name that folder with --releases");
      auto preview = release::preview(base, *which, {});
      if (!preview) return fail(std::move(preview.error()));
      for (const auto* each : {&preview->project.services, &preview->project.disabled_services})
        for (const auto& [name, service] : *each) found_.facts.services.insert(name);
      found_.facts.env_example = bundle->env_example;
      found_.bundle = std::move(*bundle);
      return {};
    }
    if (bundle.error().code != "release-unknown") return fail(std::move(bundle.error()));
    auto example = read_file(found_.folder + "/.env.example", largest_text);
    if (!example) return fail(std::move(bundle.error()));
    found_.facts.env_example = std::move(*example);
    found_.facts.services = found_.facts.own_services;
    return {};
  }

  std::string release_folder() const { return found_.bundle ? found_.bundle->folder : found_.folder; }

  Result<> read_keys() {
    auto& facts = found_.facts;
    const std::string file = found_.bundle ? found_.bundle->folder + "/" + found_.bundle->compose_file
                                           : found_.project.compose_files.front();
    const auto text = read_file(file, largest_text);
    if (!text) return fail(text.error());
    facts.named = release::named_keys(*text);
    facts.whole_env = text->find("env_file:") != std::string::npos;
    for (const auto& path : files_below(release_folder() + "/envs", ".env.example"))
      if (const auto keys = read_env(path))
        for (const auto& [key, value] : *keys) facts.named.insert(key);
    for (const auto& other : release::available(facts.base.releases.source)) {
      if (other == *facts.base.version) continue;
      const auto bundle = release::find_bundle(facts.base.releases.source, other);
      const auto keys = bundle ? release::read_environment(bundle->env_example) : Result<text_map>();
      if (keys)
        for (const auto& [key, value] : *keys) facts.known_elsewhere.insert(key);
    }
    if (const auto book = release::load_advisories(facts.base.releases.advisories))
      for (const auto& [old_key, new_key] : book->renamed_keys) facts.known_elsewhere.insert(old_key);
    return read_split_files();
  }

  // From 1.14.1 on values may stand in envs/*/*.env, each for some services; .env wins over them.
  Result<> read_split_files() {
    text_map all;
    for (const auto& path : files_below(found_.folder + "/envs", ".env")) {
      const auto values = read_env(path);
      if (!values) return fail(values.error());
      for (const auto& [key, value] : *values)
        if (const auto [at, fresh] = all.emplace(key, value); !fresh && at->second != value)
          found_.decide.push_back(key + " has several values below " + found_.folder +
                                  "/envs, each for some services; the first was taken, for all");
    }
    if (!all.empty())
      found_.decide.push_back("what stood in files below " + found_.folder +
                              "/envs goes to all services now, not to some");
    found_.facts.environment.merge(all);
    return {};
  }

  Result<> name_project() {
    auto& base = found_.facts.base;
    if (const auto engine = engine_of_this_shell(); !engine.empty()) base.engine_host = engine;
    base.project = wish_.project.empty() ? found_.project.name : wish_.project;
    const auto running = projects_run_from(base.engine_host, found_.folder);
    if (!running) {
      found_.decide.push_back("the engine at " + base.engine_host +
                              " could not be asked how the stack runs there: project " + base.project +
                              " is what docker compose would name it");
      return {};
    }
    if (running->empty() || running->contains(base.project)) return {};
    const std::string names = join({running->begin(), running->end()}, ", ");
    if (!wish_.project.empty()) {
      found_.decide.push_back("containers of this folder are of project " + names + ", not " + base.project +
                              ": remove them first, or two stacks use the same data");
      return {};
    }
    if (running->size() > 1)
      return fail("adopt-project",
                  "cannot tell the project: containers of " + found_.folder + " are of several: " + names,
                  "Name the one that serves: --project NAME, and remove the others");
    found_.decide.push_back("the project is " + names +
                            ", as its containers say; docker compose would name it " + base.project +
                            " in this folder");
    base.project = names;
    return {};
  }

  Result<> find_storage() {
    auto& storage = found_.facts.base.storage;
    std::string root = release::storage_of(found_.project);
    if (root.empty()) {
      root = found_.folder + "/volumes";
      found_.decide.push_back("the api's uploads do not lie in a folder app/storage: storage.root is " +
                              root + "; look where its data is");
    }
    std::error_code error;
    storage.root = fs::canonical(root, error);
    if (error)
      return fail(
          "adopt-folder",
          "cannot adopt " + found_.folder + ": its data should be in " + root + ": " + error.message(),
          "Start it once with docker compose, or mount its share");
    const auto mounts = host::read_mounts();
    if (!mounts) return fail(mounts.error());
    if (auto decision = read_mount(*mounts, storage); !decision.empty())
      found_.decide.push_back(std::move(decision));
    const auto key = found_.facts.environment.find("SECRET_KEY");
    if (key != found_.facts.environment.end() && !key->second.empty()) return {};
    if (const auto kept = read_file(storage.root + "/app/storage/.dify_secret_key", 4096))
      found_.facts.stored_secret_key = trim(*kept);
    return {};
  }

  // Certificates, edited templates: what the containers get from this folder and the release has not.
  void find_own_files() {
    if (!found_.bundle) return;
    const std::string here = found_.folder + "/", volumes = found_.folder + "/volumes";
    for (const auto& [name, service] : found_.project.services) {
      for (const auto& mount : service.volumes) {
        if (mount.type != "bind" || !mount.source.starts_with(here) || mount.source.starts_with(volumes))
          continue;
        if (is_file(mount.source))
          look_at_file(mount.source);
        else
          for (const auto& file : files_below(mount.source, "")) look_at_file(file);
      }
    }
  }

  void look_at_file(const std::string& file) {
    const std::string inside = file.substr(found_.folder.size() + 1);
    if (inside == "nginx/conf.d/default.conf") return;  // nginx writes it
    const auto ours = read_file(file, largest_text),
               published = read_file(found_.bundle->folder + "/" + inside, largest_text);
    if (ours && published && *ours == *published) return;
    if (std::ranges::find(found_.own_files, inside) == found_.own_files.end())
      found_.own_files.push_back(inside);
  }

  const adopt_wish& wish_;
  installation found_;
};

}  // namespace

std::string read_mount(const std::vector<host::mount>& mounts, config::storage_settings& storage) {
  const auto* holder = host::mount_holding(mounts, storage.root);
  if (!holder || !holder->fstype.starts_with("nfs")) return {};
  const std::size_t colon = holder->source.rfind(":/");
  if (holder->point != storage.root || colon == std::string::npos)
    return storage.root + " lies within the share that is mounted at " + holder->point +
           ": difyd cannot prove that the right share is there; mount that folder itself and set "
           "storage.kind, "
           "server and export";
  storage.kind = "nfs";
  storage.server = holder->source.substr(0, colon);
  storage.export_path = holder->source.substr(colon + 1);
  return {};
}

Result<installation> read_installation(const adopt_wish& wish, const std::string& secrets) {
  return surveying(wish, secrets).run();
}

}  // namespace difyd::cli
