// References to images, and what their registries want to see.
#include <algorithm>

#include "difyd/engine/image.hpp"
#include "json.hpp"

namespace difyd::engine {
namespace {

std::unexpected<Error> invalid(std::string_view reference, const std::string& cause) {
  return fail("image-reference-invalid",
              "cannot use the image reference \"" + std::string(reference) + "\": " + cause);
}

bool is_digest(std::string_view text) {
  const auto colon = text.find(':');
  return colon != text.npos && colon > 0 && text.size() - colon > 32 &&
         text.find_first_not_of("0123456789abcdef", colon + 1) == text.npos;
}

bool is_tag(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  };
  return !text.empty() && text.size() <= 128 && text[0] != '.' && text[0] != '-' &&
         std::ranges::all_of(text, allowed);
}

// The first component is a registry if it has a dot or a port, is localhost, or has capitals.
bool is_registry(std::string_view part) {
  return part.find_first_of(".:") != part.npos || part == "localhost" ||
         std::ranges::any_of(part, [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool is_path(std::string_view path) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-' || c == '/';
  };
  return !path.empty() && path.front() != '/' && path.back() != '/' && path.find("//") == path.npos &&
         std::ranges::all_of(path, allowed);
}

std::string base64url(std::string_view bytes) {
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string result;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = (group << 8) | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) result += k <= count ? digits[(group >> (18 - 6 * k)) & 63] : '=';
  }
  return result;
}

}  // namespace

Result<image_reference> parse_reference(std::string_view whole) {
  image_reference result;
  std::string_view rest = whole;
  if (const auto at = rest.find('@'); at != rest.npos) {
    result.digest = rest.substr(at + 1);
    rest = rest.substr(0, at);
    if (!is_digest(result.digest)) return invalid(whole, "what follows the @ is no digest");
  }
  const auto colon = rest.rfind(':');
  if (colon != rest.npos && rest.find('/', colon) == rest.npos) {
    result.tag = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
    if (!is_tag(result.tag)) return invalid(whole, "its tag is malformed");
  }
  const auto slash = rest.find('/');
  const bool hosted = slash != rest.npos && is_registry(rest.substr(0, slash));
  if (!is_path(hosted ? rest.substr(slash + 1) : rest))
    return invalid(whole, "a name has lower-case letters, digits and separators only");
  result.name = rest;
  return result;
}

std::string to_text(const image_reference& reference) {
  return reference.name + (reference.tag.empty() ? "" : ":" + reference.tag) +
         (reference.digest.empty() ? "" : "@" + reference.digest);
}

std::string registry_of(std::string_view name) {
  const auto slash = name.find('/');
  const std::string_view first = name.substr(0, slash);
  const bool hosted = slash != name.npos && is_registry(first);
  if (!hosted || first == "docker.io" || first == "index.docker.io") return "https://index.docker.io/v1/";
  return std::string(first);
}

std::string registry_auth(std::string_view json_text) { return base64url(json_text); }

std::string registry_auth(std::string_view user, std::string_view password, std::string_view server) {
  return base64url(dump(json{{"username", user}, {"password", password}, {"serveraddress", server}}));
}

}  // namespace difyd::engine
