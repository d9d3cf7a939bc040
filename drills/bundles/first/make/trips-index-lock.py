from common import *
B = Bundle("trips-index-lock", 115, "rides", "2025-09-26T15:40:00Z", 110, 30, peak=18)
T = 41.2; E = 68.5
B.change("mig-318", "commit", 41.0, "trips-db", "migration 318: find trips by promo (runs in pipeline)", diff=D("migrations/318_trips_promo.up.sql", """@@ -0,0 +1,9 @@
+BEGIN;
+SET statement_timeout = 0;
+ALTER TABLE trips ADD COLUMN promo_code text;
+UPDATE trips SET promo_code = metadata->>'promo'
+ WHERE metadata ? 'promo';
+CREATE INDEX idx_trips_promo ON trips (promo_code)
+ WHERE promo_code IS NOT NULL;
+ANALYZE trips;
+COMMIT;"""))
B.change("dsp-1290", "deploy", 39.2, "dispatch", "dispatch 1290: score tie-break by rating", diff=D("dispatch/score.go", "@@ -60,4 +60,7 @@ func less(a, b Candidate) bool {\n+\tif a.Eta == b.Eta {\n+\t\treturn a.Rating > b.Rating\n+\t}\n \treturn a.Eta < b.Eta\n }"), boot=True, lang="go")
B.change("drv-55", "deploy", 42.4, "driver-gateway", "driver-gateway 55: heartbeat jitter 2s", diff=D("src/heartbeat.kt", "@@ -12,3 +12,3 @@\n-    val next = base\n+    val next = base + Random.nextLong(2_000)\n     schedule(next)"), boot=True, lang="jvm")
B.change("prm-9", "flag", 40.1, "promo", "flag promo-code-v2 on for staff")
B.filler(9, -300, 35, ["promo", "pricing", "rider-api"], "h")
lw = lambda k, d=0: [mul(T + d, k, E, 3, 4)]
B.svc("rider-api", 220, 40, 220, lang="node", fx=dict(p99=lw(20, 1), p50=lw(4, 1.5), err=[add(T + 1.5, .18, E, 4, 4)])); B.svc("driver-gateway", 480, 8, 50, lang="jvm", fx=dict(p99=lw(60, 1), err=[add(T + 1.6, .21, E, 4, 4)], thr=[add(T + 1, 200, E, 4, 5)])); B.svc("dispatch", 90, 55, 240, lang="go", fx=dict(lat=lw(40), p99=[lambda t, v: min(v, 5.1 + v / 200)], err=[add(T + 1, .5, E, 4, 4)], rt=[mul(T, 9, E, 6, 4)], rps=[mul(T + 2, .6, E, 4, 4)])); B.svc("trip-svc", 130, 16, 80, lang="go", fx=dict(lat=lw(90), p99=[lambda t, v: min(v, 5 + v / 200)], err=[add(T + .6, .7, E, 3, 3)], rt=[mul(T, 14, E, 4, 4)])); B.svc("pricing", 120, 20, 90, lang="py"); B.svc("promo", 30, 15, 60, lang="go")
B.pg("trips-db", 120, 1100, 34, fx=dict(locks=[add(T, 92, E, 2, 1)], active=[add(T, 96, E, 2, 1)], tps=[mul(T, .06, E, 1, 1)], cpu=[mul(T, .8, E)], disk=[add(T, 2.1, None, 22)])); B.s("trips-db", "node_disk_write_bytes", 2.4e7, .15, [mul(T, 5, E)]); B.s("trips-db", 'pg_locks_count{mode="accessexclusivelock"}', 0, 0, [add(T, 1, E, .3, .3)], integer=True); B.pg("drivers-db", 60, 700, 28); B.redis("geo-redis", 8000, 1200, hit=.99)
B.bystanders(["loyalty", "invoices", "driver-docs", "heatmap"])
B.topo("rider-api > dispatch pricing trip-svc promo\ndriver-gateway > dispatch trip-svc geo-redis\ndispatch > trip-svc geo-redis drivers-db\ntrip-svc > trips-db")
B.chat("rider-api", ["POST /rides 201 {ms:120} ms"], 3, "node"); B.chat("driver-gateway", ["location batch {n:20-90}"], 3, "jvm"); B.chat("dispatch", ["match ride=r_{hex8} driver=d_{hex4} eta={n:60-600}s"], 3, "go"); B.chat("trip-svc", ["trip t_{hex8} -> {pick:accepted|started|ended}"], 3, "go"); B.chat("pricing", [], 1, "py"); B.chat("promo", [], .5, "go"); B.chat("trips-db", [], .5, "pg")
B.log(41.1, "trips-db", "INFO", "connection authorized: user=migrator database=trips application_name=migrate"); B.logs("trips-db", "WARN", "process {n:2000-9000} still waiting for RowExclusiveLock on relation 16622 of database 16401 after 1000.{n:100-900} ms; Process holding the lock: 8841 (migrator). Wait queue: {n:10-90}", T, E, pm=2.5); B.log(E, "trips-db", "INFO", "duration: 1637202.411 ms statement: COMMIT; user=migrator")
B.logs("trip-svc", "ERROR", "update trip: pq: canceling statement due to statement timeout", T + .6, E, pm=6); B.logs("dispatch", "ERROR", "trip-svc CreateTrip: rpc error: code = DeadlineExceeded", T + 1, E, pm=5); B.logs("driver-gateway", "ERROR", "io.grpc.StatusRuntimeException: DEADLINE_EXCEEDED: deadline exceeded after 4.99s\n\tat com.ride.gw.TripClient.accept(TripClient.java:52)", T + 1.5, E, pm=4); B.logs("rider-api", "ERROR", "POST /rides 503 {ms:5000} ms", T + 2, E, pm=3)
B.trace([dict(c="rider-api", n="POST /rides", p=-1, ms=20), dict(c="pricing", n="Quote", p=0, ms=18), dict(c="dispatch", n="Match", p=0, ms=30), dict(c="geo-redis", n="GEOSEARCH", p=2, ms=2), dict(c="trip-svc", n="CreateTrip", p=2, ms=6, err=lambda t: .72 if T < t < E else .001), dict(c="trips-db", n="INSERT trips", p=4, ms=5, fx=[setv(T, 4950, E, .5, .5)])], .8)
B.alert(T + 3.5, "DriverAcceptFailures", "critical", "driver-gateway", "driver accept errors above 10%"); B.alert(T + 4, "RideRequestsFailing", "critical", "rider-api", "ride requests failing")
B.finish(T + 6, "code/migration", ["code"], ["trips-db", "trip-svc"], "mig-318", ["dsp-1290", "drv-55", "prm-9"], T, why="An AccessExclusive lock held by user migrator begins at the migration and ends at its COMMIT 27 min later, with the recovery; deploys around it changed unrelated code.")
