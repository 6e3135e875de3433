// The rules of downloads; tests/fetch has a real server.
#include "../../../daemon/helper/download.hpp"

#include "catch.hpp"

using namespace difyd::helper;

TEST_CASE("a redirect never leaves https, and goes to http and https only") {
  CHECK(check_redirect("https://a/x", "https://b/y"));
  CHECK(check_redirect("http://a/x", "https://b/y"));
  CHECK(check_redirect("http://a/x", "http://b/y"));
  CHECK_FALSE(check_redirect("https://a/x", "http://a/x"));
  CHECK_FALSE(check_redirect("HTTPS://a/x", "http://a/x"));
  CHECK_FALSE(check_redirect("http://a/x", "file:///etc/passwd"));
  CHECK_FALSE(check_redirect("http://a/x", "ftp://b/x"));
  const auto refused = check_redirect("https://user:secret@a/x?token=secret", "http://user:secret@b/y");
  CHECK(refused.error().message ==
        "cannot fetch https://a/x: it redirects to http://b/y, which anybody on the way could change");
}

TEST_CASE("the hash of a file in a list of hashes") {
  const std::string a(64, 'a'), b(64, 'B');
  const std::string sums = "# SHA256\n" + a + "  1.11.4.tar.gz\n" + b + " *./dist/1.12.1.tar.gz\r\n";
  CHECK(hash_in(sums, "1.11.4.tar.gz") == a);
  CHECK(hash_in(sums, "1.12.1.tar.gz") == std::string(64, 'b'));
  CHECK(hash_in(sums, "1.13.0.tar.gz").empty());
  CHECK(hash_in(a + "\n", "1.13.0.tar.gz") == a);
  CHECK(hash_in(a + "  other.tar.gz\n", "1.13.0.tar.gz").empty());
  CHECK(hash_in(a + "\n" + a + "\n", "x").empty());
  CHECK(hash_in(a + "a\n", "x").empty());
  CHECK(hash_in("<html>not found</html>", "x").empty());
}

TEST_CASE("the rest of a file is taken where it goes on only") {
  answer head;
  head.content_range = "bytes 100-199/200";
  CHECK(goes_on_at(head, 100));
  CHECK_FALSE(goes_on_at(head, 10));
  CHECK_FALSE(goes_on_at(head, 0));
  CHECK_FALSE(goes_on_at({}, 100));
}
