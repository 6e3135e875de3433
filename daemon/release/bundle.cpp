#include "difyd/release/bundle.hpp"

#include <algorithm>
#include <filesystem>

#include "difyd/base/durable_file.hpp"
#include "difyd/base/text.hpp"

namespace difyd::release {
namespace {

constexpr std::string_view prefix = "dify-";
constexpr std::size_t largest = 4u << 20;

std::string known_text(const std::string& source, const difyd::version& wanted) {
  std::vector<std::string> names;
  for (const auto& each : available(source)) names.push_back(each.text());
  return (names.empty() ? "There is no release in " + source
                        : "Known in " + source + ": " + join(names, ", ")) +
         ". Put dify-" + wanted.text() +
         ".tar.gz there, or set releases.url: difyd plan and difyd upgrade then unpack, or fetch, what they "
         "are asked for";
}

std::unexpected<Error> incomplete(const difyd::version& wanted, const std::string& what) {
  return fail("release-incomplete", "cannot use release " + wanted.text() + ": " + what + " is missing",
              "Unpack the release again");
}

}  // namespace

std::vector<difyd::version> available(const std::string& source) {
  std::vector<difyd::version> found;
  std::error_code error;
  for (const auto& each : std::filesystem::directory_iterator(source, error)) {
    const std::string name = each.path().filename();
    if (!name.starts_with(prefix)) continue;
    if (auto version = parse_version(name.substr(prefix.size()))) found.push_back(*version);
  }
  std::ranges::sort(found);
  return found;
}

std::string api_image_tag(std::string_view compose_text) {
  constexpr std::string_view image = "langgenius/dify-api:";
  constexpr std::string_view tag_letters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
  const std::size_t at = compose_text.find(image);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = compose_text.substr(at + image.size());
  return std::string(rest.substr(0, rest.find_first_not_of(tag_letters)));
}

Result<bundle> check_bundle(const difyd::version& wanted, const std::string& folder,
                            const file_reader& read) {
  bundle found;
  found.version = wanted;
  found.folder = folder;
  Result<std::string> compose = fail("file-missing", "");
  for (const char* name : {"docker-compose.yaml", "docker-compose.yml", "compose.yaml", "compose.yml"}) {
    compose = read(name);
    found.compose_file = name;
    if (compose || compose.error().code != "file-missing") break;
  }
  if (!compose && compose.error().code == "file-missing")
    return incomplete(wanted, folder + "/docker-compose.yaml");
  if (!compose) return fail(compose.error());
  auto example = read(".env.example");
  if (!example) return incomplete(wanted, folder + "/.env.example");
  found.env_example = std::move(*example);
  const std::string tag = api_image_tag(*compose);
  if (tag != wanted.text())
    return fail(
        "release-mismatch",
        "cannot use release " + wanted.text() + ": " + folder + "/" + found.compose_file +
            (tag.empty() ? " names no image langgenius/dify-api" : " names the api image of version " + tag),
        "Unpack the release of that version there");
  found.layout = compose->find("env_file:") == std::string::npos ? layout::named_keys : layout::env_file;
  return found;
}

Result<bundle> find_bundle(const std::string& source, const difyd::version& wanted) {
  const std::string root = source + "/" + std::string(prefix) + wanted.text();
  std::error_code error;
  if (!std::filesystem::is_directory(root, error))
    return fail("release-unknown", "cannot find release " + wanted.text() + ": there is no folder " + root,
                known_text(source, wanted));
  const std::string folder = root + "/docker";
  return check_bundle(wanted, folder, [&](const std::string& name) -> Result<std::string> {
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(folder + "/" + name, ignored))
      return fail("file-missing", "there is no " + folder + "/" + name);
    return read_file(folder + "/" + name, largest);
  });
}

}  // namespace difyd::release
