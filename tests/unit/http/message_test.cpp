#include "difyd/http/message.hpp"

#include "../../../daemon/http/parser.hpp"
#include "../../../daemon/http/serialize.hpp"
#include "catch.hpp"

using namespace difyd;
using namespace difyd::http;

TEST_CASE("headers are found whatever their case") {
  headers all{{"Content-Type", "a"}, {"content-type", "b"}};
  CHECK(all.get("CONTENT-TYPE") == "a");
  CHECK(all.find("Content-Typ") == nullptr);
  all.set("Content-type", "c");
  CHECK(all.size() == 1);
  CHECK(all.get("content-type") == "c");
}

TEST_CASE("queries are decoded") {
  const request what{"GET", "/v1/events?follow&name=a%20b+c&bad=%zz&empty=", {}, {}};
  CHECK(what.path() == "/v1/events");
  CHECK(what.query("follow") == "");
  CHECK(what.query("name") == "a b c");
  CHECK(what.query("empty") == "");
  CHECK_FALSE(what.query("bad"));
  CHECK_FALSE(what.query("none"));
  CHECK_FALSE(request{"GET", "/plain", {}, {}}.query("a"));
}

TEST_CASE("a header cannot smuggle another one") {
  CHECK_FALSE(head_text(request{"GET", "/a b", {}, {}}, "h"));
  CHECK_FALSE(head_text(request{"GET", "/", {{"X", "a\r\nY: b"}}, {}}, "h"));
  CHECK_FALSE(head_text(request{"GET", "/", {{"X:", "a"}}, {}}, "h"));
  const auto text = head_text(request{"POST", "/x", {{"X", "1"}}, "body"}, "h");
  REQUIRE(text);
  CHECK(*text == "POST /x HTTP/1.1\r\nHost: h\r\nUser-Agent: difyd/" DIFYD_VERSION
                 "\r\nContent-Length: 4\r\nX: 1\r\n\r\n");
  const response answer{200, {{"X", "a\r\nY: b"}, {"Z", "1"}}, "", {}};
  const std::string head = head_text(answer, framing::length, true);
  CHECK(head.find("Y: b") == std::string::npos);
  CHECK(head.find("Z: 1\r\n") != std::string::npos);
}

namespace {

const std::string chunked_answer =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: 1\r\n\r\n"
    "3\r\nabc\r\nA;ext=1\r\n0123456789\r\n0\r\n\r\n";

}  // namespace

TEST_CASE("an answer is the same wherever the network cuts it") {
  for (std::size_t cut = 0; cut <= chunked_answer.size(); ++cut) {
    INFO("cut at " << cut);
    auto answer = response_parser({}, false);
    std::string buffer = chunked_answer.substr(0, cut);
    REQUIRE(answer->put(buffer) == parse_failure::none);
    buffer += chunked_answer.substr(cut) + "next";
    REQUIRE(answer->put(buffer) == parse_failure::none);
    CHECK(answer->done());
    CHECK(answer->head.status == 200);
    CHECK(answer->head.headers.get("x") == "1");
    CHECK(answer->body == "abc0123456789");
    CHECK(buffer == "next");
  }
}

TEST_CASE("the parser tells its failures apart") {
  const auto put = [](std::unique_ptr<parser> into, std::string text) { return into->put(text); };
  CHECK(put(request_parser({}), "\x16\x03\x01 TLS hello\r\n\r\n") == parse_failure::malformed);
  CHECK(put(request_parser({100}), "GET / HTTP/1.1\r\nX: " + std::string(200, 'x')) ==
        parse_failure::header_too_large);
  CHECK(put(request_parser({100, 5}), "POST / HTTP/1.1\r\nContent-Length: 6\r\n\r\n") ==
        parse_failure::body_too_large);
  CHECK(put(request_parser({}), "POST / HTTP/1.1\r\nContent-Length: 6\r\nContent-Length: 7\r\n\r\n") ==
        parse_failure::malformed);

  auto cut = response_parser({}, false);
  std::string text = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc";
  CHECK(cut->put(text) == parse_failure::none);
  CHECK(cut->put_end() == parse_failure::truncated);

  auto until_close = response_parser({}, false);
  text = "HTTP/1.1 200 OK\r\n\r\nabc";
  CHECK(until_close->put(text) == parse_failure::none);
  CHECK_FALSE(until_close->done());
  CHECK(until_close->put_end() == parse_failure::none);
  CHECK(until_close->done());
  CHECK(until_close->body == "abc");

  auto head = response_parser({}, true);
  text = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n";
  CHECK(head->put(text) == parse_failure::none);
  CHECK(head->done());
}
