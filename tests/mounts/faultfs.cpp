// faultfs SOURCE POINT: a file system over a folder that hangs and lies when it is told to, for tests.
//
// SOURCE is "anything:/FOLDER". SIGUSR1 makes this process hang, SIGUSR2 answer again; what is in the file
// FOLDER.fault holds for every mount of the folder: eio, enospc, estale, erofs (writes fail so), lose (a
// rename succeeds and the file is gone), corrupt (what is read is not what was written), stall (what writes
// hangs for as long as the word stands, and what reads is answered).
#define FUSE_USE_VERSION 35
#include <dirent.h>
#include <fcntl.h>
#include <fuse3/fuse.h>
#include <signal.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>

namespace {

std::string backing;
std::atomic<bool> hanging = false;

void on_signal(int number) { hanging = number == SIGUSR1; }

std::string fault() {
  std::string word;
  std::ifstream(backing + ".fault") >> word;
  return word;
}

std::string real(const char* path) {
  while (hanging) ::usleep(20000);
  return backing + path;
}

int answer(long done) { return done < 0 ? -errno : 0; }

int write_fault() {
  auto what = fault();
  for (; what == "stall"; what = fault()) ::usleep(20000);
  if (what == "eio") return -EIO;
  if (what == "enospc") return -ENOSPC;
  if (what == "erofs") return -EROFS;
  return 0;
}

int give_to_caller(const std::string& path) {
  const auto* who = ::fuse_get_context();
  return ::lchown(path.c_str(), who->uid, who->gid);
}

int do_getattr(const char* path, struct stat* out, fuse_file_info*) {
  const auto where = real(path);
  if (fault() == "estale") return -ESTALE;
  return answer(::lstat(where.c_str(), out));
}

int do_readdir(const char* path, void* buffer, fuse_fill_dir_t fill, off_t, fuse_file_info*,
               fuse_readdir_flags) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(real(path).c_str()), ::closedir);
  if (!folder) return -errno;
  while (const dirent* each = ::readdir(folder.get())) fill(buffer, each->d_name, nullptr, 0, {});
  return 0;
}

int do_mkdir(const char* path, mode_t mode) {
  const auto where = real(path);
  if (const int failed = write_fault()) return failed;
  return ::mkdir(where.c_str(), mode) == 0 ? answer(give_to_caller(where)) : -errno;
}

int do_create(const char* path, mode_t mode, fuse_file_info* file) {
  const auto where = real(path);
  if (const int failed = write_fault()) return failed;
  const int fd = ::open(where.c_str(), file->flags | O_CREAT, mode);
  if (fd < 0) return -errno;
  file->fh = static_cast<std::uint64_t>(fd);
  return answer(give_to_caller(where));
}

int do_open(const char* path, fuse_file_info* file) {
  const int fd = ::open(real(path).c_str(), file->flags);
  if (fd < 0) return -errno;
  file->fh = static_cast<std::uint64_t>(fd);
  file->direct_io = 1;
  return 0;
}

int do_read(const char* path, char* buffer, std::size_t size, off_t at, fuse_file_info* file) {
  (void)real(path);
  const ssize_t count = ::pread(static_cast<int>(file->fh), buffer, size, at);
  if (count > 0 && fault() == "corrupt") buffer[0] = static_cast<char>(buffer[0] ^ 1);
  return count < 0 ? -errno : static_cast<int>(count);
}

int do_write(const char* path, const char* bytes, std::size_t size, off_t at, fuse_file_info* file) {
  (void)real(path);
  if (const int failed = write_fault()) return failed;
  const ssize_t count = ::pwrite(static_cast<int>(file->fh), bytes, size, at);
  return count < 0 ? -errno : static_cast<int>(count);
}

int do_fsync(const char* path, int, fuse_file_info* file) {
  (void)real(path);
  return answer(::fsync(static_cast<int>(file->fh)));
}

int do_release(const char*, fuse_file_info* file) { return answer(::close(static_cast<int>(file->fh))); }

int do_rename(const char* from, const char* to, unsigned flags) {
  if (const int failed = write_fault()) return failed;
  const auto a = real(from), b = real(to);
  if (fault() == "lose") return answer(::unlink(a.c_str()));
  return answer(::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), flags));
}

int do_statfs(const char* path, struct statvfs* out) { return answer(::statvfs(real(path).c_str(), out)); }
int do_unlink(const char* path) { return answer(::unlink(real(path).c_str())); }
int do_rmdir(const char* path) { return answer(::rmdir(real(path).c_str())); }
int do_link(const char* from, const char* to) { return answer(::link(real(from).c_str(), real(to).c_str())); }
int do_symlink(const char* text, const char* path) { return answer(::symlink(text, real(path).c_str())); }
int do_chmod(const char* path, mode_t mode, fuse_file_info*) {
  return answer(::chmod(real(path).c_str(), mode));
}
int do_chown(const char* path, uid_t uid, gid_t gid, fuse_file_info*) {
  return answer(::lchown(real(path).c_str(), uid, gid));
}
int do_truncate(const char* path, off_t size, fuse_file_info*) {
  return answer(::truncate(real(path).c_str(), size));
}

int do_readlink(const char* path, char* buffer, std::size_t size) {
  const ssize_t count = ::readlink(real(path).c_str(), buffer, size - 1);
  if (count < 0) return -errno;
  buffer[count] = 0;
  return 0;
}

fuse_operations operations() {
  fuse_operations all{};
  all.getattr = do_getattr;
  all.readdir = do_readdir;
  all.mkdir = do_mkdir;
  all.create = do_create;
  all.open = do_open;
  all.read = do_read;
  all.write = do_write;
  all.fsync = do_fsync;
  all.release = do_release;
  all.rename = do_rename;
  all.statfs = do_statfs;
  all.unlink = do_unlink;
  all.rmdir = do_rmdir;
  all.link = do_link;
  all.symlink = do_symlink;
  all.readlink = do_readlink;
  all.chmod = do_chmod;
  all.chown = do_chown;
  all.truncate = do_truncate;
  return all;
}

}  // namespace

int main(int count, char** values) {
  if (count < 3) return 2;
  const std::string source = values[1];
  backing = source.substr(source.find(':') + 1);
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGUSR1, &action, nullptr);
  ::sigaction(SIGUSR2, &action, nullptr);
  ::umask(0);
  std::string options =
      "allow_other,default_permissions,attr_timeout=0,entry_timeout=0,subtype=faultfs,fsname=" + source;
  char name[] = "faultfs", flag[] = "-o";
  char* arguments[] = {name, values[2], flag, options.data(), nullptr};
  const auto all = operations();
  return ::fuse_main(4, arguments, &all, nullptr);
}
