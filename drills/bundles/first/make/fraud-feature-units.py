from common import *
B = Bundle("fraud-feature-units", 121, "payments", "2025-08-06T11:10:00Z", 200, 60, peak=19)
C = 48.0; T = 110.5
B.change("ft-512", "commit", C, "feature-jobs", "velocity features: read event time as integer", diff=D("jobs/velocity.sql", """@@ -3,13 +3,13 @@ CREATE OR REPLACE VIEW f_velocity AS
 SELECT
   card_id,
-  count(*) FILTER (WHERE ts > now() - interval '1 hour')            AS tx_1h,
-  avg(extract(epoch FROM ts - prev_ts))                             AS gap_s,
+  count(*) FILTER (WHERE ts_ms > epoch_ms(now()) - 3600 * 1000)     AS tx_1h,
+  avg(ts_ms - prev_ts_ms)                                           AS gap_s,
   sum(amount_eur)                                                   AS eur_24h
 FROM tx_events
-WHERE ts > now() - interval '24 hours'
+WHERE ts_ms > epoch_ms(now()) - 86400 * 1000
 GROUP BY card_id;"""))
B.change("md-fraud-9", "deploy", 96.0, "fraud-model", "fraud-model 9: same weights, onnx runtime threads 4", diff=D("serving/config.pbtxt", "@@ -9,3 +9,3 @@\n   key: \"intra_op_thread_count\"\n-  value: { string_value: \"2\" }\n+  value: { string_value: \"4\" }"), boot=True, lang="py")
B.change("pay-800", "deploy", 107.0, "payments", "payments 800: decline reason shown to merchant", diff=D("src/main/kotlin/pay/Decline.kt", "@@ -15,3 +15,4 @@ data class Decline(\n     val code: String,\n     val soft: Boolean,\n+    val merchantText: String? = null,\n )"), boot=True, lang="jvm")
B.change("cfg-4", "config", 82, "feature-jobs", "airflow: velocity job retries 1 -> 2", diff=D("dags/velocity.py", "@@ -12,2 +12,2 @@\n-    retries=1,\n+    retries=2,"))
B.filler(4, -300, 100, ["merchant-portal", "payments", "fraud-model"], "v")
B.svc("payments", 55, 110, 520, lang="jvm"); B.svc("fraud-model", 56, 14, 48, lang="py"); B.svc("merchant-portal", 20, 60, 300, lang="node", fx=dict(rps=[mul(T + 20, 1.6, ramp=30)])); B.svc("card-gateway", 40, 200, 800, lang="go", fx=dict(rps=[mul(T, .8)]))
B.s("payments", 'payments_total{result="approved"}', 49, .04, [mul(T, .78)], "ctr", 1); B.s("payments", 'payments_total{result="declined_fraud"}', .9, .04, [add(T, 11)], "ctr", 1); B.s("payments", 'payments_total{result="declined_issuer"}', 4, .04, kind="ctr", season=1)
B.s("fraud-model", "score_mean", .062, .03, [add(T, .19, ramp=1)]); B.s("fraud-model", "score_p95", .31, .04, [setv(T, .94, ramp=1)], hi=1)
B.s("feature-store", 'feature_mean{name="gap_s"}', 9.1e3, .004, [mul(T, 1000, ramp=0)]); B.s("feature-store", 'feature_mean{name="tx_1h"}', 1.31, .01); B.s("feature-store", 'feature_mean{name="eur_24h"}', 74, .01); B.s("feature-store", "feature_age_seconds", 1800, 0, [lambda t, v: 60 * ((t - 50.5) % 60)]); B.s("feature-store", "read_seconds_p99", .004, .15); B.s("feature-jobs", "job_duration_seconds", 212, .02); B.s("feature-jobs", "job_failures_total", 0, 0, kind="ctr"); B.pg("warehouse", 20, 40, 14, fx=dict(cpu=[every(60, 4.5, 2.2, 48.5)]))
B.topo("payments > fraud-model card-gateway\nfraud-model > feature-store\nfeature-jobs > warehouse feature-store\nmerchant-portal > payments")
for t in (46.5, 106.5, 166.5): B.log(t, "feature-jobs", "INFO", "job velocity started (view definition rev %s)" % ("a41" if t < C else "b02")); B.log(t + 4, "feature-jobs", "INFO", "job velocity done rows={n:910000-914000} published to feature-store"); B.log(t + 4.1, "feature-store", "INFO" if t < C else "WARN", "snapshot velocity loaded: gap_s mean=%d tx_1h mean=1.31 eur_24h mean=74" % (9100 if t < C else 9104113))
B.log(46.5 + 2, "feature-jobs", "INFO", "deploy hook: velocity.sql changed, applies from next run")
B.chat("payments", ["payment p_{hex8} approved {ms:300}ms"], 2.5, "jvm"); B.chat("fraud-model", ["score={n:0-30}e-2 {ms:12}ms"], 1.5, "py"); B.logs("payments", "INFO", "payment p_{hex8} declined by=fraud score=0.9{n:0-9}", T, pm=2); B.logs("payments", "INFO", "payment p_{hex8} declined by=fraud score=0.9{n:0-9}", 0, T, pm=.15); B.logs("fraud-model", "INFO", "reject c_{hex4} top_features=gap_s:+{n:2-5}.{n:10-99},eur_24h:+0.1", T, pm=1.5); B.logs("fraud-model", "INFO", "reject c_{hex4} top_features=tx_1h:+{n:1-3}.{n:10-99},eur_24h:+0.8", 0, T, pm=.15); B.chat("merchant-portal", [], .6, "node"); B.chat("card-gateway", [], .8, "go"); B.chat("warehouse", [], .2, "pg")
B.alert(T + 12, "FraudDeclineRate", "critical", "payments", "fraud declines above 8% of payments"); B.alert(T + 20, "ScoreDrift", "warning", "fraud-model", "score_mean PSI above 0.25")
B.finish(T + 15, "code/data pipeline", ["code", "data"], ["feature-jobs", "feature-store"], "ft-512", ["md-fraud-9", "pay-800", "cfg-4"], T, why="gap_s becomes 1000 times larger when the first velocity run after ft-512 (seconds to milliseconds) publishes; scores were normal 14 min on the new model release.", delayed=True)
