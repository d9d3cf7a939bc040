"""Validity of every bundle: parse, order, limits, ids; and how far naive rules get."""
import csv, json, os, datetime as dt, zipfile, io, collections
R = os.path.dirname(os.path.dirname(os.path.abspath(__file__))); E = json.load(open(R + "/expected.json"))
P = lambda x: dt.datetime.fromisoformat(x.replace("Z", "+00:00")).timestamp()
naive = collections.Counter(); n = 0
for b in sorted(E):
    z = zipfile.ZipFile(R + "/bundles/%s.zip" % b); F = {f: z.read(f).decode() for f in z.namelist()}; e = E[b]
    I = json.loads(F["incident.json"]); a, o = P(I["window"]["start"]), P(I["window"]["end"]); bad = []
    L = [json.loads(l) for l in F.get("logs.ndjson", "").splitlines()]; C = [json.loads(l) for l in F["changes.ndjson"].splitlines()]
    M = list(csv.DictReader(io.StringIO(F.get("metrics.csv", "")))); SP = [json.loads(l) for l in F.get("spans.ndjson", "").splitlines()]
    if M:
        for r in M: float(r["value"])
        ns = len({(r["component"], r["metric"]) for r in M})
        if not 15 <= ns <= 120: bad.append("series %d" % ns)
        if not (a - 1 <= min(P(r["timestamp"]) for r in M[:500]) and max(P(r["timestamp"]) for r in M[-500:]) <= o + 30): bad.append("metric times")
        if len({(r["timestamp"], r["component"], r["metric"]) for r in M}) != len(M): bad.append("dup points")
    if L and not 200 <= len(L) <= 3000 and len(L) > 10: bad.append("logs %d" % len(L))
    if any("{" in l["message"] and "}" in l["message"] and ("{n:" in l["message"] or "{hex" in l["message"] or "{pick" in l["message"]) for l in L): bad.append("unfilled template")
    if any(not a <= P(l["timestamp"]) <= o + 1 for l in L): bad.append("log times")
    comps = {r["component"] for r in M} | {l["component"] for l in L} | {s["component"] for s in SP}
    if not 4 <= len(comps) <= 15: bad.append("comps %d" % len(comps))
    if not 3 <= len(C) <= 20: bad.append("changes %d" % len(C))
    T = {q for ed in json.loads(F["topology.json"])["edges"] for q in ed} if "topology.json" in F else set()
    for c in e["component"]:
        if c not in comps | T: bad.append("expected component unseen: " + c)
    if any(p["parent_id"] is None and False for p in SP): pass
    on = P(e["onset"]) if e["onset"] else P(I["opened_at"]); al = {v for x in I["alerts"] for v in x["labels"].values()}
    if e["change"]:
        n += 1; pr = [c for c in C if P(c["timestamp"]) <= on]; po = [c for c in C if P(c["timestamp"]) <= P(I["opened_at"])]; pa = [c for c in po if c["component"] in al]
        naive["last before onset"] += pr[-1]["id"] == e["change"]; naive["last before opened"] += po[-1]["id"] == e["change"]; naive["last on alarming component"] += bool(pa) and pa[-1]["id"] == e["change"]; naive["guilty component alarms"] += any(c in al for c in e["component"])
    print("%-26s ch=%2d comps=%2d series=%3d logs=%4d spans=%4d size=%5.1fK diffs=%d topo=%d %s" % (b, len(C), len(comps), len({(r["component"], r["metric"]) for r in M}), len(L), len(SP), os.path.getsize(R + "/bundles/%s.zip" % b) / 1024, sum(bool(c["diff"]) for c in C), "topology.json" in F, bad or ""))
print(n, "with a change;", dict(naive))
