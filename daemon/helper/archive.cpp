#include "archive.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <sha2.h>
#include <unistd.h>

#include <clocale>
#include <cstring>
#include <memory>

namespace difyd::helper {
namespace {

using reader = std::unique_ptr<archive, int (*)(archive*)>;

std::string text(const char* of) { return of ? of : ""; }

std::unexpected<Error> unreadable(archive* of) {
  return fail("release-archive", text(archive_error_string(of)), "Get the archive once more");
}

Result<reader> open_archive(const std::string& path) {
  // Names are UTF-8; in the C locale libarchive gives none for one that is not ASCII.
  std::setlocale(LC_CTYPE, "C.UTF-8");
  reader made(archive_read_new(), archive_read_free);
  archive_read_support_filter_gzip(made.get());
  archive_read_support_filter_xz(made.get());
  archive_read_support_filter_zstd(made.get());
  archive_read_support_format_tar(made.get());
  archive_read_support_format_zip(made.get());
  if (archive_read_open_filename(made.get(), path.c_str(), 64u << 10) != ARCHIVE_OK)
    return unreadable(made.get());
  return made;
}

entry entry_of(archive_entry* head) {
  entry of{text(archive_entry_pathname(head))};
  of.mode = archive_entry_perm(head);
  of.size = static_cast<std::uint64_t>(std::max<la_int64_t>(archive_entry_size(head), 0));
  of.is = entry::kind::special;
  const auto type = archive_entry_filetype(head);
  if (const char* target = archive_entry_hardlink(head)) {
    of.is = entry::kind::hard_link;
    of.target = target;
  } else if (type == AE_IFREG) {
    of.is = entry::kind::file;
  } else if (type == AE_IFDIR) {
    of.is = entry::kind::folder;
  } else if (type == AE_IFLNK) {
    of.is = entry::kind::link;
    of.target = text(archive_entry_symlink(head));
  }
  return of;
}

Result<> take_bytes(archive* from, release_tree& into) {
  char buffer[64u << 10];
  for (;;) {
    const auto count = archive_read_data(from, buffer, sizeof buffer);
    if (count < 0) return unreadable(from);
    if (count == 0) return {};
    if (auto added = into.add({buffer, static_cast<std::size_t>(count)}); !added) return added;
  }
}

Result<std::vector<tree_file>> read_all(archive* from, archive_limits limits) {
  release_tree files(limits);
  for (;;) {
    archive_entry* head = nullptr;
    const int state = archive_read_next_header(from, &head);
    if (state == ARCHIVE_EOF) return files.finish();
    if (state != ARCHIVE_OK && state != ARCHIVE_WARN) return unreadable(from);
    const auto wanted = files.admit(entry_of(head));
    if (!wanted) return fail(wanted.error());
    if (*wanted)
      if (auto taken = take_bytes(from, files); !taken) return fail(taken.error());
  }
}

}  // namespace

Result<> check_sha256(const std::string& path, const std::string& sha256) {
  if (sha256.empty()) return {};
  char found[SHA256_DIGEST_STRING_LENGTH];
  if (!SHA256File(path.c_str(), found))
    return fail("file-missing", "cannot read " + path + ": " + std::strerror(errno));
  if (sha256 == found) return {};
  return fail("release-checksum",
              "cannot use " + path + ": its SHA-256 is " + found + ", and " + sha256 + " is asked for",
              "Put the archive there that has it, or correct releases.sha256");
}

Result<std::vector<tree_file>> read_archive(const std::string& path, const std::string& sha256,
                                            archive_limits limits) {
  if (::access(path.c_str(), R_OK) != 0)
    return fail("file-missing", "cannot read " + path + ": " + std::strerror(errno));
  if (auto good = check_sha256(path, sha256); !good) return fail(good.error());
  auto opened = open_archive(path);
  auto files = opened ? read_all(opened->get(), limits) : fail(opened.error());
  if (files) return files;
  return fail(files.error().code, "cannot unpack " + path + ": " + files.error().message,
              files.error().remedy);
}

}  // namespace difyd::helper
