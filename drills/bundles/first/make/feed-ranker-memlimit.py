from common import *
B = Bundle("feed-ranker-memlimit", 124, "feed", "2025-07-03T13:00:00Z", 210, 60, peak=20)
C = 40.0; T = 97.0; K = [97, 118, 139, 160, 181, 202]
B.change("hl-660", "config", C, "feed-ranker", "right-size: requests and limits from 14 day percentile", diff=D("deploy/feed-ranker/values-prod.yaml", """@@ -11,11 +11,11 @@ resources:
   requests:
-    cpu: "2"
-    memory: 3Gi
+    cpu: 1500m
+    memory: 1Gi
   limits:
     cpu: "4"
-    memory: 4Gi
+    memory: 1536Mi
 env:
   EMBEDDING_CACHE_MAX: "2500000\"""") + D("deploy/feed-api/values-prod.yaml", "@@ -9,3 +9,3 @@\n   requests:\n-    cpu: 750m\n+    cpu: 600m"))
B.change("fd-412", "deploy", 92.5, "feed-api", "feed-api 412: dedupe reposts", diff=D("feed/dedupe.go", "@@ -5,5 +5,12 @@\n func Dedupe(in []Item) []Item {\n-\treturn in\n+\tseen := make(map[string]struct{}, len(in))\n+\tout := in[:0]\n+\tfor _, it := range in {\n+\t\tif _, ok := seen[it.Root]; !ok {\n+\t\t\tseen[it.Root] = struct{}{}\n+\t\t\tout = append(out, it)\n+\t\t}\n+\t}\n+\treturn out\n }"), boot=True, lang="go")
B.change("ml-33", "deploy", 71, "model-registry", "ranker weights 2025-07-03 (same architecture)", files=["registry/ranker.yaml"])
B.change("fl-7", "flag", 94.0, "feed-api", "flag feed.autoplay 10% -> 15%")
B.filler(5, -300, 90, ["profile", "media", "model-registry"], "fd-3")
for k in [C + .5]: B.boot(k, "feed-ranker", "py", "2025.27")
for k in K: B.boot(k, "feed-ranker", "py", "2025.27", pods=2)
al = [C + .5] + K
saw = lambda t, v: v if t < C else min(1.6e9, 5.4e8 + 1.08e9 * min(1, (t - max(a for a in al if a <= t + 1e-6)) / (56 if t < T else 20.5)) ** .8) if t >= C + .5 else v
dip = lambda amp: (lambda t, v: v + amp * max([0] + [math.exp(-((t - k - 1) / 2.0) ** 2) for k in K]))
B.svc("feed-api", 210, 60, 300, lang="go", fx=dict(err=[dip(.12)], p99=[lambda t, v: v * dip(5)(t, 1)])); B.svc("gateway", 400, 20, 120, lang="go", fx=dict(err=[dip(.05)])); B.svc("profile", 120, 10, 50, lang="jvm"); B.svc("media", 300, 8, 40, lang="go")
B.s("feed-ranker", "container_memory_working_set_bytes", 3.05e9, .008, [saw], ar=.8); B.s("feed-ranker", "container_spec_memory_limit_bytes", 4294967296, 0, [setv(C + .4, 1610612736, ramp=0)], integer=True, gap=0); B.s("feed-ranker", "kube_pod_container_status_restarts_total", 0, 0, [lambda t, v: 3 * sum(k <= t for k in K)], integer=True); B.s("feed-ranker", "rank_seconds_p99", .09, .1, [dip(.8), lambda t, v: v * (1 + .8 * math.exp(-(t - C) / 12) if t > C else 1)]); B.s("feed-ranker", "embedding_cache_entries", 2.41e6, .004, [lambda t, v: v if t < C + .5 else max(0, (saw(t, 0) - 5.4e8) / 1.08e9) * 1.4e6], integer=True); B.s("feed-ranker", "container_cpu_usage_cores", 5.4, .06, [mul(C, 1.2, C + 30, 1, 20)], season=.7); B.s("feed-ranker", "rank_requests_total", 205, .05, [lambda t, v: v * (1 - dip(.3)(t, 0))], "ctr", 1)
B.s("model-registry", "http_requests_total", 1, .1, kind="ctr"); B.s("model-registry", "process_resident_memory_bytes", 2.1e8, .01); B.redis("feature-redis", 5200, 2200)
B.topo("gateway > feed-api profile media\nfeed-api > feed-ranker profile\nfeed-ranker > feature-redis model-registry")
for k in K:
    for p in range(3): B.log(k + .1 * p - .2, "kubelet", "WARN", "Container feed-ranker in pod feed-ranker-{hex4} OOMKilled, exit code 137, limit 1536Mi")
    B.logs("feed-api", "ERROR", "rank call failed: rpc error: code = Unavailable desc = connection refused feed-ranker:9000", k, k + 2.5, pm=14); B.logs("gateway", "WARN", "GET /feed 503 {ms:40}ms", k + .2, k + 2.5, pm=8)
B.chat("feed-api", ["feed built user={n:1000-99999} items=40 {ms:60}ms"], 2.4, "go"); B.chat("gateway", [], 1.2, "go"); B.chat("feed-ranker", ["ranked 400 candidates {ms:50}ms", "embedding cache warm {n:10-99}%"], 2, "py"); B.chat("profile", [], .6, "jvm"); B.chat("media", [], .6, "go"); B.chat("feature-redis", [], .2, "redis")
B.alert(121, "FeedErrors", "critical", "feed-api", "feed-api 5xx bursts above 5%", label="component"); B.alert(142, "PodRestarts", "warning", "feed-ranker", "restarts > 3 in 30m", label="component")
B.finish(144, "configuration", ["configuration"], ["feed-ranker"], "hl-660", ["fd-412", "fl-7", "ml-33"], T, why="Limit drops from 4Gi to 1.5Gi at hl-660 while the cache needs 3 GB; the pods fill up during 56 min of warm-up and are OOMKilled every 21 min since; feed-api deploy is innocent.", delayed=True, onset_from=C - 2)
