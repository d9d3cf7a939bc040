# Pricing/ETA model outside its training distribution during a transit strike: regime shift; all software healthy.
from common import *
b = Bundle("ride-pricing-regime", 305, "2025-11-13T04:00:00Z", 6, 60, "ride-pricing", ["zones", "quotes", "trips", "drivers", "etas"])
ON = 118; s = b.ramp(ON, ON + 35)
b.svc("quote-api", "prom", 160, 18, 120, traffic=b.day(.5, 250, 720), mem=620); b.g("quote-api", "quote_accept_ratio", .62, .03, 1 - .42 * s); b.g("quote-api", "quote_mean_amount", 14.2, .04, 1 - .02 * s)
b.svc("pricing-model", "prom", 160, 9, 44, traffic=b.day(.5, 250, 720), mem=2100); b.g("pricing-model", "prediction_calibration_error", .04, .12, add=.31 * s); b.g("pricing-model", "input_out_of_range_ratio", .006, .25, add=.29 * s); b.k("pricing-model", "model_version", 212); b.g("pricing-model", "feature_missing_ratio", .003, .2, dec=5); b.g("pricing-model", "gpu_utilisation", .4, .06, b.day(.3, 250, 720))
b.g("pricing-model", "psi_origin_zone_mix", .02, .2, add=.5 * s); b.g("pricing-model", "psi_trip_distance", .02, .2, add=.37 * s); b.g("pricing-model", "psi_driver_supply", .03, .2, add=.04 * s)
b.svc("eta-model", "prom", 190, 7, 38, traffic=b.day(.5, 250, 720)); b.g("eta-model", "eta_abs_error_min", 1.7, .07, 1 + 1.9 * s)
b.svc("feature-store", "prom", 350, 4, 22, traffic=b.day(.5, 250, 720)); b.g("feature-store", "freshness_seconds", 35, .15); b.g("feature-store", "backfill_rows", 0, add=21000 * b.pulse(70, 101, 2), dec=0)
b.svc("dispatch", "statsd", 80, 30, 210, traffic=b.day(.5, 250, 720)); b.g("dispatch", "dispatch.unmatched_ratio", .05, .12, add=.27 * s); b.g("dispatch", "dispatch.driver_online", 2100, .03, b.day(.2, 250, 720), dec=0)
b.g("event-stream", "consumer_lag", 300, .4, add=2600 * b.pulse(72, 103, 4), dec=0)
b.chat("pricing-model", "ml", 340); b.chat("quote-api", "go", 260); b.chat("dispatch", "go", 200); b.chat("feature-store", "go", 140); b.chat("eta-model", "ml", 160)
b.burst("pricing-model", "WARNING", ["input station_zone_share=0.{n} outside training range [0.01,0.22] zone={d}", "trip_distance p50=11.{d}km outside training range zone={d}"], ON, b.mins, 2.4, grow=True)
b.burst("dispatch", "warn", "no driver within 12 min zone={d} requests={n}", ON + 4, b.mins, 2.2, grow=True); b.burst("dispatch", "info", "zone note from city feed: rail services suspended until further notice zone={d}", ON - 8, ON + 120, .12)
c = b.change("p-2231", "commit", 20, "pricing-model", "sanna", "pricing: clip surge at 2.4 and smooth over neighbours", ["pricing/surge.py"], diff("pricing/surge.py", '''@@ -30,8 +30,10 @@ def surge(z, demand, supply):
     raw = demand / max(supply, 1.0)
-    return min(raw, 3.0)
+    near = [ratio[n] for n in NEIGHBOURS[z]]
+    raw = 0.8 * raw + 0.2 * float(np.mean(near))
+    return min(raw, 2.4)
'''))
b.change("p-rel-610", "deploy", 48, "pricing-model", "cd", "pricing-model 6.10", commit=c); b.change("reg-212", "config", 9, "pricing-model", "registry", "promote pricing v212 to production", ["registry/pricing.json"], None)
b.change("fs-bf-17", "config", 69, "feature-store", "jaro", "backfill driver_supply_30m for 14 days", ["jobs/backfill.yaml"], diff("jobs/backfill.yaml", '''@@ -1,5 +1,6 @@
 job: backfill
+feature: driver_supply_30m
+from: 2025-10-30
+mode: insert_missing
 concurrency: 4
'''))
b.change("q-rel-331", "deploy", 115, "quote-api", "cd", "quote-api 3.3.1", ["quote/round.go"], diff("quote/round.go", '''@@ -9,5 +9,5 @@ func roundQuote(c int64) int64 {
-	return (c + 5) / 10 * 10
+	return (c + 25) / 50 * 50
 }
'''))
b.change("fl-pool", "flag", 124, "quote-api", "product", "show shared rides in zone 3 and 4"); b.change("d-rel-90", "deploy", 176, "dispatch", "cd", "dispatch 9.0: log zone in no-driver line", ["dispatch/match.go"], None)
b.alert("QuoteAcceptanceLow", "quote-api", 139, "critical", "Acceptance below 0.5 for 10 minutes"); b.alert("CalibrationError", "pricing-model", 143, "warning", "calibration error > 0.15", label="model"); b.alert("Unmatched", "dispatch", 146, "warning", "unmatched ratio > 15%")
b.edges = [["quote-api", "pricing-model"], ["quote-api", "eta-model"], ["pricing-model", "feature-store"], ["eta-model", "feature-store"], ["dispatch", "quote-api"], ["feature-store", "event-stream"]]
b.expect("regime_shift", ["model", "data", "traffic"], ["pricing-model"], None, ["q-rel-331", "fl-pool", "p-rel-610", "p-2231", "reg-212", "fs-bf-17"], ON, [ON - 3, ON + 15], why="Zone mix and trip length leave the training range (rail suspended), two independent models err together, features are fresh and complete, model v212 and 6.10 ran for an hour unharmed; average quote did not move, so the rounding change is not it.")
b.write(opened=145)
