# N8 SaaS: external identity provider slow/timeouts -> auth threads block; unrelated reindex job spike. Decoys.
from common import *
b = B("tenant_signin", 308, "2025-05-13T13:20:00", 110, 30, ids="v{n}", tz="-04:00")
L = b.load(.25, 15); T, E = 48, 96
b.topo("lb>app,api;app>auth;api>auth,tenant-db;auth>idp-external,session-redis,tenant-db;search-indexer>tenant-db;notifier>api")
b.svc("lb", "cw", 300, 190, .002, load=L, errs=[add(T+2, .12, 5, E, 4)], lat=[mul(T+1, 9, 5, E, 4)]); b.svc("app", "cw", 130, 260, .003, load=L, errs=[add(T+2, .11, 5, E, 4)], lat=[mul(T+1, 10, 5, E, 4)], rt="ruby"); b.svc("api", "cw", 170, 90, .001, load=L, errs=[add(T+3, .13, 5, E, 4)], lat=[mul(T+1, 14, 5, E, 4)], rt="node"); b.svc("auth", "cw", 240, 25, .0006, load=L, errs=[add(T+1, .17, 3, E, 3)], lat=[mul(T, 120, 3, E, 3)], cpux=[mul(T, .6, 3, E)], rt="jvm")
b.s("auth", "IdpCallLatencyP50", 85, .08, fx=[to(T, 9800, 2, E, 2)]); b.s("auth", "IdpCallTimeouts", .2, 0, kind="p", fx=[add(T, 260, 2, E, 2)]); b.s("auth", "ThreadsBusy", 34, .1, L, kind="i", fx=[to(T+1, 200, 4, E, 3)]); b.s("auth", "LocalPasswordLoginP50", 40, .08, fx=[mul(T+2, 2.1, 4, E, 3)]); b.s("auth", "TokensIssued{provider=external}", 610, 0, L, kind="p", fx=[mul(T, .06, 2, E, 2)]); b.s("auth", "TokensIssued{provider=local}", 140, 0, L, kind="p", fx=[mul(T+2, .8, 4, E, 3)])
b.s("session-redis", "CurrConnections", 120, .02, kind="i"); b.s("session-redis", "Evictions", 0, 0, kind="k"); b.pg("tenant-db", 80, 300, 27, 1200, L, style="cw", cpux=[add(40, 34, 2, 70)], connx=[add(40, 6, 1, 70)]); b.s("search-indexer", "DocsPerMinute", 300, .2, fx=[add(40, 24000, 2, 70)]); b.s("search-indexer", "CPUUtilization", 6, .2, fx=[add(40, 74, 2, 70)]); b.s("notifier", "Sent", 90, 0, L, kind="p"); b.s("idp-external", "SyntheticLoginOk", 1, 0, kind="k", fx=[to(T+.5, 0, 0, E, .1)]); b.s("idp-external", "SyntheticConnectMs", 21, .1, fx=[mul(T, 1.05)]); b.s("idp-external", "SyntheticFirstByteMs", 90, .1, fx=[to(T, 9900, 1, E, 1)])
b.chat("lb", 3, "nginx"); b.chat("app", 3, "rails"); b.chat("api", 2.5, "node"); b.chat("auth", 2, "spring"); b.chat("auth", 5, ["E idp token exchange failed: java.net.SocketTimeoutException: Read timed out (host=login.idp-external.example, 10000 ms)\n\tat java.base/sun.nio.ch.NioSocketImpl.timedRead(NioSocketImpl.java:288)\n\tat app.auth.idp.IdpClient.exchange(IdpClient.java:59)", "W executor saturated active=200 queued={#40-900}", "W idp responded 503 Retry-After: 30"], T+.2, E, w=[3, 2, 1]); b.chat("app", 2, ["E sign in failed: auth timeout tenant={#100-400}"], T+1, E); b.chat("api", 2, ["E token introspection timed out"], T+1.5, E); b.chat("search-indexer", 2, ["I reindex tenant={#100-400} docs={#900-9000}"], 40, 70); b.chat("tenant-db", .7, "pg"); b.chat("notifier", .5, "py"); b.chat("session-redis", .3, "redis"); b.log(45.6, "auth", "I auth 10.4.0 started")
d1 = b.change(44.8, "deploy", "auth", "auth 10.4.0: idp client with connection reuse", diff=D("auth/src/main/java/app/auth/idp/IdpClient.java", """
-    private final HttpClient http = HttpClient.newHttpClient();
+    private final HttpClient http = HttpClient.newBuilder()
+            .version(HttpClient.Version.HTTP_1_1)
+            .connectTimeout(Duration.ofSeconds(2))
+            .build();
 
     Token exchange(String code) {
         HttpRequest r = HttpRequest.newBuilder(tokenUri).timeout(Duration.ofSeconds(10))""", 33))
d2 = b.change(39.5, "config", "search-indexer", "search-indexer: manual reindex of all tenants, 8 workers", diff=D("jobs/reindex.yaml", " reindex:\n-  workers: 2\n+  workers: 8\n   scope: all", 5))
d3 = b.change(T-1, "flag", "app", "app: new login page for 20% of tenants", files=["flags/login_v3.json"], diff=D("flags/login_v3.json", "-  \"percent\": 5\n+  \"percent\": 20", 4))
b.change(E+3, "deploy", "auth", "auth 10.4.1: idp timeout 10s -> 3s (follow-up)", files=["auth/src/main/java/app/auth/idp/IdpClient.java"], diff=None)
b.bg(5, ["notifier", "api", "lb"], -70, 100, avoid=[(43, 50)])
b.alert(T+4, "SignInFailures", "critical", "sign in failures 11%", "", service="app"); b.alert(T+5, "AuthThreads", "critical", "auth executor saturated", "", service="auth"); b.alert(43, "TenantDbCPU", "info", "tenant-db CPU above 55%", "", service="tenant-db", ends=72)
b.traces(90, N("lb", "POST /login", 3, [N("app", "sessions#create", 20, [N("auth", "login", 8, [N("tenant-db", "SELECT tenant", 2), N("idp-external", "POST /token", 90, lat=[to(T, 9700, 2, E, 2)], err=lambda m: .55 if T < m < E else .001), N("session-redis", "SET", .6)])])]))
b.done("multi-tenant app sign in", "identity provider outage; unrelated reindex", ["dependency"], ["idp-external", "auth"], None, [d1, d2, d3], T, "our own synthetic check from outside also times out on first byte of the provider, which answers 503; it ends before any change, and auth 10.4.0 worked normally for minutes.")
