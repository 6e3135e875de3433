#include "engine_test.hpp"

#include <cstdio>
#include <cstring>

#include "catch.hpp"
#include "difyd/base/durable_file.hpp"
#include "difyd/base/text.hpp"

namespace difyd::engine_test {
namespace {

struct ustar {
  char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, target[100], magic[6],
      version[2], user[32], group[32], major[8], minor[8], prefix[155], padding[12];
};
static_assert(sizeof(ustar) == 512);

// The image is shared by the test cases of a run and removed when the program ends.
struct shared_image {
  std::string name = "difyd-test-" + random_hex(8);

  shared_image() {
    tar_archive tar;
    for (const char* folder : {"bin", "etc", "tmp", "data"}) tar.folder(folder);
    tar.file("bin/busybox", read_file(busybox).value(), 0755);
    for (const char* applet : {"sh", "cat", "echo", "sleep", "true", "test", "seq"})
      tar.link("bin/" + std::string(applet), "busybox");
    tar.file("etc/passwd", "root:x:0:0:root:/:/bin/sh\n");
    asio::io_context loop;
    engine::client docker(loop.get_executor(), *engine::endpoint_from_environment());
    const auto made = run_task(loop, docker.images.import(tar.bytes(), name, "1",
                                                          {"CMD [\"sh\"]", "VOLUME /data", "ENV PATH=/bin"}));
    INFO((made ? "" : made.error().message));
    REQUIRE(made);
  }
  ~shared_image() {
    asio::io_context loop;
    engine::client docker(loop.get_executor(), *engine::endpoint_from_environment());
    run_task(loop, docker.images.remove(name + ":1", true));
  }
};

const std::string& image_name() {
  static const shared_image image;
  return image.name;
}

void append(std::pair<std::string, std::string>& to, const engine::frame& what) {
  (what.stream == engine::stream_kind::standard_error ? to.second : to.first) += what.bytes;
}

template <class Stream>
task<std::pair<std::string, std::string>> read_all(Stream& stream) {
  std::pair<std::string, std::string> result;
  for (;;) {
    auto next = co_await stream.next(20s);
    if (!next) throw std::runtime_error(next.error().message);
    if (!*next) co_return result;
    append(result, **next);
  }
}

}  // namespace

void tar_archive::entry(const std::string& path, char type, int mode, const std::string& content,
                        const std::string& target) {
  ustar header{};
  path.copy(header.name, sizeof header.name - 1);
  target.copy(header.target, sizeof header.target - 1);
  std::snprintf(header.mode, sizeof header.mode, "%07o", static_cast<unsigned>(mode));
  std::snprintf(header.size, sizeof header.size, "%011zo", content.size());
  for (char* field : {header.uid, header.gid}) std::strcpy(field, "0000000");
  std::strcpy(header.mtime, "00000000000");
  std::memcpy(header.magic, "ustar", 6);
  std::memcpy(header.version, "00", 2);
  header.type = type;
  std::memset(header.checksum, ' ', sizeof header.checksum);
  unsigned sum = 0;
  for (std::size_t i = 0; i < sizeof header; ++i) sum += reinterpret_cast<const unsigned char*>(&header)[i];
  std::snprintf(header.checksum, sizeof header.checksum, "%06o", sum);
  bytes_.append(reinterpret_cast<const char*>(&header), sizeof header).append(content);
  bytes_.append((512 - content.size() % 512) % 512, '\0');
}

machine::machine()
    : id(random_hex(8)),
      image(image_name() + ":1"),
      docker(loop.get_executor(), *engine::endpoint_from_environment()) {}

machine::~machine() {
  const engine::filter_map mine{{"label", {"difyd.test=" + id}}};
  engine::container_filter all;
  all.labels = mine.at("label");
  if (const auto found = (*this)(docker.containers.list(all)))
    for (const auto& each : *found) (*this)(docker.containers.remove(each.id, true, true));
  if (const auto found = (*this)(docker.networks.list(mine)))
    for (const auto& each : *found) (*this)(docker.networks.remove(each.id));
  if (const auto found = (*this)(docker.volumes.list(mine)))
    for (const auto& each : *found) (*this)(docker.volumes.remove(each.name, true));
}

std::string machine::create(const std::string& script, json more, const std::string& name) {
  json body{{"Image", image}, {"Cmd", {"sh", "-c", script}}, {"Labels", labels()}, {"StopTimeout", 1}};
  body["HostConfig"]["NetworkMode"] = "none";
  body.merge_patch(more);
  const auto made = (*this)(docker.containers.create(name, body.dump()));
  INFO((made ? "" : made.error().message));
  REQUIRE(made);
  return made->id;
}

std::pair<std::string, std::string> machine::log(const std::string& container, engine::log_options options) {
  auto stream = (*this)(docker.containers.logs(container, std::move(options)));
  INFO((stream ? "" : stream.error().message));
  REQUIRE(stream);
  return (*this)(read_all(*stream));
}

std::pair<std::string, std::string> machine::read(engine::attached_stream& stream) {
  return (*this)(read_all(stream));
}

int machine::run_to_end(const std::string& container) {
  auto wait = (*this)(docker.containers.wait(container, engine::wait_condition::next_exit));
  REQUIRE(wait);
  const auto started = (*this)(docker.containers.start(container));
  INFO((started ? "" : started.error().message));
  REQUIRE(started);
  const auto ended = (*this)(wait->result(30s));
  REQUIRE(ended);
  return ended->code;
}

}  // namespace difyd::engine_test
