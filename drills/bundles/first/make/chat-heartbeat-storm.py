from common import *
B = Bundle("chat-heartbeat-storm", 114, "chat", "2025-12-02T18:10:00Z", 72, 10, peak=20, lv="lower")
T = 36.5
B.change("4be1f", "deploy", 33.4, "auth", "auth v77: structured audit log", diff=D("auth/audit.go", "@@ -10,4 +10,4 @@ func Audit(ctx context.Context, ev Event) {\n-\tlog.Printf(\"audit %s %s\", ev.Kind, ev.Subject)\n+\tslog.InfoContext(ctx, \"audit\", \"kind\", ev.Kind, \"sub\", ev.Subject)\n }"), boot=True, lang="go")
B.change("9c02d", "deploy", 36.0, "ws-gateway", "ws-gateway v310: typed settings module", diff=D("src/settings.ts", """@@ -1,9 +1,17 @@
-export const HEARTBEAT_MS = 30_000
-export const HEARTBEAT_GRACE_MS = 15_000
+import { duration } from './units'
+
+export const settings = {
+  heartbeat: duration(30, 's'),
+  heartbeatGrace: duration(15, 'ms'),
+  maxFrame: 64 * 1024,
+}""") + D("src/conn.ts", """@@ -40,7 +48,7 @@ export class Conn {
   private arm() {
     clearTimeout(this.timer)
-    this.timer = setTimeout(() => this.close(4408, 'heartbeat timeout'), HEARTBEAT_MS + HEARTBEAT_GRACE_MS)
+    this.timer = setTimeout(() => this.close(4408, 'heartbeat timeout'), settings.heartbeat + settings.heartbeatGrace)
   }"""), boot=True, lang="node")
B.change("71aa0", "config", 31, "presence-redis", "presence-redis: io-threads 2 -> 4", diff=D("redis/presence.conf", "@@ -44 +44 @@\n-io-threads 2\n+io-threads 4"))
B.filler(5, -300, 30, ["message-store", "push", "media"], "f")
B.svc("ws-gateway", 380, 6, 40, lang="node", fx=dict(rps=[mul(T, 3.2, ramp=3)], cpu=[mul(T, 1.9, ramp=3)], p99=[mul(T + 1, 6, ramp=4)], err=[add(T + 2, .03, ramp=4)], rt=[mul(T, 3)]), pods=12)
B.s("ws-gateway", "ws_connections", 84000, .003, [mul(T, .7, ramp=4)], integer=True); B.s("ws-gateway", 'ws_close_total{code="4408"}', .6, 0, [add(T, 520, ramp=1.2)], "ctr"); B.s("ws-gateway", 'ws_close_total{code="1001"}', 21, .1, [spike(T, 4, 1)], "ctr"); B.s("ws-gateway", "ws_accept_total", 24, .1, [add(T, 560, ramp=1.5)], "ctr")
B.svc("auth", 60, 14, 70, lang="go", fx=dict(rps=[add(T + .3, 690, ramp=2.5)], lat=[mul(T + 1, 38, ramp=4)], err=[add(T + 1.5, .42, ramp=4)], cpu=[mul(T + .5, 3.0, ramp=2)], rt=[mul(T + 1, 14, ramp=4)]))
B.pg("users-db", 80, 400, 22, fx=dict(cpu=[mul(T + .5, 3.9, ramp=3)], active=[mul(T + 1, 6, ramp=3)], tps=[mul(T + .4, 4, ramp=2)])); B.svc("message-store", 210, 9, 44, lang="jvm", fx=dict(rps=[mul(T + 1, .72, ramp=4)])); B.svc("push", 40, 20, 90, lang="go", fx=dict(rps=[mul(T + 1, 3.4, ramp=3)])); B.redis("presence-redis", 5200, 800, hit=.99, fx=dict(ops=[mul(T, 3, ramp=2)]))
B.topo("ws-gateway > auth presence-redis message-store push\nauth > users-db")
B.chat("ws-gateway", ["join room={hex4}", "conn c_{hex8} heartbeat ok"], 5, "node"); B.logs("ws-gateway", "INFO", "conn c_{hex8} closed 4408 heartbeat timeout idle={n:30014-30019}ms", T, pm=8); B.logs("ws-gateway", "INFO", "conn c_{hex8} closed 4408 heartbeat timeout idle={n:45001-45900}ms", 0, T - .5, pm=.4); B.logs("ws-gateway", "WARN", "auth rpc deadline exceeded for resume token", T + 2, pm=4)
B.chat("auth", ["audit kind=token.refresh sub=u{n:10000-99999}"], 3, "go"); B.logs("auth", "INFO", "audit kind=session.resume sub=u{n:10000-99999}", T, pm=8); B.logs("auth", "ERROR", "resume: acquire db conn: context deadline exceeded (pool 40/40, waiting {n:80-900})", T + 1.5, pm=6); B.chat("message-store", ["stored m_{hex8}"], 3, "jvm"); B.chat("push", [], 1.5, "go"); B.chat("users-db", [], .6, "pg"); B.chat("presence-redis", [], .3, "redis")
B.alert(T + 3, "AuthDown", "critical", "auth", "auth 5xx above 30%"); B.alert(T + 4, "DBCPU", "warning", "users-db", "users-db cpu above 85%"); B.alert(T + 6, "MessageDeliveryDelay", "critical", "ws-gateway", "delivery p99 above 2s")
B.finish(T + 5, "code/unit error", ["code"], ["ws-gateway"], "9c02d", ["4be1f", "71aa0"], T, why="Close code 4408 explodes with idle 30.015 s instead of 45 s right after 9c02d (grace 15 ms); auth gets ten times its rate from reconnects and is a victim although it was deployed 3 minutes before.")
