from common import *
B = Bundle("iot-rule-regex", 112, "telemetry-ingest", "2025-04-24T11:50:00Z", 180, 30, peak=14, lv="long")
C = 47.0; T = 70.6; U = 130.6
hr = lambda lo, hi: [setv(T, hi, 92, 1.5, 3), setv(U, hi, 154, 1.5, 3)]
B.change("fw-2.9.1", "deploy", 66, "device-fleet", "firmware 2.9.1 to canary group (1% of devices)", files=["fw/manifest.json"])
B.change("re-640", "deploy", C, "rules-engine", "rules-engine 640: accept dotted labels", diff=D("rules/labels.py", """@@ -5,8 +5,8 @@ import re
 
-LABEL = re.compile(r"^[A-Za-z0-9_-]{1,64}$")
+LABEL = re.compile(r"^([A-Za-z0-9_-]+[.]?)+$")
 
 
 def valid(label: str) -> bool:
-    return bool(LABEL.match(label))
+    return LABEL.match(label) is not None"""), boot=True, lang="py")
B.change("kf-22", "config", 63.0, "kafka", "kafka: topic telemetry retention 48h -> 72h", diff=D("topics/telemetry.yaml", "@@ -2,4 +2,4 @@\n partitions: 24\n config:\n-  retention.ms: 172800000\n+  retention.ms: 259200000"))
B.change("gw-118", "deploy", 68.1, "mqtt-gateway", "mqtt-gateway 118: expose session expiry", diff=D("session/session.go", "@@ -18,4 +18,5 @@ type Session struct {\n \tClientID   string\n \tCleanStart bool\n+\tExpiry     *uint32\n \tInflight   uint16\n }"), boot=True, lang="go")
B.filler(2, -200, 60, ["dashboard-api", "tsdb-writer", "alerts-api"], "n")
B.svc("mqtt-gateway", 900, 3, 18, lang="go", fx=dict(rps=[mul(10, 1.08, 14), mul(70, 1.08, 74), mul(130, 1.08, 134)])); B.svc("dashboard-api", 40, 60, 320, lang="node", fx=dict())
B.s("rules-engine", "container_cpu_usage_cores", 2.4, .06, hr(0, 7.95), season=.4); B.s("rules-engine", "rule_eval_seconds_p50", .0021, .06, [mul(T, 1.6, 92), mul(U, 1.6, 154)]); B.s("rules-engine", "rule_eval_seconds_p99", .011, .12, [setv(T, 28, 92, 1.5, 2), setv(U, 28, 154, 1.5, 2)]); B.s("rules-engine", "rule_messages_total", 890, .04, hr(0, 130), "ctr", 1); B.s("rules-engine", "rule_worker_restarts_total", .0, 0, [add(T + 1, .05, 94), add(U, .05, 154)], "ctr"); B.s("rules-engine", "process_resident_memory_bytes", 6.1e8, .01)
B.kafka("kafka", "rules-engine", 900, 400, fx=dict(lag=[lambda t, v: v + (max(0, (min(t, 93) - T) * 44000 - max(0, t - 93) * 34000) if T < t < U else 0) + (max(0, (min(t, 155) - U) * 44000 - max(0, t - 155) * 38000) if t > U else 0)]))
B.s("tsdb-writer", "tsdb_points_written_total", 5200, .04, [mul(T, .17, 92, 2, 3), mul(U, .17, 154, 2, 3)], "ctr", 1); B.s("tsdb-writer", "container_cpu_usage_cores", 1.2, .06, [mul(T, .3, 92), mul(U, .3, 154)]); B.s("tsdb", "disk_used_percent", 61, .001); B.s("tsdb", "query_seconds_p99", .21, .12); B.s("tsdb", "compactions_active", 1, .5, [every(45, 4, 2, 20)], integer=True)
B.s("alerts-api", "alert_eval_delay_seconds", 4, .2, [lambda t, v: v + (60 * min(t - T, 22) if T < t < 100 else 60 * min(t - U, 24) if U < t < 162 else 0)]); B.s("alerts-api", "http_requests_total", 12, .05, kind="ctr"); B.s("alerts-api", "up", 2, 0, integer=True)
B.topo("device-fleet > mqtt-gateway\nmqtt-gateway > kafka\nrules-engine > kafka tsdb-writer alerts-api\ntsdb-writer > tsdb\ndashboard-api > tsdb alerts-api")
B.chat("mqtt-gateway", ["CONNECT dev-{hex8} fw=2.{n:6-9}.0 keepalive=60", "PUBLISH telemetry/{hex4} {n:80-400}B"], 4, "go"); B.chat("rules-engine", ["batch of {n:200-500} evaluated in {ms:400}ms"], 2, "py"); B.chat("tsdb-writer", ["flush {n:2000-9000} points"], 1.2, "go"); B.chat("dashboard-api", [], 1, "node"); B.chat("alerts-api", [], .5, "go"); B.chat("kafka", [], .4, "kafka"); B.chat("tsdb", ["compaction of block {hex8} done"], .3, "go")
for h in (10, 70, 130): B.logs("mqtt-gateway", "INFO", "PUBLISH diag/hourly dev-{hex8} labels=62 {n:3000-5200}B", h, h + 4, pm=14)
for a, b in ((T + .6, 92), (131.2, 154)):
    B.logs("rules-engine", "ERROR", "worker timeout (pid:{n:20-90}) killed after 30s\nTraceback (most recent call last):\n  File \"/srv/rules/engine.py\", line 88, in evaluate\n    if not labels.valid(name):\n  File \"/srv/rules/labels.py\", line 12, in valid\n    return LABEL.match(label) is not None", a, b, pm=3); B.logs("rules-engine", "WARNING", "message skipped after 3 attempts topic=diag/hourly", a + 2, b, pm=2); B.logs("alerts-api", "WARNING", "input data {n:2-20}m behind, evaluating on stale series", a + 4, b, pm=.6)
B.alert(79, "TelemetryDelay", "critical", "tsdb-writer", "points written -80%"); B.alert(81, "AlertEvaluationStale", "critical", "alerts-api", "customer alert evaluation more than 5m late"); B.alert(80, "ConsumerLag", "warning", "kafka", "lag of rules-engine above 200k", label="component")
B.finish(83, "code/regex", ["code"], ["rules-engine"], "re-640", ["gw-118", "kf-22", "fw-2.9.1"], T, why="Worker timeouts stop in labels.py LABEL.match, the nested-quantifier regex of re-640; it only bites when the hourly diagnostics arrive at 13:00 and again at 14:00 (noon, before the deploy, was quiet).", delayed=True)
