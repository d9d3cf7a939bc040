# H2 healthy: a deploy adds a WARN line, autoscaler scales with the daily rise, cache warm after restart; SLOs stable.
from common import *
b = B("shop_reco", 402, "2025-06-17T06:30:00", 130, 60, ids="{h}", order="series")
b.chat_scale = 0.4; b.blip_p = .015
L = b.load(.4, 15); T = 61
b.topo("shop-edge>reco-api,cart-api;reco-api>item-emb,reco-cache;cart-api>cart-db,promo;promo>rules-git")
rise = [lambda v, m: v * (1 + .22 * min(1, m / 120))]
b.svc("shop-edge", "otel", 300, 140, .002, load=L, rpsx=rise); b.svc("reco-api", "otel", 150, 80, .001, load=L, rpsx=rise, memx=[mul(T, .72, .3, T+1, 24)]); b.svc("cart-api", "otel", 60, 70, .0015, load=L, rpsx=rise, rt="jvm"); b.svc("promo", "otel", 58, 12, .0005, load=L, rpsx=rise, rt="go"); b.svc("item-emb", "otel", 90, 16, .0003, load=L)
b.s("reco-api", "replicas", 6, 0, kind="k", fx=[add(44, 1, 0), add(83, 1, 0)]); b.s("reco-cache", "hit.ratio", .78, .012, hi=1); b.s("reco-api", "log.warn.count", 3, 0, kind="p", fx=[add(T, 64, 1)]); b.s("cart-api", "log.warn.count", 2, 0, kind="p"); b.s("reco-api", "ctr.5m", .041, .04); b.pg("cart-db", 40, 150, 22, 600, L); b.s("rules-git", "sync.age_s", 30, .3)
b.chat("reco-api", 2.4, "py", pods=3); b.chat("reco-api", 3, ["W deprecated query parameter 'n', use 'limit' (client=shop-{ios|android}/{7|8}.{#0-9})"], T, pods=3); b.chat("shop-edge", 2, "nginx"); b.chat("cart-api", 1.8, "spring"); b.chat("promo", 1, "go"); b.chat("item-emb", .8, "py"); b.chat("cart-db", .4, "pg"); b.chat("rules-git", .2, ["I synced rules rev={hex6}"]); b.log(T+.4, "reco-api", "I reco-api 4.7.0 started 7/7"); b.log(83.2, "reco-api", "I scaled 7 -> 8 (cpu 61%)"); b.log(44.1, "reco-api", "I scaled 6 -> 7 (cpu 60%)")
d1 = b.change(T-.6, "deploy", "reco-api", "reco-api 4.7.0: 'limit' parameter, warn on 'n'", diff=D("reco/api.py", """
 @app.get("/recommend")
-def recommend(user: str, n: int = 20):
-    return engine.top(user, n)
+def recommend(user: str, limit: int | None = None, n: int | None = None):
+    if n is not None:
+        log.warning("deprecated query parameter 'n', use 'limit' (client=%s)", client())
+    return engine.top(user, limit or n or 20)""", 25))
d2 = b.change(57, "config", "promo", "promo: rule set 2025-25", files=["rules/2025-25.yaml"], diff=None)
b.bg(5, ["shop-edge", "cart-api", "item-emb", "cart-db"])
b.alert(T+5, "WarnLogRate", "warning", "reco-api WARN lines 20x above baseline", "rate of WARN", service="reco-api"); b.alert(84, "ReplicasChanged", "info", "reco-api scaled to 8", "", service="reco-api", ends=90)
b.done("shop recommendations", "harmless: deprecation warnings and morning autoscaling", [], [], None, [d1, d2], None, "only the count of one deprecation warning rises; latency, error ratio, click rate and cache hits do not move, replicas follow the morning traffic.", healthy=True)
