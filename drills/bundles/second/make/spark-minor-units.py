# Currency rounding in a Spark job; shows when the settlement batch runs (02:00); alarm at ledger. Decoy: airflow upgrade, fx feed config. Deploy 3 h before.
from common import *
b = Bundle("spark-minor-units", 321, "2025-07-31T22:00:00Z", 6, 60, "settlement", ["payouts", "merchants", "fees", "fx_rates", "ledgers"])
DEP = 61; ON = 243; s = b.stp(ON, 3)
b.g("settle-job", "spark.rows_in", 0, add=26000 * b.pulse(240, 276, 2), floor=3, dec=0); b.g("settle-job", "spark.executors", 4, .0, add=20 * b.pulse(238, 278, 1), dec=0); b.g("settle-job", "spark.stage.duration_s", 41, .1); b.k("settle-job", "spark.failed_tasks", 0, 4); b.g("settle-job", "settle.mean_payout_eur", 212, .05); b.g("settle-job", "settle.mean_payout_jpy", 30100, .05, 1 - .99 * s); b.g("settle-job", "settle.mean_payout_usd", 231, .05); b.g("settle-job", "settle.mean_payout_kwd", 61, .06, 1 + 9 * s)
b.svc("ledger", "micrometer", 25, 30, 190, traffic=1 + 1.2 * b.pulse(241, 290, 3)); b.g("ledger", "ledger.unbalanced_entries", 0, add=310 * b.stp(ON + 4, 5), floor=.3, dec=0); b.g("ledger", "ledger.posting_rate", 30, .1, 1 + 6 * b.pulse(241, 282, 2)); b.g("recon", "recon.mismatch_ratio", .0008, .3, add=.083 * b.stp(ON + 12, 6), dec=5); b.g("recon", "recon.suspense_amount_eur", 2100, .12, 1 + 190 * b.ramp(ON + 12, 300)); b.svc("payout-api", "prom", 11, 80, 420, fail=.09 * b.stp(ON + 25, 5)); b.g("payout-api", "payouts_held", 3, .6, add=700 * b.stp(ON + 25, 8), dec=0)
b.g("fx-feed", "fx.rate_age_s", 9, .2); b.g("fx-feed", "fx.usd_jpy", 150.4, .002); b.g("fx-feed", "fx.ticks", 410, .08); b.g("pg-ledger", "pg_connections", 66, .06, 1 + .5 * b.pulse(241, 282, 2), dec=0); b.c("pg-ledger", "pg_xact_commit", 120, mul=1 + 5 * b.pulse(241, 282, 2)); b.g("pg-ledger", "io_util", .14, .15, 1 + 2.8 * b.pulse(241, 282, 2)); b.g("airflow", "airflow.scheduler.heartbeat", 12, .04, 1 - .8 * b.pulse(151, 157, .3)); b.g("airflow", "airflow.pool.open_slots", 40, .1, 1 - .5 * b.pulse(240, 280, 1))
b.chat("settle-job", "spark", 110, start=238, until=280); b.chat("airflow", "airflow", 200); b.chat("ledger", "spring", 240); b.chat("recon", "go", 110); b.chat("payout-api", "laravel", 120); b.chat("fx-feed", "go", 90)
for _ in range(170):
    r = b.r; j = r.randint(900, 90000); k = r.randint(4000, 900000); t = r.uniform(ON + 4, b.mins)
    b.log("ledger", t, "WARN", f"entry {{uuid}} does not balance: debit {j} JPY credit {j/100:.2f} JPY" if r.random() < .7 else f"entry {{uuid}} does not balance: debit {k/1000:.3f} KWD credit {k/100:.2f} KWD")
    t += 8
    b.log("recon", t, "error", f"mismatch merchant={{id}} currency=JPY expected={j} got={j/100:.2f}" if r.random() < .7 else f"mismatch merchant={{id}} currency=KWD expected={k/1000:.3f} got={k/100:.2f}")
b.burst("payout-api", "warning", "payout held by recon merchant={id}", ON + 25, b.mins, 1)
sha = b.change("st-902", "commit", 30, "settle-job", "ebba", "Amounts: one helper for rounding", ["jobs/settle/amounts.py", "jobs/settle/main.py"], diff("jobs/settle/amounts.py", '''@@ -1,12 +1,9 @@
 from pyspark.sql import functions as F
-from settle.iso4217 import exponent
 
-def to_major(amount, currency):
-    e = exponent(currency)
-    return F.round(amount / F.pow(F.lit(10), e), e)
+def to_major(amount, currency):
+    return F.round(amount / 100, 2)
 
 def fee(amount, bps):
-    return F.round(amount * bps / 10000, 4)
+    return F.round(amount * bps / 10000, 2)
'''), tz=2); b.change("st-rel-33", "deploy", DEP, "settle-job", "gitlab", "settle-job 3.3 (image for the night run)", commit=sha, tz=2)
b.change("fx-cfg-2", "config", 210, "fx-feed", "treasury", "fx: mid rate from provider B for JPY, KWD", ["fx/providers.yaml"], diff("fx/providers.yaml", '''@@ -5,5 +5,7 @@ default: provider-a
 overrides:
   SEK: provider-b
+  JPY: provider-b
+  KWD: provider-b
'''), tz=2); b.change("af-2.9", "deploy", 150, "airflow", "gitlab", "airflow 2.9.1 -> 2.9.3", ["requirements.txt"], None, tz=2); b.change("lg-rel-71", "deploy", 236, "ledger", "gitlab", "ledger 7.1: reject entries without reference", ["src/main/java/ledger/EntryCheck.java"], diff("src/main/java/ledger/EntryCheck.java", '''@@ -15,4 +15,5 @@ final class EntryCheck {
   void check(Entry e) {
+    if (e.reference() == null) throw new InvalidEntry("reference");
     if (!e.balanced()) report.unbalanced(e);
   }
'''), tz=2); b.change("fl-inst", "flag", 190, "payout-api", "product", "instant payouts for 3 merchants", tz=2)
b.alert("LedgerUnbalanced", "ledger", 251, "critical", "unbalanced entries above 100"); b.alert("ReconMismatch", "recon", 261, "critical", "mismatch ratio above 2%", label="job")
b.edges = [["settle-job", "fx-feed"], ["settle-job", "ledger"], ["ledger", "pg-ledger"], ["recon", "ledger"], ["payout-api", "recon"], ["airflow", "settle-job"]]
b.expect("code_rounding", ["code"], ["settle-job"], "st-902", ["fx-cfg-2", "lg-rel-71", "af-2.9", "fl-inst"], ON, [240, ON + 6], change_also=["st-rel-33"], why="Only JPY (factor 1/100) and KWD (factor 10) are wrong, by powers of ten, from the first rows of the 02:00 run: the helper divides by 100 for every currency; a rate from another provider would be off by pips and usd_jpy did not move.", delayed=True)
b.write(opened=253)
