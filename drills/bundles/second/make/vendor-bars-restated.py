# Spark/Airflow + signal service. Vendor restates two weeks of bars at 09:42; the files arrive as ordinary landings. Decoys: registry promotion, feature job deploy.
from common import *
b = Bundle("vendor-bars-restated", 301, "2025-03-11T07:00:00Z", 4, 30, "signals", ["eq_us", "eq_eu", "fx_spot", "futures", "bars_1m", "bars_1d"])
ON = 162
b.g("vendor-gateway", "landing.rows_received", 5200, .07, dec=0); b.g("vendor-gateway", "landing.rows_restated", 3, .8, add=b.pulse(ON, 171, .5) * 41000 + b.stp(172) * 2, dec=0)
b.g("vendor-gateway", "landing.lag_seconds", 9, .25); b.k("vendor-gateway", "landing.checksum_failures", 0)
b.g("vendor-gateway", "landing.http_latency_ms", 180, .15)
b.svc("bars-ingest", "statsd", 40, 30, 220); b.g("bars-ingest", "bars_ingest.upserts", 5100, .06, add=b.pulse(ON + 1, 176, 1) * 20500, dec=0); b.k("bars-ingest", "bars_ingest.schema_errors")
b.g("feature-job", "spark.stage.duration_s", 74, .08, 1 + .12 * b.pulse(ON + 3, 190, 2)); b.g("feature-job", "spark.executor.active", 24, .02, dec=0); b.k("feature-job", "spark.failed_tasks", 0, 6)
b.g("feature-job", "feature_null_ratio", .004, .2, dec=5); b.g("feature-job", "feature_psi_ret_20d", .03, .2, add=.42 * b.stp(ON + 9, 3))
b.g("feature-job", "feature_psi_vol_5d", .025, .2, add=.31 * b.stp(ON + 9, 3)); b.g("feature-job", "feature_psi_spread", .02, .2)
b.svc("signal-api", "prom", 60, 12, 90, mem=900)
b.g("signal-api", "signal_flip_ratio", .035, .15, add=.22 * b.stp(ON + 12, 4)); b.g("signal-api", "score_mean_abs", .41, .04, 1 + .5 * b.stp(ON + 12, 4)); b.k("signal-api", "model_version", 47); 
b.g("risk-checks", "orders_blocked_per_min", .6, .8, add=14 * b.stp(ON + 14, 3)); b.svc("risk-checks", "prom", 60, 8, 60)
b.g("airflow", "airflow.scheduler.heartbeat", 12, .05); b.g("airflow", "airflow.dag.queue_len", 6, .4, add=30 * b.pulse(60, 74, 2)); b.k("airflow", "airflow.task_failures", 0, 3)
b.chat("airflow", "airflow", 220); b.chat("feature-job", "spark", 260); b.chat("signal-api", "ml", 260); b.chat("vendor-gateway", "go", 160, [("info", "landed file {word}_20250311.parquet rows={n} sha={hex}")])
for i in range(10):
    b.log("vendor-gateway", ON + i * .9, "info", f"landed file bars_1d_2025{['0225','0226','0227','0228','0303','0304','0305','0306','0307','0310'][i]}.parquet rows=4120 sha={{hex}} revision=2 supersedes={{hex}}")
    b.log("bars-ingest", ON + 1.2 + i * .9, "INFO", "upserted {n} rows into bars_1d (matched existing keys: 100%)")
b.burst("bars-ingest", "WARN", ["close differs from previously stored value by more than 5% symbol=S{id}", "adj_factor 0.25 -> 1.0 for symbol=S{id} on stored date"], ON + 1, ON + 14, 4)
b.burst("risk-checks", "WARN", ["position delta outside band for S{id}: signal -0.{n} -> 0.{n}", "order blocked: turnover limit"], ON + 14, b.mins, 3); b.chat("risk-checks", "go", 120); b.chat("bars-ingest", "go", 120)
b.change("MR-881", "commit", 70, "feature-job", "inka", "vol: use sample std in rolling window", ["features/vol.py", "tests/test_vol.py"], diff("features/vol.py", '''@@ -41,7 +41,7 @@ def rolling_vol(df, n):
     w = Window.partitionBy("symbol").orderBy("d").rowsBetween(-n + 1, 0)
-    return df.withColumn(f"vol_{n}d", F.stddev_pop("ret").over(w))
+    return df.withColumn(f"vol_{n}d", F.stddev_samp("ret").over(w))
'''))
b.change("rel-5120", "deploy", 96, "feature-job", "ci", "feature-job 2.31.0", commit=b.chg[-1][1]["commit"])
b.change("reg-47", "config", 121, "signal-api", "model-registry", "xsec-momentum: stage Production = v47 (was v46)", ["registry/xsec.yaml"], diff("registry/xsec.yaml", '''@@ -3,5 +3,5 @@ model: xsec-momentum
   stages:
-    Production: 46
+    Production: 47
     Staging: 48
'''))
b.change("rel-5123", "deploy", 160, "signal-api", "ci", "signal-api 1.88.4: batch endpoint", ["api/batch.py"], diff("api/batch.py", '''@@ -10,6 +10,11 @@ router = APIRouter()
+@router.post("/score/batch")
+def score_batch(req: BatchReq) -> list[Score]:
+    x = features.fetch(req.symbols, req.asof)
+    return [Score(s, v) for s, v in zip(req.symbols, model.predict(x))]
'''))
b.change("MR-886", "commit", 168, "bars-ingest", "jonte", "ingest: chunk upserts by 4k rows", ["ingest/sink.py"], None)
b.change("af-19", "config", 30, "airflow", "ops", "raise parallelism 32 -> 48", ["airflow.cfg"], None)
b.alert("FeatureDrift", "feature-job", 174, "warning", "PSI of ret_20d above 0.25", label="job"); b.alert("SignalFlipRatioHigh", "signal-api", 179, "critical", "More than 15% of signals changed sign since the last run"); b.alert("OrdersBlocked", "risk-checks", 181, "critical", "Pre-trade checks block orders")
b.edges = [["bars-ingest", "vendor-gateway"], ["feature-job", "bars-ingest"], ["signal-api", "feature-job"], ["risk-checks", "signal-api"], ["airflow", "feature-job"]]
b.expect("bad_data", ["data", "dependency"], ["vendor-gateway"], None, ["reg-47", "rel-5123", "rel-5120", "MR-881", "MR-886"], ON, [ON - 1, ON + 4], why="Vendor landed revision=2 files superseding ten stored days (restated rows, adj_factor 0.25 -> 1.0) before any feature moved; model v47 and feature-job 2.31 ran quietly for 40+ minutes; rel-5123 only adds an endpoint.")
b.write(opened=183)
