from common import *
B = Bundle("adtech-month-roll", 120, "bidding", "2025-01-31T21:30:00Z", 240, 60, peak=21, lv="long")
C = 31.0; T = 150.0
B.drop.update(["metrics", "topology"])
B.change("7c1f2", "deploy", C, "budget-pacer", "budget-pacer 1.31: monthly budgets", diff=D("pacer/periods.py", """@@ -1,12 +1,24 @@
 from datetime import date, timedelta
 
 
 def day_period(today: date):
     return today, today + timedelta(days=1)
+
+
+def month_period(anchor: date, today: date):
+    # anchor: day on which the campaign was booked
+    start = anchor.replace(year=today.year, month=today.month)
+    end = (start.replace(day=1) + timedelta(days=32)).replace(day=1)
+    return start, end""") + D("pacer/loop.py", """@@ -33,6 +33,8 @@ def refresh(campaigns, today):
     for c in campaigns:
-        start, end = day_period(today)
+        start, end = (month_period(c.booked_on, today)
+                      if c.cadence == "monthly" else day_period(today))
         c.allowance = spend.allow(c, start, end)"""), boot=True, lang="py")
B.change("7c208", "deploy", 141, "bidder", "bidder 880: currency table for NZD", diff=D("bidder/src/fx.rs", "@@ -8,3 +8,4 @@ pub static RATES: &[(&str, f64)] = &[\n     (\"AUD\", 0.61),\n+    (\"NZD\", 0.55),\n     (\"CAD\", 0.67),"), boot=True, lang="go")
B.change("7c209", "commit", 129, "campaign-db", "migration: index on campaigns(advertiser_id)", diff=D("migrations/061.sql", "@@ -0,0 +1 @@\n+CREATE INDEX CONCURRENTLY idx_campaign_adv ON campaigns (advertiser_id);"))
B.change("7c20c", "config", 146, "exchange-gw", "exchange-gw: tmax 110 -> 105ms for exchange C", diff=D("exchanges.yml", "@@ -17,3 +17,3 @@\n   c:\n-    tmax_ms: 110\n+    tmax_ms: 105"))
B.filler(12, -300, 120, ["reporting", "bidder", "creative"], "7b")
B.chat("exchange-gw", ["bid request ex={pick:a|b|c} answered {ms:30}ms"], 1.6, "go"); B.logs("bidder", "INFO", "bid placed cmp={n:100-900} cpm={n:1-6}.{n:10-99}", 0, T + 5, pm=2.6); B.logs("bidder", "INFO", "bid placed cmp={n:100-900} cpm={n:1-6}.{n:10-99}", T + 5, pm=.1); B.logs("bidder", "WARN", "no bid: allowance stale for {n:310-5000}s cmp={n:100-900}", T + 5, pm=3.2); B.chat("bidder", [], .4, "go")
for t in range(0, 240, 1):
    if t < T: B.log(t + .2, "budget-pacer", "INFO", "refreshed %d campaigns in %dms (monthly=%d)" % (B.r.randint(4120, 4180), B.r.randint(800, 1300), 0 if t < C else 214))
    else: B.log(t + .2, "budget-pacer", "ERROR", "refresh failed\nTraceback (most recent call last):\n  File \"/app/pacer/loop.py\", line 61, in tick\n    refresh(load(), date.today())\n  File \"/app/pacer/loop.py\", line 35, in refresh\n    start, end = (month_period(c.booked_on, today)\n  File \"/app/pacer/periods.py\", line 10, in month_period\n    start = anchor.replace(year=today.year, month=today.month)\nValueError: day is out of range for month")
B.chat("creative", ["render cr_{hex8} {ms:12}ms"], .6, "node"); B.chat("reporting", ["rollup hour done rows={n:90000-140000}"], .2, "py"); B.chat("campaign-db", [], .4, "pg"); B.logs("reporting", "INFO", "day close started for 2025-01-31", T + .2, T + .9, pm=3); B.logs("reporting", "WARN", "rollup slow: {n:41-90}s", T + 1, T + 30, pm=.6); B.logs("exchange-gw", "WARN", "bid rate ex={pick:a|b|c} {n:0-4}% (expected 38%)", T + 7, pm=1)
B.alert(T + 9, "BidRateLow", "critical", "bidder", "bid rate below 5% on all exchanges", label="component"); B.alert(T + 12, "SpendStopped", "critical", "exchange-gw", "spend per minute near zero", label="component")
B.finish(T + 13, "code/date", ["code"], ["budget-pacer"], "7c1f2", ["7c208", "7c20c", "7c209"], T, why="From 00:00 on 1 February every pacer refresh dies in month_period (31st does not exist), code of 7c1f2 deployed two hours before; the bidder only finds stale allowances.", delayed=True)
