"""Sceptic's view: per series, mean before / after the expected onset, the first change point, and log templates that appear."""
import csv, json, os, re, sys, statistics as st, collections, datetime as dt
R = os.path.dirname(os.path.dirname(os.path.abspath(__file__))); E = json.load(open(R + "/expected.json"))
P = lambda x: dt.datetime.fromisoformat(x.replace("Z", "+00:00")).timestamp()
for n in sys.argv[1:] or sorted(E):
    d = R + "/bundles/" + n + "/"; e = E[n]; I = json.load(open(d + "incident.json")); t0 = P(I["window"]["start"]); M = lambda x: (P(x) - t0) / 60
    on = M(e["onset"]) if e["onset"] else 60
    print("=====", n, e["cause"], e["component"], e["change"], "decoys", e["decoys"], "onset %.1f opened %.1f" % (on, M(I["opened_at"])))
    for a in I["alerts"]: print("  alert %.1f" % M(a["startsAt"]), a["labels"], a["annotations"]["summary"])
    for l in open(d + "changes.ndjson"):
        c = json.loads(l); print("  chg %7.1f %-10s %-7s %-16s %s%s" % (M(c["timestamp"]), c["id"], c["kind"], c["component"], c["title"], "" if c["diff"] else " [no diff]"))
    if os.path.exists(d + "metrics.csv"):
        S = collections.defaultdict(list)
        for r in csv.DictReader(open(d + "metrics.csv")): S[r["component"], r["metric"]].append((M(r["timestamp"]), float(r["value"])))
        out = []
        for k, v in S.items():
            if k[1].split("{")[0].endswith("_total") or k[1].startswith("node_netstat"): v = [(b[0], (b[1] - a[1] if b[1] >= a[1] else b[1]) / (b[0] - a[0]) / 60) for a, b in zip(v, v[1:])]
            a = [y for x, y in v if x < on - 1]; b = [y for x, y in v if on + 1 < x]
            if len(a) < 5 or len(b) < 5: out.append((-1, k, len(a), len(b))); continue
            sd = st.pstdev(a) or abs(st.mean(a)) * .01 or 1e-9
            z = (st.mean(b) - st.mean(a)) / sd
            f = next((x for x, y in v if x > 5 and abs(y - st.mean(a)) > 5 * sd), None)
            out.append((abs(z), k, st.mean(a), st.mean(b), f, max(b)))
        print("  span %.0f min, %d series" % (max(v[-1][0] for v in S.values()), len(S)))
        for o in sorted(out, reverse=True)[:14]: print("   z=%8.1f %s %s" % (o[0], "/".join(o[1]), " ".join("%.4g" % q if q is not None else "-" for q in o[2:])))
    if os.path.exists(d + "logs.ndjson"):
        T = collections.defaultdict(list)
        for l in open(d + "logs.ndjson"):
            q = json.loads(l); T[q["component"], q["level"], re.sub(r"[0-9a-f]*\d[0-9a-f]*", "#", q["message"].split("\n")[0])[:90]].append(M(q["timestamp"]))
        for k, v in sorted(T.items(), key=lambda x: x[1][0]):
            if k[1].lower() not in ("info",): print("   log n=%4d %6.1f..%6.1f %s" % (len(v), v[0], v[-1], " ".join(k)))
