# F1 ML flag ramp 10 -> 100 sends all traffic to the XL ranker; GPU saturates. No logs. Unrelated: feature-store compaction anomaly.
from common import *
b = B("feed_ranking", 205, "2025-11-04T16:30:00", 130, 30, ids="ld-{n}")
L = b.load(.3, 20); T = 66
b.topo("feed-api>ranker,candidates;ranker>feature-store,gpu-base,gpu-xl;candidates>ann-index;feed-api>profile-cache;event-collector>feature-store")
b.svc("feed-api", "otel", 420, 190, .002, load=L, errs=[add(T+1, .06, 6)], lat=[mul(T, 3.8, 5)], rt="go"); b.svc("ranker", "otel", 410, 110, .001, load=L, errs=[add(T+1, .09, 6)], lat=[mul(T, 6, 5)]); b.svc("candidates", "otel", 430, 30, .0005, load=L, rt="go", reset=[])
b.s("ranker", "ranker.variant.requests{variant=base}", 370*30, .03, L, kind="p", fx=[mul(T, .0, .5)]); b.s("ranker", "ranker.variant.requests{variant=xl}", 41*30, .03, L, kind="p", fx=[mul(T, 9.7, .5)]); b.s("ranker", "ranker.fallback.popularity", 1, 0, kind="p", fx=[add(T+1, 900, 6)])
for g, u in (("gpu-base", 58), ("gpu-xl", 44)):
    x = g == "gpu-xl"
    b.s(g, "DCGM_FI_DEV_GPU_UTIL", u, .06, L, fx=[to(T, 99.5, 1)] if x else [to(T, .5, 1)], hi=100); b.s(g, "inference_queue_depth", 3, 0, L, kind="p", fx=[add(T, 480, 5)] if x else [mul(T, 0, 1)]); b.s(g, "inference_batch_ms", 41 if x else 17, .05, fx=[mul(T, 1.25, 2)] if x else []); b.s(g, "DCGM_FI_DEV_FB_USED_mib", 30100 if x else 14200, .002, kind="i"); b.s(g, "DCGM_FI_DEV_GPU_TEMP", 61 if x else 66, .02, fx=[add(T, 14, 12)] if x else [add(T, -20, 15)]); b.s(g, "DCGM_FI_DEV_XID_ERRORS", 0, 0, kind="k"); b.s(g, "replicas", 4 if x else 12, 0, kind="k")
b.s("feature-store", "read.p95_ms", 6, .1, fx=[mul(60, 1.7, 1, 82)]); b.s("feature-store", "compaction.running", 0, 0, kind="k", fx=[add(59, 3, 0, 82, 0)]); b.s("feature-store", "disk.io.util", 24, .1, fx=[mul(59, 2.9, 1, 82)]); b.s("feature-store", "reads", 61000, .04, L, kind="i"); b.s("profile-cache", "hit.ratio", .91, .01, hi=1); b.s("ann-index", "recall.probe", .962, .003, hi=1); b.s("ann-index", "p95_ms", 14, .08); b.s("event-collector", "events", 8000, .05, L, kind="i"); b.s("event-collector", "dropped", 0, 0, kind="k")
G = b.change(T-.2, "flag", "ranker", "rank_xl_enabled: rollout 10% -> 100%", author="c.adeyemi", files=["flags/ranker.yaml"], diff=D("flags/ranker.yaml", """
 rank_xl_enabled:
   type: percentage
   salt: feed-2025-10
-  rollout: 10
+  rollout: 100
   fallback: base""", 18))
d1 = b.change(T-.1, "deploy", "candidates", "candidates 2.60.0: fetch 600 instead of 500 candidates", diff=D("candidates/internal/fetch.go", "-const perSource = 125\n+const perSource = 150\n \n const sources = 4", 10))
d2 = b.change(T-14, "deploy", "gpu-xl", "node image with driver 550.90 on gpu-xl pool", files=["terraform/gpu/pools.tf"], diff=D("terraform/gpu/pools.tf", "   pool \"gpu-xl\" {\n-    image = \"ml-node-2025-09-a\"\n+    image = \"ml-node-2025-10-c\"\n     count = 4\n   }", 40))
d3 = b.change(T-7, "config", "feature-store", "feature-store: compaction window 17:25-18:00", diff=D("feature-store/values.yaml", " compaction:\n-  window: \"03:00-03:35\"\n+  window: \"17:25-18:00\"\n   threads: 3", 6))
b.bg(6, ["feed-api", "profile-cache", "ann-index", "event-collector"], -80, 110)
b.alert(T+6, "FeedLatencySLO", "critical", "feed p95 above 600 ms", "", service="feed-api"); b.alert(-4+T, "FeatureStoreCompaction", "warning", "feature-store read p95 +70%", "disk util 70%", service="feature-store", ends=84)
tr = lambda v, n, a, z, q: b.traces(n, N("feed-api", "GET /feed", 25, [N("candidates", "fetch", 18, [N("ann-index", "search", 9)]), N("ranker", "rank", 14, [N("feature-store", "mget", 4, lat=[mul(60, 1.7, 1, 82)]), N(v, "infer", 24 if v == "gpu-base" else 50, lat=[mul(T, q, 5)], err=lambda m: .1 if m > T + 2 and v == "gpu-xl" else .001)])]), a, z)
tr("gpu-base", 65, 0, T, 1); tr("gpu-xl", 10, 0, T, 1); tr("gpu-xl", 70, T, None, 11)
b.done("feed ranking", "flag ramp to 100% saturates the small XL GPU pool; unrelated compaction next to it", ["configuration", "capacity"], ["ranker", "gpu-xl"], G, [d1, d2, d3], T, "variant traffic moves from base to xl within one minute of the flag change, base GPUs go idle and the 4-replica xl pool queues; driver had run fine for 14 min at 10%.", no=("logs",))
