"""Review helper: python3 look.py NAME ..."""
import sys, json, csv, os, statistics as st, datetime as dt, collections, re
root = os.path.dirname(os.path.dirname(os.path.abspath(__file__))); E = json.load(open(root + "/expected.json"))
P = lambda t: dt.datetime.fromisoformat(t.replace("Z", "+00:00"))
for n in sys.argv[1:] or E:
    d = f"{root}/bundles/{n}/"; e = E[n]; inc = json.load(open(d + "incident.json")); w0, w1 = P(inc["window"]["start"]), P(inc["window"]["end"])
    on = P(e["onset"]) if e["onset"] else w0 + (w1 - w0) / 2
    M = lambda t: (P(t) - on).total_seconds() / 60
    print("\n=====", n, inc["target"], "| window", inc["window"]["start"], inc["window"]["end"], "opened %+.1f" % M(inc["opened_at"]), "| expected", e["change"], e["component"], e["cause"])
    for a in inc["alerts"]: print("  ALERT %+.1f" % M(a["startsAt"]), a["labels"].get("service") or a["labels"].get("job"), a["annotations"]["summary"])
    for l in open(d + "changes.ndjson"):
        c = json.loads(l); print("  CHG %+8.1f %-7s %-16s %s%s%s" % (M(c["timestamp"]), c["kind"], c["component"], c["title"][:70], " [diff]" if c["diff"] else "", "  <== GUILTY" if c["id"] == e["change"] else "  (decoy)" if c["id"] in e["decoys"] else ""))
    if os.path.exists(d + "metrics.csv"):
        S = collections.defaultdict(list)
        for r in csv.DictReader(open(d + "metrics.csv")): S[r["component"], r["metric"]].append((M(r["timestamp"]), float(r["value"])))
        out = []
        for k, v in S.items():
            if re.search(r"_total|restarts", k[1]) and "counter" not in k[1] or k[1].endswith("retransmits"): v = [(b[0], max(0, b[1] - a[1])) for a, b in zip(v, v[1:])]
            pre = [x for m, x in v if -40 <= m < -1]; post = [x for m, x in v if 3 <= m < 25]
            if len(pre) < 3 or len(post) < 3: out.append((9, k, None, None)); continue
            a, b = st.median(pre), st.median(post); sd = (st.median([abs(x - a) for x in pre]) or abs(a) * .01 or 1e-3) * 1.5
            out.append((abs(b - a) / sd, k, a, b))
        out.sort(key=lambda x: -x[0])
        for z, k, a, b in out[:12]: print("   %7.1f  %s/%s %s -> %s" % (z, *k, a, b))
        print("   still:", sum(1 for o in out if o[0] < 3), "of", len(out))
    if os.path.exists(d + "logs.ndjson"):
        pre, post = collections.Counter(), {}
        for l in open(d + "logs.ndjson"):
            r = json.loads(l); k = (r["component"], r["level"], re.sub(r"[0-9a-f]{4,}|\d+", "#", r["message"])[:60])
            m = M(r["timestamp"])
            if m < 0: pre[k] += 1
            else: post.setdefault(k, [m, 0, r["message"]]); post[k][1] += 1
        for k, (m, c, msg) in sorted(post.items(), key=lambda x: x[1][0]):
            if k not in pre and k[1] in ("WARN", "ERROR", "FATAL"): print("   LOG %+6.1f x%-4d %s %s %s" % (m, c, k[0], k[1], msg[:150].replace("\n", " / ")))
