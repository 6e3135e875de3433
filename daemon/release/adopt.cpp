#include "difyd/release/adopt.hpp"

#include <algorithm>

#include "adopt_settings.hpp"
#include "difyd/base/text.hpp"

namespace difyd::release {
namespace {

const std::string* find(const text_map& map, std::string_view key) {
  const auto each = map.find(key);
  return each == map.end() ? nullptr : &each->second;
}

// https://user:password@host
bool url_with_password(const std::string& value) {
  const std::size_t scheme = value.find("://");
  if (scheme == std::string::npos) return false;
  const std::string host = value.substr(scheme + 3, value.find('/', scheme + 3) - scheme - 3);
  const std::size_t at = host.rfind('@');
  return at != std::string::npos && host.find(':') < at;
}

bool holds_secret(const std::string& key, const std::string& value) {
  return is_secret(key) || url_with_password(value);
}

std::string shown(const std::string& key, const std::string& value) {
  return value.empty() || !holds_secret(key, value) ? value : "(secret)";
}

// What a configuration takes below environment: dotenv knows stranger names.
bool good_name(const std::string& key) {
  const auto good = [](char c) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  };
  return !key.empty() && !(key[0] >= '0' && key[0] <= '9') && std::ranges::all_of(key, good);
}

class adopting {
 public:
  explicit adopting(const adoption_facts& facts) : facts_(facts), environment_(facts.environment) {}

  Result<adoption> run() {
    auto published = read_environment(facts_.env_example);
    if (!published) return fail(std::move(published.error()));
    published_ = std::move(*published);
    out_.made.settings = facts_.base;
    out_.made.folder = facts_.secrets;
    correct();
    if (auto read = read_settings(corrected(), published_, out_); !read) return fail(std::move(read.error()));
    auto derived = made();
    if (!derived) return fail(std::move(derived.error()));
    read_profiles(facts_, (*derived)["COMPOSE_PROFILES"], out_.made.settings);
    if (auto done = override_what_differs(); !done) return fail(std::move(done.error()));
    keep_secret_key();
    const auto now = made();
    if (!now) return fail(now.error());
    sort_out(*now);
    warn();
    return std::move(out_);
  }

 private:
  adoption_facts corrected() const {
    auto facts = facts_;
    facts.environment = environment_;
    return facts;
  }

  // What is in force although the .env says something else.
  void correct() {
    text_map keys = published_;
    keys.insert(facts_.environment.begin(), facts_.environment.end());
    for (const auto& [key, value] : keys)
      if (const auto* given = find(facts_.given_to_api, key))
        correct_to(key, *given, "what its compose file gives the api");
    if (!facts_.published_port.empty())
      correct_to("EXPOSE_NGINX_PORT", facts_.published_port, "the port that its compose file publishes");
    const auto* secret = find(environment_, "SECRET_KEY");
    if (!facts_.stored_secret_key.empty() && (!secret || secret->empty())) {
      environment_["SECRET_KEY"] = facts_.stored_secret_key;
      change("SECRET_KEY", "", "the one that the api wrote to app/storage/.dify_secret_key, and so far used",
             facts_.stored_secret_key);
    }
  }

  void correct_to(const std::string& key, const std::string& value, const char* why) {
    const auto *given = find(environment_, key), *usual = find(published_, key);
    const std::string before = given ? *given : usual ? *usual : "";
    if (before == value) return;
    environment_[key] = value;
    change(key, before, why, value);
  }

  void change(const std::string& key, const std::string& before, const std::string& why,
              const std::string& now) {
    out_.report.changed.push_back({key, shown(key, before), shown(key, now), why});
  }

  Result<text_map> made() const {
    auto settings = read_back(out_.made, {});
    if (!settings) return fail(std::move(settings.error()));
    auto environment = derive_environment(facts_.env_example, *settings, std::nullopt);
    if (!environment) return fail(std::move(environment.error()));
    return std::move(environment->values);
  }

  // One override may move other keys, whose published value refers to it: again until nothing differs.
  Result<> override_what_differs() {
    for (;;) {
      auto now = made();
      if (!now) return fail(std::move(now.error()));
      bool moved = false;
      for (const auto& [key, value] : environment_) {
        if (told_.contains(key)) continue;
        const auto* is = find(*now, key);
        if (is && *is == value) continue;
        if (!is && does_nothing(key)) {
          told_.insert(key);
        } else if (!config::may_override(key)) {
          cannot(key, value, is ? *is : "", why_not(key, *now));
        } else if (!overridden_.insert(key).second || !add_override(key, value)) {
          remove_override(key);
          cannot(key, value, is ? *is : "", "it cannot be written into a configuration");
        } else {
          moved = true;
        }
      }
      if (!moved) return {};
    }
  }

  // Given in any case, also where it is the release's own: without the former .env nothing else says that it
  // is the one in force, and a start that cannot tell makes none up.
  void keep_secret_key() {
    constexpr const char* key = "SECRET_KEY";
    const auto *given = find(environment_, key), *usual = find(published_, key);
    const auto* value = given ? given : usual;
    if (value && overridden_.insert(key).second) (void)add_override(key, *value);
  }

  // Known to other releases only, and this one hands it to no container.
  bool does_nothing(const std::string& key) const {
    return facts_.known_elsewhere.contains(key) && !facts_.named.contains(key) && !facts_.whole_env;
  }

  void cannot(const std::string& key, const std::string& before, const std::string& now, std::string why) {
    change(key, before, why, now);
    told_.insert(key);
  }

  bool add_override(const std::string& key, const std::string& value) {
    auto& settings = out_.made.settings;
    if (!good_name(key)) return false;
    if (value.empty() || !holds_secret(key, value)) {
      settings.environment[key] = value;
      return true;
    }
    // What stands in a file loses its last line ends.
    if (value.ends_with('\n') || value.ends_with('\r')) return false;
    settings.environment_files[key] = out_.made.keep(key, value);
    return true;
  }

  void remove_override(const std::string& key) {
    out_.made.settings.environment.erase(key);
    out_.made.settings.environment_files.erase(key);
    std::erase_if(out_.made.files,
                  [&](const secret_file& each) { return each.path == out_.made.folder + "/" + key; });
  }

  std::string why_not(const std::string& key, const text_map& now) const {
    if (key == "MIGRATION_ENABLED") return "difyd runs migrations itself, once, before anything starts";
    if (key == "COMPOSE_PROJECT_NAME") return "it is the key project now";
    if (key == "COMPOSE_FILE") return "difyd runs the release's own compose file";
    if (key == "COMPOSE_PROFILES") {
      const auto count = [](const std::string& text) { return std::ranges::count(text, ','); };
      const auto* is = find(now, key);
      return is && count(*is) == count(facts_.environment.at(key))
                 ? "the same profiles"
                 : "difyd enables the release's own database by its profile";
    }
    if (key == "DB_HOST") return "the release has no service of that name";
    if (key.starts_with("REDIS_") && out_.made.settings.redis.kind == "bundled")
      return "difyd has no key for it where Redis is the release's own";
    if (key.starts_with("DB_") && out_.made.settings.database.kind == "bundled")
      return "difyd has no key for it where the database is the release's own";
    return "difyd sets it from a key of its own";
  }

  void sort_out(const text_map& now) {
    auto& report = out_.report;
    for (const auto& [key, value] : out_.made.settings.environment) report.overrides.push_back(key);
    for (const auto& [key, value] : out_.made.settings.environment_files) report.secrets.push_back(key);
    for (const auto& [key, value] : environment_) {
      // Known to the release, or to difyd, which sets it.
      if (published_.contains(key) || facts_.named.contains(key) || !config::may_override(key)) continue;
      const auto& made = out_.made.settings;
      const bool overridden = made.environment.contains(key) || made.environment_files.contains(key);
      if (!overridden && (now.contains(key) || !facts_.known_elsewhere.contains(key))) continue;
      (facts_.known_elsewhere.contains(key) ? report.obsolete : report.unknown).push_back(key);
    }
    for (const auto& [key, value] : published_)
      if (!environment_.contains(key) && config::may_override(key)) report.defaulted.push_back(key);
    std::ranges::sort(report.changed, {}, &changed_key::key);
  }

  // Secrets that everybody can read in the release's .env.example.
  std::string public_secrets() const {
    std::vector<std::string> names;
    for (const char* key : {"DB_PASSWORD", "REDIS_PASSWORD", "PLUGIN_DAEMON_KEY", "PLUGIN_DIFY_INNER_API_KEY",
                            "SANDBOX_API_KEY", "DIFY_AGENT_SERVER_SECRET_KEY"}) {
      const auto *given = find(environment_, key), *usual = find(published_, key);
      if (usual && !usual->empty() && (!given || *given == *usual)) names.emplace_back(key);
    }
    return join(names, " ");
  }

  void warn() {
    auto& decide = out_.report.decide;
    text_map values = published_;
    for (const auto& [key, value] : environment_) values[key] = value;
    switch (judge_secret_key(values, published_)) {
      case secret_key::published:
        decide.push_back(
            "SECRET_KEY is the release's public default: sessions and links can be forged. A new one ends "
            "all "
            "sessions and makes stored credentials of OAuth clients unreadable");
        break;
      case secret_key::empty:
        decide.push_back(
            "SECRET_KEY is empty and the storage has none: services may each make one of their own; give one "
            "below environment_files");
        break;
      case secret_key::own:
        break;
    }
    if (const auto names = public_secrets(); !names.empty())
      decide.push_back("still the release's public default: " + names);
    if (out_.made.settings.profiles)
      decide.push_back("profiles are fixed to " + join(*out_.made.settings.profiles, ",") +
                       ", as in COMPOSE_PROFILES: remove the key profiles to have difyd derive them");
  }

  const adoption_facts& facts_;
  text_map environment_;
  text_map published_;
  adoption out_;
  name_set overridden_, told_;
};

}  // namespace

Result<adoption> adopt(const adoption_facts& facts) { return adopting(facts).run(); }

}  // namespace difyd::release
