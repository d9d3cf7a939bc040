# Rate limiter switched from cluster-wide (redis) to per pod; nothing happens until the partner's hourly batch, which used to be throttled. core-banking is the victim and looks worst.
from common import *
b = Bundle("limiter-local-counters", 323, "2025-03-04T08:45:00Z", 3, 20, "open-banking", ["accounts", "consents", "balances", "transfers"])
CH = 88; ON = 135; batches = [(15, 27), (75, 87), (135, 147)]
bt = sum(b.pulse(x, y, .5) for x, y in batches); old = sum(b.pulse(x, y, .5) for x, y in batches[:2]); new = b.pulse(ON, 151, .5); tail = b.pulse(ON, 158, 1.5)
b.g("api-gateway", "requests_in_rate", 320, .05, add=1500 * bt); b.g("api-gateway", "rate_limited_rate", .5, .5, add=1210 * old + 190 * new); b.svc("api-gateway", "prom", 320, 40, 260, traffic=1 + 4.5 * bt, slow=1 + 14 * tail, fail=.12 * tail); b.g("api-gateway", "limiter_latency_p99_ms", 3.1, .1, 1 - .9 * b.stp(CH)); b.k("api-gateway", "kube_pods_ready", 8)
b.g("redis-limiter", "redis_ops", 640, .06, 1 + 4 * old - b.stp(CH) * .99); b.g("redis-limiter", "redis_connected_clients", 80, .02, 1 - .85 * b.stp(CH), dec=0)
b.svc("account-svc", "prom", 240, 25, 190, traffic=1 + .5 * old + 5 * new, slow=1 + 15 * tail, fail=.16 * tail); b.svc("consent-svc", "prom", 90, 12, 80, traffic=1 + .4 * old + 2 * new, slow=1 + .6 * tail); b.svc("core-adapter", "micrometer", 200, 60, 350, traffic=1 + .5 * old + 4.5 * new, slow=1 + 22 * tail, fail=.3 * tail); b.g("core-banking", "mq_depth", 12, .4, add=5200 * b.pulse(ON, 152, 6), dec=0); b.g("core-banking", "mips_used_percent", 51, .04, 1 + .12 * old + .9 * tail, hi=100); b.g("core-banking", "cics_tx_rate", 210, .05, 1 + .4 * old + 1.2 * tail); b.g("branch-desk", "branch_desk.tx.time.mean", 700, .08, 1 + 10 * tail); b.g("branch-desk", "branch_desk.tx.error", .2, 1, add=22 * tail, dec=0); b.svc("mobile-app-api", "statsd", 110, 70, 400, slow=1 + 8 * tail, fail=.1 * tail)
b.chat("api-gateway", "nginx", 330); b.chat("account-svc", "go", 200); b.chat("core-adapter", "spring", 230); b.chat("branch-desk", "dotnet", 100); b.chat("mobile-app-api", "mobile", 130)
for x, y in batches[:2]: b.burst("api-gateway", "warn", "429 client=tpp-ledgerly path=/v1/accounts/{id}/balances limit=600/s", x, y, 7)
b.burst("api-gateway", "info", "200 client=tpp-ledgerly path=/v1/accounts/{id}/balances", 135, 148, 7); b.burst("api-gateway", "warn", "429 client=tpp-ledgerly path=/v1/accounts/{id}/balances limit=600/s", 135, 148, 1); b.burst("core-adapter", "ERROR", ["MQRC_Q_FULL 2053 putting request {uuid}", "reply timeout after 5000 ms correlId={uuid}"], ON + 2, 157, 6); b.burst("branch-desk", "Error", "Counter transaction {id} failed: core timeout", ON + 3, 157, 2)
b.change("gw-cfg-61", "config", CH, "api-gateway", "stellan", "limiter: keep counters local, saves a hop", ["gateway/limits.yaml"], diff("gateway/limits.yaml", '''@@ -8,9 +8,7 @@ rateLimits:
   - name: tpp-default
     key: client_id
     limit: 600
     window: 1s
-    store: redis
-    redis:
-      address: redis-limiter:6379
+    store: memory
     onLimit: 429
'''))
b.change("ca-30", "commit", 101, "core-adapter", "ilse", "adapter: reply timeout 8 s -> 5 s", ["src/main/java/core/MqClient.java"], diff("src/main/java/core/MqClient.java", '''@@ -20,3 +20,3 @@ class MqClient {
-  private static final int REPLY_MS = 8000;
+  private static final int REPLY_MS = 5000;
''')); b.change("ca-rel-9", "deploy", 132, "core-adapter", "jenkins", "core-adapter 9.0", commit=b.chg[-1][1]["commit"]); b.change("acc-rel-44", "deploy", 121, "account-svc", "jenkins", "account-svc 4.4: balances in one call", ["account/balances.go"], diff("account/balances.go", '''@@ -31,7 +31,6 @@ func (s *Svc) Balances(ctx context.Context, ids []string) ([]Balance, error) {
-	for _, id := range ids {
-		b, err := s.core.Balance(ctx, id)
-	}
+	return s.core.BalancesByIDs(ctx, ids)
 }
''')); b.change("fl-var", "flag", 116, "mobile-app-api", "product", "balance widget on lock screen 10%"); b.change("hpa-gw", "config", 40, "api-gateway", "platform", "gateway minReplicas 6 -> 8", ["helm/gateway/values.yaml"], None)
b.alert("CoreAdapterErrors", "core-adapter", 138, "critical", "core-adapter 5xx > 20%"); b.alert("BranchDesk", "branch-desk", 139.5, "critical", "counter transactions are failing", label="component"); b.alert("MqDepth", "core-banking", 138.5, "warning", "MQ depth above 1000", label="component")
b.edges = [["mobile-app-api", "account-svc"], ["api-gateway", "account-svc"], ["api-gateway", "consent-svc"], ["api-gateway", "redis-limiter"], ["account-svc", "core-adapter"], ["core-adapter", "core-banking"], ["branch-desk", "core-banking"]]
b.expect("config_rate_limiter", ["configuration"], ["api-gateway"], "gw-cfg-61", ["ca-rel-9", "ca-30", "acc-rel-44", "fl-var", "hpa-gw"], ON, [ON - 1, ON + 4], why="The partner's batch comes every hour with the same size: at 09:00 and 10:00 it was cut to 600/s (429), at 11:00, after the limiter kept its counters per pod (8 pods), almost nothing is cut, three times as much passes and the core drowns.", delayed=True)
b.write(opened=140)
