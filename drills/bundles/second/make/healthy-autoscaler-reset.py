# Healthy: scale-down, rolling restart, counter resets; alert on absolute request rate. Nothing bad.
from common import *
b = Bundle("healthy-autoscaler-reset", 312, "2025-06-21T19:00:00Z", 3, 30, "courier", ["parcels", "stops", "labels", "scans"])
d = 1 - .62 * b.ramp(30, 175) + .0 * b.m
b.svc("label-api", "dd", 60, 30, 190, traffic=d); b.svc("track-api", "prom", 130, 14, 100, traffic=d, reset=(96.5,)); b.svc("scan-ingest", "prom", 80, 8, 60, traffic=d, reset=(98, )); b.svc("route-planner", "micrometer", 6, 300, 1500, traffic=d, memm=1 - .45 * b.stp(97)); b.svc("eta-svc", "prom", 40, 20, 120, traffic=d)
b.put("track-api", "kube_deployment_status_replicas", 12 - 2 * b.stp(52) - 3 * b.stp(93) - 2 * b.stp(141), dec=0); b.put("scan-ingest", "kube_deployment_status_replicas", 9 - 1 * b.stp(61) - 3 * b.stp(95), dec=0); b.g("route-planner", "jvm_threads_live", 130, .02, 1 - .2 * b.stp(97), dec=0); b.g("redis", "redis_connected_clients", 240, .03, 1 - .12 * b.stp(52) - .25 * b.stp(94), dec=0); b.g("redis", "redis_used_memory_mb", 1800, .01, phi=.9); b.g("pg", "pg_connections", 120, .04, 1 - .3 * b.stp(94), dec=0); b.g("pg", "pg_tps", 900, .05, d); b.k("pg", "pg_deadlocks", 0)
b.chat("track-api", "go", 260); b.chat("scan-ingest", "rust", 220); b.chat("route-planner", "spring", 200); b.chat("k8s-events", "k8s", 130); b.chat("eta-svc", "ml", 110)
for t, m in ((52, "track-api; from 12 to 10"), (61, "scan-ingest; from 9 to 8"), (93, "track-api; from 10 to 7"), (95, "scan-ingest; from 8 to 5"), (141, "track-api; from 7 to 5")): b.log("k8s-events", t, "Normal", f"SuccessfulRescale New size for {m} reason: All metrics below target")
b.burst("route-planner", "INFO", "graceful shutdown complete, active requests=0", 96, 98, 3); b.log("track-api", 96.6, "info", "listening on :8080"); b.burst("track-api", "info", "received SIGTERM, draining", 92, 97, 1)
b.change("cr-110", "commit", 70, "track-api", "bea", "Track: batch redis reads with MGET", ["track/store.go"], diff("track/store.go", '''@@ -40,10 +40,8 @@ func (s *Store) Many(ctx context.Context, ids []string) ([]Event, error) {
-	for _, id := range ids {
-		v, err := s.r.Get(ctx, key(id)).Bytes()
-		if err != nil {
-			return nil, err
-		}
-		out = append(out, decode(v))
-	}
+	vs, err := s.r.MGet(ctx, keys(ids)...).Result()
+	if err != nil {
+		return nil, err
+	}
'''))
b.change("cr-rel-61", "deploy", 96, "track-api", "ci", "track-api 6.1", commit=b.chg[-1][1]["commit"]); b.change("cr-hpa", "config", 85, "scan-ingest", "platform", "hpa: stabilisation window 600s -> 300s", ["helm/scan/values.yaml"], diff("helm/scan/values.yaml", '''@@ -31,3 +31,3 @@ behavior:
   scaleDown:
-    stabilizationWindowSeconds: 600
+    stabilizationWindowSeconds: 300
''')); b.change("cr-rel-62", "deploy", 97, "route-planner", "ci", "route-planner 12.0", ["pom.xml"], None); b.change("cr-flag", "flag", 104, "label-api", "ops", "label printer v2: 100%")
b.alert("RequestRateDropped", "track-api", 99, "warning", "http_requests_total rate below 60% of one hour ago", end=112)
b.edges = [["track-api", "redis"], ["track-api", "pg"], ["scan-ingest", "pg"], ["route-planner", "eta-svc"], ["label-api", "pg"], ["eta-svc", "redis"]]
b.expect("healthy", [], [], None, ["cr-rel-61", "cr-rel-62", "cr-hpa", "cr-110", "cr-flag"], None, None, True, "Evening traffic ebbs on every service alike, replicas follow, counters reset by a rolling restart; latency and error ratios do not move.")
b.write(opened=100)
