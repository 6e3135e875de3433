#include "difyd/engine/frame.hpp"

#include <functional>

#include "catch.hpp"

using namespace difyd;
using namespace difyd::engine;

namespace {

std::string framed(char kind, const std::string& payload) {
  std::string header{kind, 0, 0, 0, 0, 0, 0, 0};
  for (int i = 0; i < 4; ++i)
    header[4 + static_cast<std::size_t>(i)] = static_cast<char>(payload.size() >> (24 - 8 * i));
  return header + payload;
}

// What a stream says in all, per kind, however it was cut.
using spoken = std::pair<std::string, std::string>;

void add(spoken& to, const std::vector<frame>& frames) {
  for (const auto& each : frames)
    (each.stream == stream_kind::standard_error ? to.second : to.first) += each.bytes;
}

}  // namespace

TEST_CASE("frames are the same wherever the stream is cut") {
  const std::string all =
      framed(1, "out 1\n") + framed(2, "err\n") + framed(1, "") + framed(1, std::string(300, 'x'));
  const spoken expected{"out 1\n" + std::string(300, 'x'), "err\n"};
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    INFO("cut at " << cut);
    frame_decoder decoder(false);
    spoken heard;
    for (const auto& part : {all.substr(0, cut), all.substr(cut)}) {
      const auto frames = decoder.feed(part);
      REQUIRE(frames);
      add(heard, *frames);
    }
    CHECK(heard == expected);
    CHECK(decoder.between_frames());
  }
  frame_decoder bytewise(false);
  spoken heard;
  for (const char byte : all) add(heard, *bytewise.feed(std::string_view(&byte, 1)));
  CHECK(heard == expected);
}

TEST_CASE("a frame that announces four gigabytes costs no memory") {
  frame_decoder decoder(false);
  const std::string header("\1\0\0\0\xff\xff\xff\xff", 8);
  const auto frames = decoder.feed(header + "abc");
  REQUIRE(frames);
  CHECK(*frames == std::vector<frame>{{stream_kind::standard_output, "abc"}});
  CHECK_FALSE(decoder.between_frames());
}

TEST_CASE("a terminal has no frames, and what has none is refused") {
  frame_decoder raw(true);
  CHECK(*raw.feed("\1\0\0\0text") == std::vector<frame>{{stream_kind::standard_output, "\1"}});
  frame_decoder framing(false);
  const auto refused = framing.feed("plain text of a terminal\n");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == "engine-malformed-answer");
}

TEST_CASE("JSON objects are the same wherever the stream is cut") {
  const std::vector<std::string> objects{R"({"a":1})", R"({"b":"}{\"\\","c":[{"d":{}}]})", R"({})",
                                         R"({"e":"\\\"é]"})"};
  const std::string all = objects[0] + "\n" + objects[1] + objects[2] + " \r\n\t" + objects[3] + "\n";
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    INFO("cut at " << cut);
    json_splitter splitter;
    std::vector<std::string> heard;
    for (const auto& part : {all.substr(0, cut), all.substr(cut)}) {
      const auto found = splitter.feed(part);
      REQUIRE(found);
      heard.insert(heard.end(), found->begin(), found->end());
    }
    CHECK(heard == objects);
    CHECK(splitter.between_objects());
  }
}

TEST_CASE("what cannot be an object, or is too long, is refused") {
  CHECK_FALSE(json_splitter().feed("404 page not found"));
  CHECK_FALSE(json_splitter().feed("[1]"));
  CHECK_FALSE(json_splitter(10).feed(R"({"a":"01234567890"})"));
  json_splitter cut;
  REQUIRE(cut.feed(R"({"a":)"));
  CHECK_FALSE(cut.between_objects());
}
