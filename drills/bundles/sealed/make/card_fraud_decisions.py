# C3 ML: feature builder unit change; takes effect at next hourly materialisation; both model versions shift; decoy = model promotion just before.
from common import *
b = B("card_fraud_decisions", 103, "2025-05-06T10:00:00", 240, 60, ids="mlp-{n}")
L = b.load(.25); M = 125
b.topo("checkout>fraud-api;fraud-api>feature-store,model-server;feature-builder>warehouse,feature-store;model-server>model-registry;manual-review>fraud-api")
b.svc("checkout", "otel", 75, 210, .002, load=L, rt="node"); b.svc("fraud-api", "otel", 75, 60, .001, load=L)
b.svc("model-server", "otel", 78, 24, .0005, load=L, cpu=48)
for v, w, t0, t1 in (("v41", .9, 0, 118), ("v41", .1, 118, 240), ("v42", .9, 118, 240), ("v42", .1, 60, 118)): pass
b.s("model-server", "model.score.mean{model=v41}", .081, .05, fx=[add(M, .19, 3)]); b.s("model-server", "model.score.mean{model=v42,role=shadow_then_live}", .079, .05, fx=[add(M, .21, 3)], t0=20)
b.s("model-server", "model.traffic.share{model=v42}", 5, 0, kind="k", fx=[to(112, 50, 0), ], t0=20)
b.s("fraud-api", "decision.decline.ratio", .021, .08, fx=[add(M, .145, 3)]); b.s("fraud-api", "decision.review.ratio", .03, .08, fx=[add(M, .09, 3)])
b.s("manual-review", "review.queue.depth", 140, .05, fx=[grow(M, 9)], kind="i"); b.s("manual-review", "review.agents.active", 22, .03, kind="i")
f = "feature.mean{name=%s}"
b.s("feature-store", f % "avg_ticket_30d", 48.2, .01, fx=[mul(M, 62, 1)]); b.s("feature-store", f % "max_ticket_90d", 212, .01, fx=[mul(M, 58, 1)])
b.s("feature-store", f % "txn_count_24h", 3.4, .02, L); b.s("feature-store", f % "device_age_days", 401, .01); b.s("feature-store", f % "country_mismatch", .041, .04); b.s("feature-store", "feature.null.ratio", .006, .1)
b.s("feature-store", "feature.request.amount_now.mean", 51, .04, L); b.s("feature-store", "redis.ops", 5200, .05, L); b.s("feature-store", "redis.memory.used", 7.9e9, .005)
b.s("feature-builder", "job.rows_written", 0, 0, kind="k", fx=[add(x, 812000 + x * 97, 0, x + 2, 0) for x in (5, 65, M, 185)]); b.s("feature-builder", "job.duration_s", 212, .04, fx=[mul(M, 1.05)]); b.s("feature-builder", "job.failures", 0, 0, kind="k")
b.s("warehouse", "query.slots.used", 120, .15, fx=[every(60, 2.6, 5, 0)]); b.s("warehouse", "bytes.scanned", 4e9, .2, fx=[every(60, 5, 5, 0)]); b.s("model-registry", "artifact.downloads", .4, 0, kind="p", fx=[add(110, 6, 0, 114)])
b.s("checkout", "orders.completed", 2900, .03, L, kind="p", fx=[mul(M, .86, 3)])
b.chat("fraud-api", 3, ["I decision=approve score=0.0{#1-9} model={v41|v42} dur={~40}ms", "I decision=approve score=0.{#10-20} model={v41|v42} dur={~44}ms", "W decision=decline score=0.9{#1-9} model={v41|v42} reason=score"])
b.chat("fraud-api", 3, ["W decision=decline score=0.9{#1-9} model={v41|v42} reason=score top_feature=avg_ticket_30d value={#2100-9800}.0 amount={#12-90}.{#10-99}", "W decision=review score=0.{#60-80} model={v41|v42} top_feature=max_ticket_90d value={#9000-41000}.0"], M)
b.chat("model-server", 1.4, "py"); b.chat("checkout", 2, "node"); b.chat("manual-review", .5, "rails"); b.chat("warehouse", .4, ["I query finished slots={#40-300} bytes={#1-9}GB", "W slot contention queue={#1-6}"])
for x in (5, 65, M, 185):
    r = "r2214" if x < M else "r2219"
    b.log(x - 4, "feature-builder", f"I materialize start rev={r} groups=payer,device,merchant"); b.log(x - 2, "feature-builder", "I source core.transactions rows={#41000000-41999999} column=amount_minor" if x >= M else "I source core.transactions rows={#41000000-41999999} column=amount"); b.log(x, "feature-builder", f"I materialize done rev={r} rows={812000+x*97} failures=0"); b.log(x + .1, "feature-store", "I swapped online view payer_v7 generation={#5100-5190}")
b.log(112, "model-registry", "I alias live: v42 share 5 -> 50"); b.log(112.3, "model-server", "I loaded v42 sha256={hex12} warm=ok")
b.chat("checkout", 1.2, ["W payment declined by risk, order={hex8}"], M, fx=[])
G = b.change(74, "commit", "feature-builder", "feature-builder: read minor units from core.transactions (amount column is deprecated)", diff=D("feature_builder/groups/payer.sql", """
 SELECT payer_id,
-       AVG(amount)  FILTER (WHERE booked_at > now() - interval '30 day') AS avg_ticket_30d,
-       MAX(amount)  FILTER (WHERE booked_at > now() - interval '90 day') AS max_ticket_90d,
+       AVG(amount_minor) FILTER (WHERE booked_at > now() - interval '30 day') AS avg_ticket_30d,
+       MAX(amount_minor) FILTER (WHERE booked_at > now() - interval '90 day') AS max_ticket_90d,
        COUNT(*)     FILTER (WHERE booked_at > now() - interval '1 day')  AS txn_count_24h
   FROM core.transactions
  GROUP BY payer_id""", 3) + D("feature_builder/tests/test_payer.py", """
 def rows():
-    return [dict(payer_id=1, amount=12.5), dict(payer_id=1, amount=7.5)]
+    return [dict(payer_id=1, amount_minor=1250), dict(payer_id=1, amount_minor=750)]
 
 def test_avg(rows):
-    assert run(rows)[1]["avg_ticket_30d"] == 10.0
+    assert run(rows)[1]["avg_ticket_30d"] == 1000""", 9))
d1 = b.change(112, "deploy", "model-server", "promote fraud model v42 to 50% of live traffic", files=["registry/fraud/aliases.yaml"], diff=D("registry/fraud/aliases.yaml", " live:\n-  v41: 95\n-  v42: 5\n+  v41: 50\n+  v42: 50", 4))
d2 = b.change(121.5, "deploy", "fraud-api", "fraud-api 1.88.0: log top feature with the decision", diff=D("fraud_api/decide.py", """
     score = self.models.score(features)
     decision = self.policy.decide(score)
-    log.info("decision=%s score=%.2f", decision, score)
+    top = explain.top(features, score)
+    log.info("decision=%s score=%.2f top_feature=%s value=%s", decision, score, top.name, top.value)
     return decision""", 40))
b.bg(6, ["checkout", "manual-review", "warehouse", "model-registry"], avoid=[(M-3, M+3)])
b.alert(M+9, "FraudDeclineRateHigh", "critical", "decline ratio 16% (normal 2%)", "decision.decline.ratio over 8% for 5m", service="fraud-api"); b.alert(M+30, "ReviewQueueGrowing", "warning", "manual review queue above 400", "queue depth", service="manual-review")
b.done("card fraud decisions", "feature unit change, effective at the next hourly materialisation", ["code", "data"], ["feature-builder"], G, [d1, d2], M, "two payer features jump by ~60x at the first run of the new revision, and both model versions shift together, so the promotion is not it.")
