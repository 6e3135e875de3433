#include <filesystem>

#include "copy.hpp"
#include "difyd/compose/load.hpp"
#include "difyd/release/roles.hpp"
#include "difyd/release/working_copy.hpp"

namespace difyd::release {
namespace {

// Shows a bundle's files where the working copy will be, with the overlay and the .env that it will have.
class preview_reader final : public compose::reader {
 public:
  preview_reader(const bundle& from, const overlay& over, std::string folder, const std::string& environment)
      : from_(from), over_(over), folder_(std::move(folder)), environment_(environment) {}

  Result<std::string> read_file(const std::string& path) const override {
    if (path == folder_ + "/.env") return environment_;
    if (const auto* file = laid_over(path)) return file->bytes;
    return disk_.read_file(mapped(path));
  }
  bool exists(const std::string& path) const override {
    return path == folder_ + "/.env" || laid_over(path) || disk_.exists(mapped(path));
  }

 private:
  const tree_file* laid_over(const std::string& path) const {
    for (const auto& file : over_)
      if (path == folder_ + "/" + file.path) return &file;
    return nullptr;
  }
  std::string mapped(const std::string& path) const {
    return path.starts_with(folder_ + "/") ? from_.folder + path.substr(folder_.size()) : path;
  }

  const bundle& from_;
  const overlay& over_;
  std::string folder_;
  const std::string& environment_;
  compose::disk_reader disk_;
};

std::string variable_of(const compose::service& service, std::string_view name) {
  const auto each = service.environment.find(name);
  return each == service.environment.end() ? "" : each->second.value_or("");
}

// What the api will really connect to, after every layer of the environment.
Result<> check_database(const compose::project& project, const config::settings& settings) {
  const auto api = project.services.find(api_service(project));
  if (api == project.services.end())
    return fail("release-unsupported", "cannot use the project " + project.name + ": it has no api service");
  const std::string type = variable_of(api->second, "DB_TYPE");
  if (!type.empty() && type != "postgresql")
    return fail("database-unsupported", "cannot use DB_TYPE " + type + ": difyd supports PostgreSQL only");
  const std::string host = variable_of(api->second, "DB_HOST");
  if (settings.database.kind == "bundled" && !project.services.contains(host))
    return fail(
        "database-not-in-stack",
        "cannot use the bundled database: DB_HOST is \"" + host + "\" and no enabled service has that name",
        "Correct database.host or profiles, or set database.kind to external");
  return {};
}

Result<compose::loaded> load_project(const config::settings& settings, const std::string& folder,
                                     const std::string& compose_file, const compose::reader& files) {
  compose::source from;
  from.files = {folder + "/" + compose_file};
  from.project_directory = folder;
  from.project_name = settings.project;
  from.cwd = folder;
  // No environment: what this process was started with must not change the stack.
  auto loaded = compose::load(from, files);
  if (!loaded) return loaded;
  compose::drop_provided_services(loaded->project);
  compose::drop_unused_resources(loaded->project);
  if (auto good = check_database(loaded->project, settings); !good) return fail(std::move(good.error()));
  return loaded;
}

std::string compose_file_in(const std::string& folder) {
  for (const char* name : {"docker-compose.yaml", "docker-compose.yml", "compose.yaml", "compose.yml"})
    if (std::error_code error; std::filesystem::exists(folder + "/" + name, error)) return name;
  return "docker-compose.yaml";
}

struct outline {
  bundle from;
  release made;
};

// What both assemble and preview need first.
Result<outline> outline_of(const config::settings& settings, const difyd::version& which,
                           const std::optional<std::string>& in_force, const overlay& over) {
  auto from = find_bundle(settings.releases.source, which);
  if (!from) return fail(std::move(from.error()));
  if (auto fits = check_overlay_fits(over, from->folder); !fits) return fail(std::move(fits.error()));
  auto environment = derive_environment(from->env_example, settings, in_force);
  if (!environment) return fail(std::move(environment.error()));
  auto hash = hash_of(from->folder);
  if (!hash) return fail(std::move(hash.error()));
  outline out;
  out.made.version = which;
  out.made.folder = working_copy(settings, which);
  out.made.bundle = from->folder;
  out.made.bundle_hash = std::move(*hash);
  out.made.laid_over = over;
  out.made.environment = std::move(*environment);
  out.made.warnings = out.made.environment.warnings;
  out.from = std::move(*from);
  return out;
}

release finished(release made, compose::loaded loaded) {
  made.project = std::move(loaded.project);
  for (auto& each : loaded.warnings) made.warnings.push_back(std::move(each));
  return made;
}

}  // namespace

Result<compose::project> resolve(const config::settings& settings, const difyd::version& which,
                                 const std::string& folder) {
  const compose::disk_reader disk;
  auto loaded = load_project(settings, folder, compose_file_in(folder), disk);
  if (!loaded) return fail(std::move(loaded.error()));
  const std::string image = image_of(loaded->project, api_service(loaded->project));
  if (!image.ends_with(":" + which.text()))
    return fail("release-mismatch",
                "cannot use " + folder + ": its api image is " + image + ", not version " + which.text());
  return std::move(loaded->project);
}

Result<release> assemble(const config::settings& settings, const difyd::version& which,
                         const std::optional<std::string>& in_force, const overlay& over) {
  auto out = outline_of(settings, which, in_force, over);
  if (!out) return fail(std::move(out.error()));
  auto folder = prepare(out->from, over, settings, out->made.environment);
  if (!folder) return fail(std::move(folder.error()));
  const compose::disk_reader disk;
  auto loaded = load_project(settings, *folder, out->from.compose_file, disk);
  if (!loaded) return fail(std::move(loaded.error()));
  return finished(std::move(out->made), std::move(*loaded));
}

Result<release> preview(const config::settings& settings, const difyd::version& which,
                        const std::optional<std::string>& in_force, const overlay& over) {
  auto out = outline_of(settings, which, in_force, over);
  if (!out) return fail(std::move(out.error()));
  const preview_reader files(out->from, over, out->made.folder, out->made.environment.text);
  auto loaded = load_project(settings, out->made.folder, out->from.compose_file, files);
  if (!loaded) return fail(std::move(loaded.error()));
  return finished(std::move(out->made), std::move(*loaded));
}

}  // namespace difyd::release
