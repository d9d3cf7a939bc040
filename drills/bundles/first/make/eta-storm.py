from common import *
B = Bundle("eta-storm", 116, "eta", "2025-01-09T14:00:00Z", 300, 60, peak=18)
T = 172.0
B.change("mdl-eta-14", "deploy", 118, "eta-model", "eta-model v14: retrained on last 8 weeks (offline MAE -2%)", diff=D("models/eta/registry.yaml", "@@ -2,5 +2,5 @@\n production:\n-  version: v13\n-  trained_until: 2024-11-24\n+  version: v14\n+  trained_until: 2025-01-05\n   features: traffic_v3"), boot=True, lang="py")
B.change("ft-90", "config", 160, "feature-store", "feature-store: ttl of courier_speed 10m -> 8m", diff=D("features/courier.yaml", "@@ -7,3 +7,3 @@\n   courier_speed:\n     type: float\n-    ttl: 10m\n+    ttl: 8m"))
B.change("rt-31", "deploy", 168.5, "route-engine", "route-engine 31: map tiles of January", files=["tiles/2025-01.pbf"], boot=True, lang="go")
B.change("fl-12", "flag", 165, "rider-app", "flag eta-range-display 50%")
B.filler(4, -600, 150, ["dispatch", "feature-store", "rider-app"], "j")
for reg, k in (("north", 3.4), ("south", 1), ("east", 1), ("west", 1)):
    f = lambda a: [mul(T, a, ramp=35)] if k > 1 else []
    B.s("eta-model", 'eta_abs_error_minutes{region="%s",model="v14"}' % reg, 2.6, .06, f(3.4), season=.3); B.s("eta-model", 'eta_abs_error_minutes{region="%s",model="v13",mode="shadow"}' % reg, 2.7, .06, f(3.5), season=.3)
    B.s("feature-store", 'feature_mean{name="road_speed_kmh",region="%s"}' % reg, 31, .03, f(.42)); B.s("feature-store", 'feature_mean{name="precip_mm_h",region="%s"}' % reg, .1, .3, [add(T - 6, 9.5, ramp=25)] if k > 1 else [])
    B.s("dispatch", 'deliveries_completed_total{region="%s"}' % reg, 1.2, .05, f(.5), "ctr", 1); B.s("dispatch", 'courier_cancel_total{region="%s"}' % reg, .03, 0, f(5), "ctr", 1); B.s("dispatch", 'couriers_online{region="%s"}' % reg, 410, .02, f(.66), integer=True)
B.s("feature-store", "feature_freshness_seconds", 40, .15); B.s("feature-store", "feature_null_ratio", .004, .2)
B.svc("eta-model", 120, 22, 90, lang="py"); B.svc("route-engine", 120, 30, 140, lang="go"); B.svc("dispatch", 60, 40, 190, lang="jvm"); B.svc("rider-api", 150, 30, 150, lang="node", fx=dict(rps=[mul(T + 20, 1.25, ramp=30)])); B.svc("feature-store", 400, 3, 14, lang="go"); B.svc("support-chat", 3, 60, 300, lang="node", fx=dict(rps=[mul(T + 30, 3, ramp=40)]))
B.gapc("feature-store", 60, 66)
B.series = [q for q in B.series if not ("container" in q["m"] and q["c"] in ("support-chat", "rider-api", "route-engine", "feature-store"))]
B.topo("rider-api > eta-model dispatch support-chat\neta-model > feature-store route-engine\nfeature-store > traffic-feed weather-feed\ndispatch > eta-model")
B.chat("eta-model", ["predict region={pick:north|south|east|west} model=v14 {ms:20}ms"], 1.6, "py"); B.chat("route-engine", ["route {n:800-9000}m {ms:28}ms"], 1, "go"); B.chat("dispatch", ["assigned d_{hex8}"], 1, "jvm"); B.chat("feature-store", ["materialised traffic_v3 rows={n:40000-42000}"], .6, "go"); B.chat("rider-api", [], .8, "node"); B.chat("support-chat", [], .3, "node")
B.logs("eta-model", "WARN", "input road_speed_kmh={n:3-9} below training p0.1 (region=north)", T + 4, pm=1.6, ramp=20); B.logs("dispatch", "WARN", "courier c_{hex4} cancelled reason={pick:weather|weather|road_closed|accident} region=north", T + 8, pm=1.5, ramp=20); B.log(T - 11, "feature-store", "INFO", "weather-feed alert level=orange type=snow_ice region=north from=16:45Z"); B.logs("support-chat", "INFO", "topic=late_order region=north", T + 25, pm=1)
B.alert(T + 38, "ETAErrorHigh", "critical", "eta-model", "eta MAE above 6 min in region north", label="component", region="north"); B.alert(T + 55, "CourierShortage", "warning", "dispatch", "couriers online -30% in region north", label="component")
B.finish(T + 41, "ML regime shift", ["data", "model", "traffic"], ["eta-model", "weather-feed", "traffic-feed"], None, ["mdl-eta-14", "ft-90", "rt-31"], T, why="Only region north drifts (snow, road speed far under the training range) and the old model in shadow errs as much as the new one, which had served 54 min without change.", onset_from=160, onset_to=192)
