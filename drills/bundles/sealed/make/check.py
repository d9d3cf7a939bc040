"""sanity of the written bundles; shape rules must not solve them"""
import json, datetime as dt, os, re, sys
R = os.path.dirname(os.path.dirname(os.path.abspath(__file__))); E = json.load(open(R + "/expected.json")); P = lambda t: dt.datetime.fromisoformat(t.replace("Z", "+00:00"))
near = big = k = 0; close = []; delayed = []
for n, e in E.items():
    d = f"{R}/bundles/{n}/"; C = [json.loads(l) for l in open(d + "changes.ndjson")]; inc = json.load(open(d + "incident.json")); on = P(e["onset"] or inc["alerts"][0]["startsAt"])
    for c in C:
        if c["diff"]:
            for f in re.split(r"^diff --git ", c["diff"], flags=re.M)[1:]:
                h = re.search(r"@@ -(\d+),(\d+) \+(\d+),(\d+) @@", f); body = f[h.end():].split("\n")[1:-1]
                o = sum(not x.startswith("+") for x in body); w = sum(not x.startswith("-") for x in body)
                assert (o, w) == (int(h[2]), int(h[4])), (n, c["title"], h[0], o, w)
                bad = [x for x in body if x and x[0] not in " +-"]; assert not bad, (n, c["title"], bad)
    if any(0 <= (on - P(c["timestamp"])).total_seconds() < 600 for c in C if c["id"] in e["decoys"]): close.append(n)
    if e["change"]:
        k += 1; g = next(c for c in C if c["id"] == e["change"]); lag = (P(e["onset"]) - P(g["timestamp"])).total_seconds() / 60
        crit = min(P(a["startsAt"]) for a in inc["alerts"] if a["labels"]["severity"] == "critical")
        if (crit - P(g["timestamp"])).total_seconds() / 60 >= 20: delayed.append(n)
        b = [c for c in C if P(c["timestamp"]) <= on]; near += max(b, key=lambda c: P(c["timestamp"])) is g; big += max(b, key=lambda c: len(c["diff"] or "")) is g
print("guilty", k, "| nearest rule", near, "| biggest diff rule", big, "| close decoys", len(close), "| delayed", len(delayed), delayed)
