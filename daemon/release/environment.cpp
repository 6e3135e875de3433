#include "difyd/release/environment.hpp"

#include <algorithm>

#include "derived.hpp"
#include "difyd/base/sha256.hpp"
#include "difyd/base/text.hpp"
#include "difyd/compose/load.hpp"

namespace difyd::release {
namespace {

// A project of one service around a text, so that docker compose's own grammar reads it.
class text_reader final : public compose::reader {
 public:
  explicit text_reader(std::string_view text) : text_(text) {}
  Result<std::string> read_file(const std::string& path) const override {
    if (path == "/environment/.env") return std::string(text_);
    if (path == "/environment/compose.yaml") return std::string("name: x\nservices: {x: {image: x}}\n");
    return fail("file-not-found", "cannot read " + path + ": no such file");
  }
  bool exists(const std::string& path) const override {
    return path == "/environment/.env" || path == "/environment/compose.yaml";
  }

 private:
  std::string_view text_;
};

std::string_view key_of(std::string_view line) {
  const std::size_t start = line.find_first_not_of(" \t");
  if (start == std::string_view::npos || line[start] == '#') return {};
  line.remove_prefix(start);
  if (line.starts_with("export ")) line.remove_prefix(7);
  return trim(line.substr(0, std::min(line.find('='), line.find(':'))));
}

// Lines of the example with new values in their place; keys that it does not have follow.
std::string rewrite(std::string_view example, const text_map& values) {
  std::string out;
  std::set<std::string, std::less<>> placed;
  while (!example.empty()) {
    const std::size_t end = std::min(example.find('\n'), example.size());
    std::string_view line = example.substr(0, end);
    example.remove_prefix(std::min(end + 1, example.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto value = values.find(key_of(line));
    if (value == values.end()) {
      out.append(line);
    } else {
      out += assignment(value->first, value->second);
      placed.insert(value->first);
    }
    out += '\n';
  }
  bool first = true;
  for (const auto& [key, value] : values) {
    if (placed.contains(key)) continue;
    if (std::exchange(first, false)) out += "\n# Added by difyd.\n";
    out += assignment(key, value) + "\n";
  }
  return out;
}

const std::string* find(const text_map& map, std::string_view key) {
  const auto each = map.find(key);
  return each == map.end() ? nullptr : &each->second;
}

void carry(text_map& values, const text_map& in_force, const text_map& published,
           std::vector<std::string>& carried) {
  for (const auto& key : carried_keys()) {
    const std::string* old = find(in_force, key);
    if (!old) continue;
    const std::string* now = find(published, key);
    if (now && *now == *old) continue;
    values[key] = *old;
    carried.push_back(key);
  }
}

void warn_about_secret_key(secret_key key, std::vector<std::string>& warnings) {
  constexpr const char* remedy = ": give your own below environment_files, and keep it for ever";
  if (key == secret_key::empty)
    warnings.push_back(std::string("SECRET_KEY is empty, so services may each make one of their own") +
                       remedy);
  else if (key == secret_key::published)
    warnings.push_back(std::string("SECRET_KEY is the release's public default") + remedy);
}

// Settings of earlier releases that end a migration midway (Dify FACTS i.20).
void warn_about_timeouts(const text_map& values, std::vector<std::string>& warnings) {
  const std::string* limit = find(values, "POSTGRES_STATEMENT_TIMEOUT");
  if (limit && !limit->empty() && *limit != "0")
    warnings.push_back("POSTGRES_STATEMENT_TIMEOUT is " + *limit +
                       ": the bundled database ends longer statements, migrations included");
}

Result<> check_database_type(const text_map& values) {
  const std::string* type = find(values, "DB_TYPE");
  if (!type || *type == "postgresql") return {};
  return fail("database-unsupported", "cannot use DB_TYPE " + *type + ": difyd supports PostgreSQL only",
              "Remove DB_TYPE from environment");
}

}  // namespace

secret_key judge_secret_key(const text_map& values, const text_map& published) {
  constexpr std::string_view former = "sk-9f73s3ljTXVcMT3Blb3ljTqtsKiGHXVcMT3BlbkFJLK7U";
  const std::string* key = find(values, "SECRET_KEY");
  if (!key || key->empty()) return secret_key::empty;
  const std::string* known = find(published, "SECRET_KEY");
  return *key == former || (known && *known == *key) ? secret_key::published : secret_key::own;
}

const std::set<std::string, std::less<>>& carried_keys() {
  // DB_USERNAME and DB_PASSWORD: a bundled database keeps those that it was made with.
  static const std::set<std::string, std::less<>> keys = {
      "SECRET_KEY",      "PLUGIN_DAEMON_KEY", "PLUGIN_DIFY_INNER_API_KEY",
      "SANDBOX_API_KEY", "PASSWORD_PEPPER",   "STORAGE_TYPE",
      "OPENDAL_SCHEME",  "OPENDAL_FS_ROOT",   "VECTOR_INDEX_NAME_PREFIX",
      "VECTOR_STORE",    "DB_USERNAME",       "DB_PASSWORD"};
  return keys;
}

bool is_secret(std::string_view key) { return config::names_secret(key); }

Result<text_map> read_environment(std::string_view text) {
  const text_reader reader(text);
  compose::source from;
  from.files = {"/environment/compose.yaml"};
  from.env_files = {"/environment/.env"};
  from.project_directory = "/environment";
  from.project_name = "x";
  from.cwd = "/environment";
  auto read = compose::load(from, reader);
  if (!read)
    return fail("environment-invalid", "cannot read the environment: " + read.error().message,
                read.error().remedy);
  text_map values = std::move(read->project.environment);
  // The loader adds the project's name, which is ours here.
  if (text.find("COMPOSE_PROJECT_NAME") == std::string_view::npos) values.erase("COMPOSE_PROJECT_NAME");
  return values;
}

Result<effective_environment> derive_environment(std::string_view env_example,
                                                 const config::settings& settings,
                                                 const std::optional<std::string>& in_force) {
  effective_environment result;
  const auto published = read_environment(env_example);
  if (!published) return fail(published.error());
  text_map values;
  if (in_force) {
    const auto old = read_environment(*in_force);
    if (!old) return fail(old.error());
    carry(values, *old, *published, result.carried);
  }
  auto own = derived(settings, *published, env_example);
  if (!own) return fail(std::move(own.error()));
  for (auto& [key, value] : *own) values[key] = std::move(value);
  for (const auto& [key, value] : settings.environment) values[key] = value;
  for (const auto& [key, value] : settings.secret_environment) values[key] = value.reveal();

  result.text = rewrite(env_example, values);
  auto read_back = read_environment(result.text);
  if (!read_back) return fail(std::move(read_back.error()));
  for (const auto& [key, value] : values)
    if (const std::string* seen = find(*read_back, key); !seen || *seen != value)
      return fail("environment-invalid",
                  "cannot write " + key + " into the environment: it would not be read back as given");
  if (auto good = check_database_type(*read_back); !good) return fail(std::move(good.error()));
  std::erase_if(result.carried, [&](const std::string& key) {
    return settings.environment.contains(key) || settings.secret_environment.contains(key);
  });
  result.values = std::move(*read_back);
  result.hash = sha256_hex(result.text);
  result.secret_key = judge_secret_key(result.values, *published);
  warn_about_secret_key(result.secret_key, result.warnings);
  warn_about_timeouts(result.values, result.warnings);
  return result;
}

}  // namespace difyd::release
