"""Compares an audit export with what the sandbox holds. Knows nothing of the module: it reads the files and asks the sandbox.

python3 audit_ids.py FOLDER SANDBOX CA START END

For each tenant it compares the record ids in the files, each as often as it stands there, with those that the sandbox lists
between the two times. Prints one line of JSON: for each tenant how many records are in the files, which ids are missing there
and which are there too often.
"""

import collections
import json
import pathlib
import ssl
import sys
import urllib.parse
import urllib.request


def written(folder):
    """The ids in a tenant's files. A line that is no JSON, or has no id, ends the comparison."""
    ids = collections.Counter()
    for part in folder.rglob("*.ndjson"):
        with part.open(encoding="utf-8", newline="\n") as lines:
            ids.update(json.loads(line)["Id"] for line in lines)
    return ids


def main(root, sandbox, authority, start, end):
    trust = ssl.create_default_context(cafile=authority)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust))
    query = urllib.parse.urlencode({"start": start, "end": end})
    with opener.open(f"{sandbox}/sandbox/truth") as answer:
        tenants = [tenant["tenantId"] for tenant in json.load(answer)["tenants"]]
    findings = {}
    for tenant in tenants:
        with opener.open(f"{sandbox}/sandbox/truth/{tenant}?{query}") as answer:
            real = collections.Counter(answer.read().decode().split())
        folders = [folder for folder in pathlib.Path(root).rglob("*") if folder.is_dir() and tenant in folder.name]
        found = sum((written(folder) for folder in folders), collections.Counter())
        findings[tenant] = {
            "records": found.total(),
            "missing": sorted((real - found).elements()),
            "tooOften": sorted((found - real).elements()),
        }
    print(json.dumps(findings))


if __name__ == "__main__":
    main(*sys.argv[1:])
