from common import *
B = Bundle("session-redis-noeviction", 107, "login", "2025-04-09T06:00:00Z", 300, 60, peak=19)
C = 38.0; T = 233.0
B.change("hc-418", "config", C, "session-redis", "helm: session-redis values aligned with queue-redis", diff=D("charts/session-redis/values.yaml", """@@ -8,12 +8,12 @@ redis:
   architecture: replication
   master:
     resources:
       limits:
         memory: 4Gi
   commonConfiguration: |-
-    maxmemory 3gb
-    maxmemory-policy allkeys-lru
+    maxmemory 3gb
+    maxmemory-policy noeviction
     timeout 0
-    tcp-keepalive 300
+    tcp-keepalive 60
"""))
B.change("rel-902", "deploy", 150, "web-bff", "web-bff 902: keep cart id in session", diff=D("src/session.ts", "@@ -14,5 +14,6 @@ export interface Session {\n   userId: string\n   locale: string\n+  cartId?: string\n   csrf: string\n }"), boot=True, lang="node")
B.change("rel-905", "deploy", 224.5, "auth", "auth 905: argon2 parameters from env", diff=D("internal/hash/argon.go", "@@ -9,3 +9,3 @@\n-const memory = 64 * 1024\n+var memory = envInt(\"ARGON_MEM_KIB\", 64*1024)"), boot=True, lang="go")
B.change("rel-904", "flag", 205, "web-bff", "flag remember-me-default on for 50%")
B.change("hc-420", "config", 229.0, "web-bff", "hpa: web-bff maxReplicas 8 -> 10", diff=D("charts/web-bff/values.yaml", "@@ -30,3 +30,3 @@ autoscaling:\n   minReplicas: 4\n-  maxReplicas: 8\n+  maxReplicas: 10"))
B.filler(5, -200, 220, ["profile", "queue-redis", "auth"], "rel-8")
B.svc("web-bff", 180, 35, 210, lang="node", fx=dict(err=[add(T, .19, ramp=3)])); B.svc("auth", 30, 110, 380, lang="go", fx=dict(err=[add(T, .61, ramp=3)], rps=[mul(T + 2, 1.8, ramp=4)])); B.svc("profile", 60, 18, 80, lang="jvm"); B.svc("mobile-bff", 90, 28, 150, lang="node", fx=dict(err=[add(T, .12, ramp=3)]))
rate = 6.6e6
B.s("session-redis", "redis_commands_processed_total", 2400, .05, [], "ctr", 1)
B.s("session-redis", "redis_memory_used_bytes", 2.21e9, .002, [lambda t, v: min(3.2212e9, v + (0 if t < C else (t - C) * 5.19e6))], hi=3.2212e9, sig=6); B.s("session-redis", "redis_memory_max_bytes", 3221225472, 0, integer=True, gap=0)
B.s("session-redis", "redis_evicted_keys_total", 34, .05, [setv(C, 0, ramp=.5)], "ctr", 1); B.s("session-redis", "redis_keyspace_hit_ratio", .94, .006, hi=1); B.s("session-redis", "redis_db_keys", 1.21e6, .002, [lambda t, v: v + (0 if t < C else min(t, T) - C) * 2840], integer=True); B.s("session-redis", "redis_rejected_writes_total", 0, 0, [add(T, 33, ramp=2)], "ctr")
B.redis("queue-redis", 900, 300, hit=.99); B.pg("users-db", 50, 200, 20, fx=dict(tps=[mul(T + 3, 1.4)]))
B.bystanders(["catalog", "banner", "geo", "consent", "newsletter"], 0)
B.topo("web-bff > auth profile session-redis\nmobile-bff > auth profile session-redis\nauth > session-redis users-db\nprofile > users-db queue-redis")
B.chat("web-bff", ["GET /home 200 {ms:40} ms", "session loaded sid={hex8}"], 1.8, "node"); B.chat("auth", ["login ok user={n:10000-99999}"], 2, "go", ["login failed bad_password user={n:10000-99999}"], .5); B.chat("mobile-bff", [], 1, "node"); B.chat("profile", [], .7, "jvm"); B.chat("session-redis", [], .3, "redis"); B.chat("queue-redis", [], .2, "redis"); B.chat("users-db", [], .2, "pg")
B.log(C + .3, "session-redis", "INFO", "Server initialized; maxmemory=3221225472 policy=noeviction")
B.logs("auth", "ERROR", "create session: OOM command not allowed when used memory > 'maxmemory'.", T, pm=6); B.logs("web-bff", "ERROR", "ReplyError: OOM command not allowed when used memory > 'maxmemory'.\n    at parseError (/app/node_modules/redis-parser/lib/parser.js:179:12)\n    at SessionStore.touch (/app/dist/session.js:58:11)", T, pm=5); B.logs("mobile-bff", "ERROR", "session touch failed: OOM command not allowed", T, pm=2)
B.alert(T + 4, "LoginFailureRate", "critical", "auth", "login failures above 40%"); B.alert(T + 5, "HighErrorRate", "critical", "web-bff", "web-bff 5xx above 5%")
B.finish(T + 6, "configuration", ["configuration"], ["session-redis"], "hc-418", ["rel-905", "hc-420", "rel-904"], T, why="Evictions stop and memory climbs from hc-418 (noeviction) until it hits maxmemory 3 h later and writes are refused; deploys just before are innocent.", delayed=True, onset_from=C - 2)
