from common import *
B = Bundle("feed-minor-units", 108, "pricing", "2025-05-14T02:00:00Z", 240, 60, peak=20, lv="long")
T = 123.9
B.change("imp-55", "deploy", 41, "feed-importer", "feed-importer 55: per-supplier timing metrics", diff=D("importer/run.py", """@@ -18,9 +18,11 @@ def run(supplier):
+    started = time.monotonic()
     rows = fetch(supplier)
     for batch in chunks(rows, 1000):
         upsert_prices(supplier, batch)
+    timing.observe(time.monotonic() - started, supplier=supplier.code)
     log.info("import done supplier=%s rows=%d", supplier.code, len(rows))"""), boot=True, lang="py")
B.change("prc-310", "deploy", 117.5, "price-api", "price-api 310: cache headers", diff=D("src/main/java/price/PriceController.java", "@@ -33,3 +33,4 @@\n     return ResponseEntity.ok()\n+        .cacheControl(CacheControl.maxAge(30, SECONDS))\n         .body(prices.forSku(sku));"), boot=True, lang="jvm")
B.change("cfg-19", "config", 119.0, "feed-importer", "cron: import of S-090 moved from :05 to :10", diff=D("k8s/cron.yaml", "@@ -21,3 +21,3 @@\n   name: import-s-090\n spec:\n-  schedule: \"5 * * * *\"\n+  schedule: \"10 * * * *\""))
B.filler(4, -500, 110, ["catalog", "cart", "price-api"], "k")
B.svc("price-api", 150, 12, 60, lang="jvm", style="cw"); B.svc("catalog", 120, 20, 95, lang="jvm", style="cw"); B.svc("cart", 20, 30, 150, lang="node", style="cw", fx=dict(rps=[mul(T + 9, 2.6, ramp=30)])); B.svc("orders", 4, 80, 300, lang="node", style="cw", fx=dict(rps=[mul(T + 12, 3.4, ramp=35)]))
B.s("feed-importer", "ImportDuration", 44, .1); B.s("feed-importer", "MemoryUtilization", 38, .03)
for s, u in (("S-044", 1), ("S-090", 1), ("S-117", .01), ("S-203", 1)):
    B.s("feed-importer", "PriceMedian.%s" % s, {"S-044": 31.9, "S-090": 12.49, "S-117": 58.0, "S-203": 84.5}[s], .001, [setv(T, .58, ramp=0)] if u < 1 else [], gap=0); B.s("feed-importer", "RowsImported.%s" % s, {"S-044": 8100, "S-090": 22110, "S-117": 48120, "S-203": 5200}[s], .001, integer=True)
B.s("margin-watch", "GrossMarginPct", 31, .02, [add(T + 10, -74, ramp=35)], lo=-200); B.s("margin-watch", "OrdersBelowCost", .2, .5, [add(T + 10, 38, ramp=35)], integer=True)
B.s("price-db", "CPUUtilization", 18, .08, [every(60, 2.3, 1.2, 1)]); B.s("price-db", "DatabaseConnections", 40, .03, integer=True); B.s("price-db", "WriteLatency", .002, .1, [every(60, 2.0, 1.2, 1)])
B.series = [q for q in B.series if q["m"] not in ("MemoryUtilization", "HealthyHostCount", "TargetResponseTime.p99") or q["c"] == "price-api"]
B.topo("catalog > price-api\ncart > price-api\norders > cart price-api\nprice-api > price-db\nfeed-importer > price-db\nmargin-watch > orders")
B.chat("price-api", ["price lookup sku={n:10000-99999} {ms:8}ms"], 2, "jvm"); B.chat("catalog", [], 1, "jvm"); B.chat("cart", ["add sku={n:10000-99999} qty={n:1-3}"], 1, "node"); B.chat("orders", ["order o_{hex8} total={n:20-300}.{n:10-99}"], 1, "node")
B.logs("cart", "INFO", "add sku=117-{n:10000-99999} qty={n:10-99}", T + 10, pm=2, ramp=30); B.logs("orders", "INFO", "order o_{hex8} lines={n:1-3} supplier=S-117 total={n:1-9}.{n:10-99}", T + 12, pm=2, ramp=30)
for h in range(0, 4):
    for j, (s, rows) in enumerate((("S-044", 8100), ("S-090", 22110), ("S-117", 48122), ("S-203", 5204))):
        t = h * 60 + .5 + j * 1.6 + (9 if s == "S-090" and h >= 2 else 0)
        v3 = s == "S-117" and h >= 2
        B.log(t, "feed-importer", "INFO", "import start supplier=%s file=prices_%s.csv generator=%s columns=%s" % (s, "20250514%02d" % (2 + h), "px-export/3.0" if v3 else "px-export/2.8" if s == "S-117" else "erp/%d" % j, "sku;price;currency;valid_from"))
        if v3: B.log(t + .4, "feed-importer", "WARNING", "supplier=S-117 price moved by more than 90%% for %d of 48122 skus (example sku=117-20418 58.00 -> 0.58)" % B.r.randint(48000, 48122))
        B.log(t + .8, "feed-importer", "INFO", "import done supplier=%s rows=%d rejected=%d" % (s, rows, B.r.randint(0, 3)))
B.logs("margin-watch", "ERROR", "order o_{hex8} below cost supplier=S-117 revenue={n:1-9}.{n:10-99} cost={n:30-400}", T + 14, pm=2.2); B.chat("margin-watch", ["margin window ok n={n:30-90}"], .4, "py")
B.alert(T + 24, "NegativeMargin", "critical", "margin-watch", "gross margin of last 30m below 0%", label="component"); B.alert(T + 31, "OrderRateAnomaly", "warning", "orders", "orders 2x forecast", label="component")
B.finish(T + 27, "bad incoming data", ["data", "dependency"], ["feed-importer"], None, ["prc-310", "cfg-19", "imp-55"], T, why="Only supplier S-117's file, from a new exporter version, is wrong by a factor 100; the same importer build read it well an hour earlier and the other suppliers stay right.", onset_to=140)
