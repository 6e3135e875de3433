#include "download.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>
#include <utility>

#include "archive.hpp"
#include "difyd/base/durable_file.hpp"
#include "difyd/base/sha256.hpp"
#include "difyd/base/text.hpp"
#include "difyd/base/url.hpp"

namespace difyd::helper {
namespace {

using nlohmann::json;

constexpr int tries_without_a_byte = 3;
constexpr std::size_t largest_sums = 256u << 10;

std::unexpected<Error> cannot(const std::string& what, int cause = errno) {
  const bool full = cause == ENOSPC || cause == EDQUOT;
  return fail(full ? "disk-full" : "file-io", "cannot " + what + ": " + std::strerror(cause),
              full ? "Free space there" : "");
}

std::unexpected<Error> answered(const std::string& url, long status) {
  const std::string said =
      "cannot fetch " + public_url(url) + ": the server answered " + std::to_string(status);
  switch (status) {
    case 404:
    case 410:
      return fail("release-unknown", said + ", there is no such file",
                  "Is there a release of that version? If so, correct releases.url");
    case 401:
    case 403:
      return fail("release-fetch", said, "Give user and password that may read it in releases.url");
    case 407:
      return fail("release-fetch", said, "Give the proxy's user and password in releases.proxy");
    default:
      return fail("release-fetch", said,
                  status >= 500 || status == 429 ? "Try again later" : "Correct releases.url");
  }
}

// The partial file and what it is a part of.
class partial {
 public:
  partial(const download& what) : what_(what), path_(what.folder + "/." + what.name + ".part") {}
  partial(const partial&) = delete;
  partial& operator=(const partial&) = delete;
  ~partial() {
    if (fd_ >= 0) ::close(fd_);
  }

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }
  const std::string& validator() const { return validator_; }

  // Opened for us alone; another helper's download of the same is waited for.
  Result<> open() {
    for (;;) {
      fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
      if (fd_ < 0) return cannot("write " + path_);
      while (::flock(fd_, LOCK_EX) != 0)
        if (errno != EINTR) return cannot("lock " + path_);
      struct stat ours {
      }, there{};
      if (::fstat(fd_, &ours) != 0) return cannot("read " + path_);
      if (::stat(path_.c_str(), &there) == 0 && there.st_ino == ours.st_ino) {
        size_ = static_cast<std::uint64_t>(ours.st_size);
        return recall();
      }
      ::close(fd_);  // the other one was done with it
    }
  }

  // What comes next is the first byte of a file that `validator` identifies.
  Result<> begin(const std::string& validator) {
    if (::ftruncate(fd_, 0) != 0) return cannot("write " + path_);
    size_ = 0;
    validator_ = validator;
    // Without its note a part is worth nothing, so it need not outlive a power cut.
    return replace_file(note(), json{{"url", sha256_hex(what_.url)}, {"validator", validator}}.dump(), 0600);
  }

  Result<> append(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(size_));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return cannot("write " + path_);
      size_ += static_cast<std::uint64_t>(count);
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
  }

  void remove() {
    ::unlink(note().c_str());
    ::unlink(path_.c_str());
  }

  Result<> publish() {
    const std::string target = what_.folder + "/" + what_.name;
    if (::fchmod(fd_, 0644) != 0 || ::fsync(fd_) != 0 || ::rename(path_.c_str(), target.c_str()) != 0)
      return cannot("write " + target);
    ::unlink(note().c_str());
    const int folder = ::open(what_.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = folder >= 0 && ::fsync(folder) == 0;
    const int cause = errno;
    if (folder >= 0) ::close(folder);
    return synced ? Result<>{} : cannot("write " + target, cause);
  }

 private:
  std::string note() const { return path_ + ".json"; }

  // Of another URL, or of nobody knows what, it is none.
  Result<> recall() {
    const auto text = difyd::read_file(note(), 64u << 10);
    const auto noted = json::parse(text.value_or(""), nullptr, false);
    validator_.clear();
    if (noted.is_object() && noted.value("url", "") == sha256_hex(what_.url))
      validator_ = noted.value("validator", "");
    if (validator_.empty()) size_ = 0;
    return {};
  }

  const download& what_;
  std::string path_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
  std::string validator_;
};

std::unexpected<Error> too_large(const download& what) {
  return fail("release-fetch",
              "cannot fetch " + public_url(what.url) + ": it is larger than " + bytes_text(what.largest),
              "Correct releases.url");
}

struct attempt {
  std::optional<Error> error;  // nullopt: the file is whole
  bool again = false;          // another request may bring the rest
  bool spoiled = false;        // what has come is of no use
};

// One request and what it brings.
class attempting {
 public:
  attempting(const download& what, partial& file, const progress_handler& seen)
      : what_(what), file_(file), seen_(seen), offset_(file.validator().empty() ? 0 : file.size()) {}

  attempt run() {
    std::vector<std::string> headers;
    if (offset_ > 0)
      headers = {"Range: bytes=" + std::to_string(offset_) + "-", "If-Range: " + file_.validator()};
    const auto done = get(what_.url, headers, what_.transfer,
                          [this](const answer& head, std::string_view piece) { return take(head, piece); });
    if (!done) return {done.error(), file_.size() > 0};
    if (done->head.status == 416) return forget();
    if (done->head.status != 200 && done->head.status != 206)
      return {answered(what_.url, done->head.status).error()};
    if (other_part_) return forget();
    if (!done->whole) return {done->error, !done->refused, done->refused};
    if (begun_) return {};
    return {Error{"release-fetch", "cannot fetch " + public_url(what_.url) + ": it is empty",
                  "Correct releases.url"}};
  }

 private:
  Result<> take(const answer& head, std::string_view piece) {
    if (!std::exchange(begun_, true))
      if (auto good = begin(head); !good) return good;
    if (file_.size() + piece.size() > what_.largest) return too_large(what_);
    if (auto written = file_.append(piece); !written) return written;
    seen_(file_.size(), total_);
    return {};
  }

  Result<> begin(const answer& head) {
    const bool rest = head.status == 206;
    if (head.length >= 0) total_ = static_cast<std::uint64_t>(head.length) + (rest ? offset_ : 0);
    if (total_ > what_.largest) return too_large(what_);
    if (!rest) return file_.begin(head.validator);
    const bool same = head.validator.empty() || head.validator == file_.validator();
    if (offset_ > 0 && same && goes_on_at(head, offset_)) return {};
    other_part_ = true;
    return fail("release-fetch", "it is another part than the one that was asked for");
  }

  // What has come belongs to another file than the one that is there now.
  attempt forget() {
    if (auto made = file_.begin(""); !made) return {made.error()};
    return {Error{"release-fetch",
                  "cannot fetch " + public_url(what_.url) + ": the server does not send the rest of it",
                  "Try again later"},
            true};
  }

  const download& what_;
  partial& file_;
  const progress_handler& seen_;
  const std::uint64_t offset_;
  std::uint64_t total_ = 0;
  bool begun_ = false;
  bool other_part_ = false;
};

// What has come is not lost by what ends a transfer.
Result<> transfer(const download& what, partial& file, const progress_handler& seen) {
  int left = tries_without_a_byte;
  for (;;) {
    const std::uint64_t before = file.size();
    const auto tried = attempting(what, file, seen).run();
    if (!tried.error) return {};
    left = file.size() > before ? tries_without_a_byte : left - 1;
    if (!tried.again || left <= 0) {
      if (tried.spoiled || file.validator().empty()) file.remove();
      return fail(*tried.error);
    }
    std::this_thread::sleep_for(std::chrono::seconds(tries_without_a_byte - left + 1));
  }
}

Result<std::string> asked_hash(const download& what) {
  if (!what.sha256.empty() || what.checksum_url.empty()) return what.sha256;
  std::string sums;
  const auto done =
      get(what.checksum_url, {}, what.transfer, [&](const answer&, std::string_view piece) -> Result<> {
        sums += piece;
        if (sums.size() <= largest_sums) return {};
        return fail("release-fetch",
                    "cannot fetch " + public_url(what.checksum_url) + ": it is no list of SHA-256",
                    "Correct releases.checksum_url");
      });
  if (!done) return fail(done.error());
  if (done->head.status != 200) return answered(what.checksum_url, done->head.status);
  if (!done->whole) return fail(done->error);
  const std::string path = public_url(what.url);
  std::string hash = hash_in(sums, path.substr(path.rfind('/') + 1));
  if (hash.empty()) hash = hash_in(sums, what.name);
  if (hash.empty())
    return fail("release-checksum",
                "cannot fetch " + path + ": " + public_url(what.checksum_url) + " has no SHA-256 of it",
                "Correct releases.checksum_url, or give the hash below releases.sha256");
  return hash;
}

// What came is the file that is asked for, and an archive.
Result<> check(const download& what, const partial& file, const std::string& sha256) {
  const auto of = [&](const Error& error, const std::string& remedy) {
    return fail(
        error.code,
        "cannot use what " + public_url(what.url) + " gave: " + replaced(error.message, file.path(), "it"),
        remedy);
  };
  if (auto good = check_sha256(file.path(), sha256); !good)
    return of(good.error(), "Where the hash is the right one, that file was changed: do not use it");
  if (auto files = read_archive(file.path(), {}); !files)
    return of(files.error(), "Does releases.url name an archive of Dify?");
  return {};
}

}  // namespace

std::string hash_in(std::string_view sums, std::string_view name) {
  std::string only;
  std::size_t lines = 0;
  for (const auto& each : split(sums, '\n')) {
    const std::string_view line = trim(each);
    if (line.empty() || line.front() == '#') continue;
    ++lines;
    const std::string hash = to_lower(line.substr(0, 64));
    if (hash.size() != 64 || hash.find_first_not_of("0123456789abcdef") != std::string::npos) continue;
    if (line.size() > 64 && line[64] != ' ' && line[64] != '\t') continue;
    std::string_view of = trim(line.substr(64));
    if (of.starts_with('*')) of.remove_prefix(1);
    of = of.substr(of.rfind('/') == std::string_view::npos ? 0 : of.rfind('/') + 1);
    if (of == name) return hash;
    if (of.empty()) only = hash;
  }
  return lines == 1 ? only : std::string();
}

bool goes_on_at(const answer& head, std::uint64_t offset) {
  return head.content_range.starts_with("bytes " + std::to_string(offset) + "-");
}

Result<> run(const download& what, const progress_handler& seen) {
  std::error_code error;
  std::filesystem::create_directories(what.folder, error);
  if (error) return cannot("make " + what.folder, error.value());
  partial file(what);
  if (auto opened = file.open(); !opened) return opened;
  // Who held it before us has brought it.
  if (std::filesystem::exists(what.folder + "/" + what.name, error)) {
    file.remove();
    return {};
  }
  const auto sha256 = asked_hash(what);
  if (!sha256) {
    if (file.size() == 0) file.remove();
    return fail(sha256.error());
  }
  if (auto done = transfer(what, file, seen); !done) return done;
  if (auto good = check(what, file, *sha256); !good) {
    file.remove();
    return good;
  }
  return file.publish();
}

}  // namespace difyd::helper
