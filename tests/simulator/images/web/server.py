"""Stands in for Dify's web front end: pages that name their version, on port 3000."""
import standin

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Dify</title></head>
<body><h1>Dify {version}</h1><p>{path}: a stand-in for the web front end.</p></body></html>
"""


def answer(path, _headers):
    return 200, {"Content-Type": "text/html; charset=utf-8"}, PAGE.format(version=standin.VERSION, path=path[:100].replace("<", ""))


standin.serve(standin.env("PORT", "3000"), answer)
