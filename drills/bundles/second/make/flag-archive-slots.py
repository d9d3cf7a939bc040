# Stale flag clean-up: flags archived that old app versions still read: SDK default false -> retired path legacy-slots. Decoy: mobile-api deploy 90 s before with flag code removed.
from common import *
b = Bundle("flag-archive-slots", 327, "2025-02-26T16:00:00Z", 2, 20, "meal-delivery", ["slots", "meals", "addresses", "orders"])
ON = 57; s = b.stp(ON, 2.5); d = b.day(.25, 90, 500)
b.svc("mobile-api", "prom", 210, 45, 300, traffic=d, slow=1 + 2.5 * s, fail=.07 * b.stp(ON + 3, 2)); b.svc("legacy-slots", "statsd", 2, 120, 700, traffic=1 + 55 * s, slow=1 + 13 * b.stp(ON + 1, 3), fail=.4 * b.stp(ON + 2, 3), mem=350); b.g("legacy-slots", "legacy_slots.db.pool_busy", 1, .5, add=18.5 * s, hi=20, dec=0); b.svc("planner", "prom", 120, 22, 130, traffic=d * (1 - .72 * s)); b.svc("flag-relay", "prom", 380, 1.5, 9, traffic=d); b.g("flag-relay", "flags_served", 214, 0, add=-14 * b.stp(ON - .5), dec=0); b.g("flag-relay", "flag_default_evaluations_rate", .4, .5, add=118 * s); b.svc("order-svc", "prom", 40, 60, 340, traffic=d * (1 - .3 * b.stp(ON + 4, 4))); b.g("order-svc", "orders_per_min", 320, .06, d * (1 - .33 * b.stp(ON + 4, 4))); b.g("mysql-legacy", "Threads_running", 2, .5, add=31 * s, dec=0); b.g("mysql-legacy", "CPUUtilization", 9, .1, 1 + 8 * s, hi=99); b.svc("courier-app-api", "statsd", 60, 35, 200, traffic=d); b.g("pg-planner", "connections", 80, .05, 1 - .3 * s, dec=0)
b.g("courier-app-api", "courier_app_api.gps_lag_s", 3, .2, 1 + 7 * b.pulse(39, 46, 1))
b.chat("mobile-api", "mobile", 420); b.chat("planner", "go", 180); b.chat("legacy-slots", "laravel", 60); b.chat("flag-relay", "go", 150); b.chat("order-svc", "spring", 140); b.chat("courier-app-api", "node", 90)
b.burst("mobile-api", "warn", ["flag slots_from_planner unknown, using default=false app=ios/7.{d}.0", "flag slots_from_planner unknown, using default=false app=android/7.{d}.2"], ON, b.mins, 5); b.burst("legacy-slots", "error", ["SQLSTATE[HY000] [1040] Too many connections (Connection: slots, SQL: select * from `slot_capacity` where `zone` = {id})", "slot.index took {n}0 ms zone={id}"], ON + 1.5, b.mins, 4); b.burst("mobile-api", "error", "GET /m/v3/slots 503 from legacy-slots", ON + 2, b.mins, 4)
b.change("ff-cleanup-0226", "flag", ON - .5, "flag-relay", "growth-tools", "quarterly clean-up: archive 14 flags at 100% for 90 days", [], None)
sha = b.change("mb-604", "commit", 40, "mobile-api", "pia", "Slots: group by hour for the new picker", ["src/slots/picker.ts"], diff("src/slots/picker.ts", '''@@ -9,9 +9,14 @@ export async function slots(ctx: Ctx, zone: string) {
   const client = ctx.flags.bool("slots_from_planner", false) ? ctx.planner : ctx.legacySlots;
   const raw = await client.slots(zone);
-  return raw.map(toSlot);
+  const byHour = groupBy(raw, (s) => s.start.slice(11, 13));
+  return ctx.app.version.major >= 8 ? { hours: byHour } : raw.map(toSlot);
 }
''')); b.change("mb-rel-88", "deploy", 55, "mobile-api", "ci", "mobile-api 88", commit=sha); b.change("pl-rel-19", "deploy", 50, "planner", "ci", "planner 19: capacity per kitchen", ["planner/capacity.go"], None); b.change("ff-tip", "flag", 53, "order-svc", "growth-tools", "tip after delivery 20% -> 50%"); b.change("lg-scale", "config", 30, "legacy-slots", "platform", "legacy-slots replicas 4 -> 2, quota of namespace legacy halved", ["helm/legacy/values.yaml"], diff("helm/legacy/values.yaml", '''@@ -2,7 +2,7 @@
-replicas: 4
+replicas: 2
 resourceQuota:
-  cpu: "8"
+  cpu: "4"
''')); b.change("fr-rel-3", "deploy", 68, "flag-relay", "ci", "flag-relay 3.3", [], None)
b.alert("OrdersDrop", "order-svc", 65, "critical", "orders per minute 25% below forecast"); b.alert("LegacySlotsErrors", "legacy-slots", 61, "critical", "error ratio above 30%"); b.alert("MobileApi5xx", "mobile-api", 62, "warning", "5xx above 5%")
b.edges = [["mobile-api", "planner"], ["mobile-api", "legacy-slots"], ["mobile-api", "flag-relay"], ["mobile-api", "order-svc"], ["legacy-slots", "mysql-legacy"], ["planner", "pg-planner"], ["courier-app-api", "order-svc"]]
b.expect("flag_cleanup", ["configuration"], ["flag-relay", "mobile-api"], "ff-cleanup-0226", ["mb-rel-88", "mb-604", "lg-scale", "ff-tip", "pl-rel-19", "fr-rel-3"], ON, [ON - 1, ON + 3], why="slots_from_planner becomes unknown (214 -> 200 flags served) and default=false sends traffic from planner to the half retired legacy-slots; the deploy of mobile-api merely groups the answer and reads the flag as before; scaling legacy down was harmless for 27 minutes at 2 rps.")
b.write(opened=63)
