#include "release_tree.hpp"

#include <sys/stat.h>

#include <algorithm>

#include "difyd/base/text.hpp"

namespace difyd::helper {
namespace {

constexpr std::size_t longest_name = 1024;
constexpr int longest_chain = 8;

std::unexpected<Error> refuse(const std::string& cause) {
  return fail("release-archive", cause, "Get the archive from where Dify is published");
}

// As it may be shown: a name may hold anything.
std::string quoted(std::string_view name) {
  std::string text;
  for (const char c : name.substr(0, 120)) text += static_cast<unsigned char>(c) < ' ' ? '?' : c;
  return "\"" + text + "\"";
}

// Without "." and doubled slashes.
Result<std::vector<std::string>> parts_of(const std::string& name) {
  if (name.empty() || name.size() > longest_name) return refuse("it holds a name that is empty or too long");
  if (name.front() == '/') return refuse("it holds " + quoted(name) + ", an absolute path");
  std::vector<std::string> parts;
  for (auto& part : split(name, '/')) {
    if (part == "..") return refuse("it holds " + quoted(name) + ", which leads out of its folder");
    if (!part.empty() && part != ".") parts.push_back(std::move(part));
  }
  return parts;
}

bool has_control_character(const std::string& name) {
  return std::ranges::any_of(name, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; });
}

}  // namespace

Result<bool> release_tree::admit(const entry& of) {
  current_ = nullptr;
  bytes_ += of.is == entry::kind::file ? std::min(of.size, limits_.bytes + 1) : 0;
  if (++entries_ > limits_.entries || bytes_ > limits_.bytes)
    return refuse("it is larger than any release: more than " + std::to_string(limits_.entries) +
                  " entries or " + bytes_text(limits_.bytes));
  auto parts = parts_of(of.name);
  if (!parts) return fail(parts.error());
  if (parts->empty()) return false;  // "./"
  if (top_.empty()) top_ = parts->front();
  if (parts->front() != top_)
    return refuse("it holds more than one folder: " + quoted(top_) + " and " + quoted(parts->front()));
  if (parts->size() < 3) {
    const bool docker = parts->size() == 1 || parts->back() == "docker";
    if (docker && of.is != entry::kind::folder) return refuse(quoted(of.name) + " in it is no folder");
    return false;
  }
  if ((*parts)[1] != "docker") return false;
  return admit_below(of, join({parts->begin() + 2, parts->end()}, "/"));
}

Result<bool> release_tree::admit_below(const entry& of, const std::string& path) {
  if (has_control_character(of.name))
    return refuse("it holds " + quoted(of.name) + ", which is no file name");
  if (of.is == entry::kind::folder) return false;
  if (of.is == entry::kind::special)
    return refuse(quoted(of.name) + " in it is neither a file nor a folder nor a link");
  if (files_.contains(path) || links_.contains(path)) return refuse("it holds " + quoted(of.name) + " twice");
  if (files_.size() + links_.size() >= limits_.docker_files)
    return refuse("its docker folder is larger than any release's: more than " +
                  std::to_string(limits_.docker_files) + " files");
  if (of.is == entry::kind::file) {
    if ((of.mode & (S_ISUID | S_ISGID)) != 0)
      return refuse(quoted(of.name) + " in it would run with the rights of another user");
    current_ = &files_[path];
    current_->mode = (of.mode & S_IXUSR) != 0 ? 0755 : 0644;
    return true;
  }
  const bool hard = of.is == entry::kind::hard_link;
  auto target = target_of(hard ? "" : path, of.target);
  if (!target) return fail(target.error());
  links_[path] = std::move(*target);
  return false;
}

// Path below docker that a link at `path` leads to; without a path, of a name of the archive.
Result<std::string> release_tree::target_of(const std::string& path, const std::string& target) const {
  const auto leaves = [&] {
    return refuse("it holds a link to " + quoted(target) + ", which is not in its docker folder");
  };
  std::vector<std::string> at;
  if (path.empty()) {
    auto parts = parts_of(target);
    if (!parts || parts->size() < 3 || parts->front() != top_ || (*parts)[1] != "docker") return leaves();
    return join({parts->begin() + 2, parts->end()}, "/");
  }
  at = split(path, '/');
  at.pop_back();
  if (target.empty() || target.front() == '/') return leaves();
  for (auto& part : split(target, '/')) {
    if (part == "..") {
      if (at.empty()) return leaves();
      at.pop_back();
    } else if (!part.empty() && part != ".") {
      at.push_back(std::move(part));
    }
  }
  return join(at, "/");
}

Result<> release_tree::add(std::string_view bytes) {
  docker_bytes_ += bytes.size();
  if (docker_bytes_ > limits_.docker_bytes)
    return refuse("its docker folder is larger than any release's: more than " +
                  bytes_text(limits_.docker_bytes));
  if (current_) current_->bytes += bytes;
  return {};
}

Result<> release_tree::resolve_links() {
  for (const auto& [path, target] : links_) {
    std::string at = target;
    for (int i = 0; i < longest_chain && links_.contains(at); ++i) at = links_.at(at);
    const auto found = files_.find(at);
    if (found == files_.end() || links_.contains(at))
      return refuse(quoted(path) + " in it is a link to " + quoted(target) +
                    ", which is no file of its docker folder");
    docker_bytes_ += found->second.bytes.size();
    if (docker_bytes_ > limits_.docker_bytes)
      return refuse("its docker folder is larger than any release's: more than " +
                    bytes_text(limits_.docker_bytes));
  }
  auto links = std::move(links_);
  for (const auto& [path, target] : links) {
    std::string at = target;
    while (links.contains(at)) at = links.at(at);
    files_[path] = content(files_.at(at));
  }
  return {};
}

Result<> release_tree::no_file_is_a_folder() const {
  for (const auto& [path, file] : files_)
    for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1))
      if (files_.contains(path.substr(0, slash)))
        return refuse("it holds " + quoted(path) + " below something that is no folder");
  return {};
}

Result<std::vector<tree_file>> release_tree::finish() {
  if (auto resolved = resolve_links(); !resolved) return fail(resolved.error());
  if (auto good = no_file_is_a_folder(); !good) return fail(good.error());
  if (files_.empty())
    return refuse("it has no docker folder below " + (top_.empty() ? "its one folder" : quoted(top_)));
  std::vector<tree_file> files;
  for (auto& [path, file] : files_) files.push_back({path, file.mode, std::move(file.bytes)});
  return files;
}

}  // namespace difyd::helper
