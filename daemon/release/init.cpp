#include "difyd/release/init.hpp"

#include <algorithm>

namespace difyd::release {
namespace {

enum class shape {
  base64_42,     // as Dify's documentation has it: openssl rand -base64 42
  base64url_32,  // what the agents' server decodes: 32 bytes, without padding
  word           // letters and digits: it meets command lines, URLs and headers
};

// One secret, under every name that it has: both sides must know the same.
struct generated {
  std::vector<const char*> keys;
  shape how = shape::word;
  const char* vector = "";  // only with this vector store
};

const std::vector<generated>& all_generated() {
  static const std::vector<generated> all = {
      {{"SECRET_KEY"}, shape::base64_42},
      {{"PLUGIN_DAEMON_KEY"}, shape::base64_42},
      {{"PLUGIN_DIFY_INNER_API_KEY", "INNER_API_KEY_FOR_PLUGIN"}, shape::base64_42},
      {{"SANDBOX_API_KEY", "CODE_EXECUTION_API_KEY"}},
      {{"WEAVIATE_API_KEY", "WEAVIATE_AUTHENTICATION_APIKEY_ALLOWED_KEYS"}, shape::word, "weaviate"},
      {{"QDRANT_API_KEY"}, shape::word, "qdrant"},
      {{"DIFY_AGENT_SERVER_SECRET_KEY"}, shape::base64url_32},
      {{"DIFY_AGENT_SHELLCTL_AUTH_TOKEN"}},
  };
  return all;
}

std::string word(const random_source& random) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  constexpr std::size_t length = 32;
  constexpr unsigned even = 256 / letters.size() * letters.size();  // a rest would make some likelier
  std::string text;
  while (text.size() < length)
    for (const char c : random(length))
      if (const auto byte = static_cast<unsigned char>(c); byte < even && text.size() < length)
        text += letters[byte % letters.size()];
  return text;
}

std::string make(shape how, const random_source& random) {
  if (how == shape::word) return word(random);
  if (how == shape::base64_42) return base64(random(42));
  std::string text = base64(random(32));
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text.substr(0, text.find('='));
}

}  // namespace

std::string base64(std::string_view bytes) {
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    unsigned group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = (group << 8) | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) text += k <= count ? digits[(group >> (18 - 6 * k)) & 63] : '=';
  }
  return text;
}

Result<initial> init(const init_facts& facts, const random_source& random) {
  const auto published = read_environment(facts.env_example);
  if (!published) return fail(published.error());
  initial out;
  out.made.settings = facts.wanted;
  out.made.folder = facts.secrets;
  auto& settings = out.made.settings;
  const auto give_password = [&](std::string& file, const char* name) {
    if (file.empty()) file = out.made.keep(name, word(random));
  };
  if (settings.database.kind == "bundled")
    give_password(settings.database.password_file, "database.password");
  if (settings.redis.kind == "bundled") give_password(settings.redis.password_file, "redis.password");
  const bool own_pgvector = settings.vector.kind == "pgvector" && settings.vector.host.empty();
  if (own_pgvector) give_password(settings.vector.password_file, "vector.password");

  for (const auto& each : all_generated()) {
    if (*each.vector && settings.vector.kind != each.vector) continue;
    std::string file;
    for (const char* key : each.keys) {
      if (!published->contains(key) && !facts.named.contains(key)) continue;
      if (file.empty()) file = out.made.keep(key, make(each.how, random));
      settings.environment_files[key] = file;
    }
  }
  const bool known_store = own_pgvector || !settings.vector.host.empty() ||
                           settings.vector.kind == "weaviate" || settings.vector.kind == "qdrant";
  if (!known_store)
    out.notes.push_back("no password was made for the vector store " + settings.vector.kind +
                        ": its keys in .env.example are public; give your own below environment_files");
  return out;
}

}  // namespace difyd::release
