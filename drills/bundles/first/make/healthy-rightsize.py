from common import *
B = Bundle("healthy-rightsize", 129, "accounts", "2025-03-27T02:00:00Z", 150, 60, peak=20)
B.change("acc-701", "config", 63.0, "accounts-api", "accounts-api: move to smaller nodes (cpu request 4 -> 2, replicas 3 -> 6)", diff=D("deploy/accounts/values.yaml", "@@ -2,8 +2,8 @@\n-replicas: 3\n+replicas: 6\n resources:\n   requests:\n-    cpu: \"4\"\n+    cpu: \"2\"\n     memory: 2Gi\n nodeSelector:\n-  pool: large\n+  pool: medium"))
B.change("acc-702", "deploy", 78.0, "kyc", "kyc 19: remove old provider", diff=D("kyc/providers.py", "@@ -4,6 +4,5 @@\n PROVIDERS = {\n     'veri': Veri,\n-    'legacy': Legacy,\n     'docu': Docu,\n }"), boot=True, lang="py")
B.filler(5, -200, 120, ["kyc", "mailer", "limits"], "acc-6")
B.boots["accounts-api"] = [64, 66]
B.svc("accounts-api", 48, 22, 110, lang="jvm", fx=dict(up=[setv(63, 6, ramp=3)], rt=[spike(64, 3, .8)])); B.svc("kyc", 1.2, 240, 1700, lang="py", fx=dict(p99=[spike(88, 2.3, 1.5), spike(31, 1.9, 1)])); B.svc("limits", 60, 6, 30, lang="go"); B.svc("mailer", 2, 40, 300, lang="node"); B.svc("gateway", 90, 14, 80, lang="go")
B.s("accounts-api", "container_cpu_usage_percent_of_request", 21, .06, [mul(63, 1.02, ramp=3)], season=.6); B.s("accounts-api", "jvm_memory_used_bytes_heap", 9.1e8, .1, [mul(63, .86, ramp=3)]); B.pg("accounts-db", 60, 260, 19, fx=dict(conns=[mul(63, 1.42, ramp=3)], cpu=[mul(95, 1.5, 118, 2, 3)])); B.s("accounts-db", "node_disk_read_bytes", 2e6, .25, [mul(95, 18, 118, 1, 2)])
B.topo("gateway > accounts-api limits\naccounts-api > accounts-db kyc mailer limits")
B.chat("gateway", ["GET /v1/account 200 {ms:20}ms"], 3, "go"); B.chat("accounts-api", ["account a_{hex8} loaded"], 2, "jvm", ["slow request {ms:400}ms GET /v1/account/export"], .06); B.chat("kyc", ["check k_{hex8} provider={pick:veri|docu} result=clear {ms:900}ms"], .8, "py", ["provider docu slow {n:2000-3900}ms"], .04); B.chat("limits", [], 1.2, "go"); B.chat("mailer", [], .4, "node", ["450 mailbox busy, retry in 60s"], .07); B.chat("accounts-db", [], .5, "pg")
B.log(95, "accounts-db", "INFO", "backup: start full backup (schedule)"); B.log(118, "accounts-db", "INFO", "backup: completed, 38 GB")
for p in range(6): B.log(63.2 + p * .5, "k8s", "INFO", "Scheduled accounts-api-{hex4} on pool medium"); 
for p in range(3): B.log(66.5 + p * .4, "k8s", "INFO", "Stopped container accounts-api-{hex4} (rolling update), exit 0")
B.alert(88, "KycLatencyP99", "warning", "kyc", "kyc p99 above 3s for 1m", "low traffic: 72 requests in the window", end=91); B.alert(66, "ReplicasMismatch", "info", "accounts-api", "replicas differ from last week (6 vs 3)", end=80)
B.finish(90, "healthy", [], [], None, ["acc-701", "acc-702"], None, True, "Errors and latency stay at their normal level everywhere; pods, heap and idle connections move because of a planned resize, the kyc p99 blip (1 request/s, two minutes, like the one before the deploy) resolves alone.")
