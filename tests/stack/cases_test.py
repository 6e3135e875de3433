"""What difyd asks of the engine for the cases of tests/stack/cases, beside what docker compose was seen to ask
(kept with each case). As 2.26 only those in which it asks for something else than 2.40, unless all are wanted. On an
engine of another API, and with DIFYD_TEST_ALL=1, docker compose is run beside it.

    cases_test.py [case...]
"""
import json
import os
import sys

import bench
import cases

LIVE = os.environ.get("DIFYD_TEST_ALL") == "1"


def wanted(case, version):
    if LIVE or version != "2.26" or case.oracles != list(cases.VERSIONS) or not cases.same_engine() or sys.argv[1:]:
        return True
    as_of = [json.dumps(case.expected(each)).replace(number, "") for each, number in cases.VERSIONS.items()]
    return strip_resource_hashes(as_of[0]) != strip_resource_hashes(as_of[1])


def strip_resource_hashes(text):
    """2.26 has none on networks and volumes; in every case the same way."""
    state = json.loads(text)
    for kind in ("networks", "volumes"):
        for each in state["state"].get(kind, {}).values():
            each["Labels"].pop("com.docker.compose.config-hash", None)
    return state


def expectations(case, version, images):
    """(where it is from, what docker compose asks)"""
    if cases.same_engine():
        yield "kept", case.expected(version)
    if LIVE or not cases.same_engine():
        program = bench.oracle.program(version)
        if program:
            yield "live", case.asked_by([program], images)


def check(case, version, images):
    found = []
    try:
        ours = case.asked_by(cases.difyd(version), images)
        for source, theirs in expectations(case, version, images):
            found += [f"({source}) {line}" for line in case.differences(version, theirs, ours)]
    except AssertionError as error:
        found = [str(error)]
    if found:
        print(f"FAILED {case.name} as {version}: {case.pins}")
        for line in found:
            print("  " + line)
    return not found


def main():
    bench.need_engine()
    chosen = cases.all_cases(sys.argv[1:])
    assert len(chosen) >= 60 or sys.argv[1:], "the cases are not all there"
    total, passed = dict.fromkeys(cases.VERSIONS, 0), dict.fromkeys(cases.VERSIONS, 0)
    with cases.alone():
        images = cases.make_images()
        for case in chosen:
            for version in filter(lambda v: wanted(case, v), case.oracles):
                total[version] += 1
                passed[version] += check(case, version, images)
        for reference in cases.IMAGES:
            bench.api("DELETE", f"/images/{reference}?force=1")
    for version in cases.VERSIONS:
        print(f"docker compose {version}: {passed[version]} of {total[version]} cases alike")
    return 0 if passed == total else 1


if __name__ == "__main__":
    sys.exit(main())
