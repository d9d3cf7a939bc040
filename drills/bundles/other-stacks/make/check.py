"""Sanity of all bundles: ids, times, windows; and what moved at the onset."""
import csv, json, os, sys, collections, zipfile
from datetime import datetime
import numpy as np
R = os.path.dirname(os.path.dirname(os.path.abspath(__file__))); E = json.load(open(R + "/expected.json")); P = lambda s: datetime.fromisoformat(s.replace("Z", "+00:00"))
brief = "-v" in sys.argv
for n, e in E.items():
    d = f"{R}/bundles/{n}"; inc = json.load(open(d + "/incident.json")); ch = [json.loads(l) for l in open(d + "/changes.ndjson")]; ids = {c["id"] for c in ch}; w0, w1 = P(inc["window"]["start"]), P(inc["window"]["end"])
    bad = []
    assert len(ids) == len(ch), n
    for i in e["decoys"] + ([e["change"]] if e["change"] else []) + e.get("change_also", []):
        if i not in ids: bad.append("missing " + i)
    if ids - set(e["decoys"]) - {e["change"]} - set(e.get("change_also", [])): bad.append(("unlisted", ids - set(e["decoys"]) - {e["change"]} - set(e.get("change_also", []))))
    for c in ch:
        if not w0 <= P(c["timestamp"]) <= w1: bad.append("change outside " + c["id"])
    for a in inc["alerts"]:
        if e["onset"] and P(a["startsAt"]) < P(e["onset"]): bad.append("alert before onset " + a["labels"]["alertname"])
    if e["onset"]:
        lo, hi = map(P, e["onset_range"]); assert lo <= P(e["onset"]) <= hi, n
    comps = set()
    if os.path.exists(d + "/metrics.csv"):
        S = collections.defaultdict(list); rows = list(csv.DictReader(open(d + "/metrics.csv"))); comps |= {r["component"] for r in rows}
        seen = collections.Counter((r["timestamp"], r["component"], r["metric"]) for r in rows)
        if max(seen.values()) > 1: bad.append(("dup", seen.most_common(1)))
        for r in rows:
            v = float(r["value"]); assert v == v
            S[r["component"], r["metric"]].append((P(r["timestamp"]), v))
        if e["onset"] and brief:
            o = P(e["onset"]).timestamp(); out = []
            for k, v in S.items():
                t = np.array([x[0].timestamp() for x in v]); y = np.array([x[1] for x in v])
                if "_total" in k[1] or "count" in k[1] and np.all(np.diff(y) >= 0): y = np.diff(y); t = t[1:]
                A, B = y[(t > o - 1500) & (t < o)], y[(t > o + 300) & (t < o + 1500)]
                if len(A) and len(B): out.append((abs(np.median(B) - np.median(A)) / (A.std() + .02 * abs(np.median(A)) + 1e-6), k, np.median(A), np.median(B)))
            out.sort(reverse=True, key=lambda x: x[0]); print("  ", [(k[0] + "/" + k[1][-28:], round(a, 3), round(c, 3)) for _, k, a, c in out[:7]])
    if os.path.exists(d + "/logs.ndjson"): comps |= {json.loads(l)["component"] for l in open(d + "/logs.ndjson")}
    if os.path.exists(d + "/spans.ndjson"):
        sp = [json.loads(l) for l in open(d + "/spans.ndjson")]; idx = {s["span_id"] for s in sp}; comps |= {s["component"] for s in sp}
        if any(s["parent_id"] and s["parent_id"] not in idx for s in sp): bad.append("orphan span")
    pre = [(c["id"], round((P(e["onset"]) - P(c["timestamp"])).total_seconds() / 60, 1)) for c in ch if e["onset"] and c["id"] in e["decoys"] and 0 <= (P(e["onset"]) - P(c["timestamp"])).total_seconds() <= 600]
    print(f"{n:28s} {os.path.getsize(d+'.zip')//1024:4d}KB comps={len(comps)} changes={len(ch)} cause={e['cause']} change={e['change']} near={pre} ncdiff={sum(bool(c['diff']) for c in ch)} BAD={bad}")
