#include "../../../daemon/cli/redact.hpp"

#include "catch.hpp"

using difyd::cli::redactor;

TEST_CASE("what looks like a secret is taken out, what does not stays") {
  struct row {
    const char* text;
    const char* clean;
  };
  const row rows[] = {
      {"", ""},
      {"nothing to hide: 10.0.0.3:5432", "nothing to hide: 10.0.0.3:5432"},
      {"postgres://dify:p%40ss@db/dify", "postgres://(redacted)@db/dify"},
      {"http://user@host:80/a@b", "http://(redacted)@host:80/a@b"},
      {"https://host/path?x=1", "https://host/path?x=1"},
      {"DB_PASSWORD=abc DB_HOST=db", "DB_PASSWORD=(redacted) DB_HOST=db"},
      {"\"password\": \"a b c\", \"user\": \"me\"", "\"password\": \"(redacted)\", \"user\": \"me\""},
      {"secret_key: ''", "secret_key: ''"},
      {"password_file: /etc/difyd/database.password", "password_file: /etc/difyd/database.password"},
      {"password_credential: database-password", "password_credential: database-password"},
      {"apiKey=abc&x=1", "apiKey=(redacted)&x=1"},
      {"Authorization: Bearer abcDEF123", "Authorization: Bearer (redacted)"},
      {"it is a basic question", "it is a basic question"},
      {"the token of the machine", "the token of the machine"},
      {"TOKEN_EXPIRE_MINUTES=60", "TOKEN_EXPIRE_MINUTES=60"},
      {"use_token: true", "use_token: true"},
      {"sk-abcdefghijklmnopqrstuvwxyz", "(redacted)"},
      {"app-short", "app-short"},
      {"x\n-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\ny",
       "x\n(redacted)-----END OPENSSH PRIVATE KEY-----\ny"},
      {"-----BEGIN PRIVATE KEY-----\nAAAA", "(redacted)"},
      {"-----BEGIN CERTIFICATE-----\nAAAA", "-----BEGIN CERTIFICATE-----\nAAAA"},
      {R"(line\npassword: abc\nnext)", R"(line\npassword: (redacted)\nnext)"},
      {R"({\"token\": \"abc\"})", R"({\"token\": \"(redacted)\"})"},
      {R"(DB_PASSWORD=ab\cd x)", R"(DB_PASSWORD=(redacted) x)"},
      {"primary key: id", "primary key: id"},
      {"key: abcdefghijklm", "key: (redacted)"},
      {"password", "password"},
      {"password=", "password="},
      {"password=\"never closed", "password=\"(redacted)"}};
  const redactor empty;
  for (const auto& each : rows) {
    INFO(each.text);
    CHECK(empty.clean(each.text) == each.clean);
    CHECK(empty.clean(empty.clean(each.text)) == empty.clean(each.text));
  }
}

TEST_CASE("a known secret is taken out in every form") {
  redactor secrets;
  secrets.add("p\"ss/word+");
  secrets.add("p\"ss/word+longer");
  secrets.add("abc");  // in too much that is none
  secrets.add(" \n");
  for (const char* text : {"it is p\"ss/word+.", "it is p%22ss%2Fword%2B.", "it is p\\\"ss/word+.",
                           "it is cCJzcy93b3JkKw==.", "it is p\"ss/word+longer."}) {
    INFO(text);
    CHECK(secrets.clean(text) == "it is (redacted).");
  }
  CHECK(secrets.clean("abc") == "abc");
}

TEST_CASE("a key of several lines is found line by line") {
  redactor secrets;
  secrets.add("first line of a key that is long\nand another one of it as well\n");
  CHECK(secrets.clean("> and another one of it as well <") == "> (redacted) <");
}
