from common import *
b = B("nightly-join-fanout", 429, "2024-05-14T22:00:00Z", 6, 60, "settlement-batch")
D=25.0; T=182.0  # nightly run starts 01:00 (180)
f=b.stp(T,4); spill=b.ramp(T+6,T+95)

run=b.stp(180,1); hourly=sum(b.pulse(60*h+5,60*h+14,1) for h in range(6))
b.g("spark-settlement","executor_cpu_percent",12,.15,add=45*hourly+52*run,hi=99); b.g("spark-settlement","stage_input_rows",2.0e5,.1,1+60*run,dec=-3); b.g("spark-settlement","stage_output_rows",1.9e5,.1,1+60*run+880*f,dec=-3); b.g("spark-settlement","shuffle_write_mb_s",14,.2,1+2*hourly+32*f); b.g("spark-settlement","disk_spill_mb",2,.5,add=190000*spill,dec=0); b.g("spark-settlement","executor_memory_used_percent",38,.05,1+1.2*f,hi=97); b.g("spark-settlement","jvm_gc_time_share",.03,.2,add=.35*spill); b.g("spark-settlement","tasks_failed_per_min",.02,.4,add=5*b.stp(T+30,10)); b.put("spark-settlement","last_nightly_duration_min",np.full(b.n,38.0),None,0)
b.g("worker-disk","volume_used_percent",31,.01,add=66*spill,hi=99); b.g("worker-disk","write_mb_s",22,.15,1+11*f)
b.g("payments-lake","get_requests_per_min",900,.1,1+.8*hourly+1.2*run,dec=0); b.g("payments-lake","bytes_read_mb_s",60,.1,1+.7*hourly+1.5*run); b.k("payments-lake","errors_5xx",0)
b.g("fee-table","rows",412,0,dec=0); b.g("ledger-loader","rows_loaded_per_min",8200,.08,1-.0*f,dec=0); b.g("ledger-loader","wait_for_partition_s",3,.3,add=60*np.clip(b.m-240,0,None)); b.pg("ledger-db",tps=70); b.svc2("statement-api","otel",rps=9,p50=40,p99=300)
b.g("scheduler","dags_running",3,.2,dec=0); b.g("scheduler","sla_missed",0,add=1*(b.m>246)+2*(b.m>290),dec=0)
b.g("feature-batch","executor_cpu_percent",11,.15,add=70*b.pulse(95,140,2),hi=99)
for c,s,n in (("scheduler","airflow",300),("spark-settlement","spark",500),("ledger-loader","batch",260),("statement-api","spring",260),("feature-batch","spark",120)): b.chat(c,s,n)
b.log("scheduler",180,"INFO","dag settlement_nightly run 2024-05-14 started (git 5be)"); b.burst("spark-settlement","WARN",["SortMergeJoin payments.currency = fees.currency: output 17.{d} rows per input row in stage 4","ExternalSorter: Thread {d} spilling sort data of {n}.0 MiB to disk (stage 4: join fees)"],T+3,360,3)
b.burst("spark-settlement","ERROR",["ExecutorLostFailure (executor {d} exited): Container killed on request, exit code 137 stage 4 (join fees)","java.io.IOException: No space left on device at SpillWriter stage 4"],T+32,360,2); b.burst("scheduler","WARNING","settlement_nightly.join_fees over its usual 12 min",T+20,360,.3); b.burst("ledger-loader","WARN","partition settlement/dt=2024-05-14 not there yet",240,360,.6)
p="jobs/settlement/join_fees.py"; sh=b.sha()
b.change("5be7d","commit",8,"spark-settlement","z.malik","Settlement: fees by currency and scheme",[p,"jobs/settlement/tests/test_fees.py"],diff(p,"""
@@ -17,11 +17,15 @@ def with_fees(payments, fees):
-    active = fees.where(F.col("valid_to").isNull())
-    return payments.join(
-        F.broadcast(active),
-        on=["merchant_id", "currency"],
-        how="left",
-    )
+    # schemes are priced per currency since May
+    by_currency = fees.select("currency", "scheme", "rate_bp", "fixed_minor")
+    joined = payments.join(by_currency, on="currency", how="left")
+    return joined.withColumn(
+        "fee_minor",
+        F.round(F.col("amount_minor") * F.col("rate_bp") / 10_000) + F.col("fixed_minor"),
+    )
"""),commit=sh); b.change("ship-31","deploy",D,"spark-settlement","deploy-bot","settlement jobs 2024.05.14",[],None,commit=sh)
b.change("ship-32","deploy",T-9,"ledger-loader","deploy-bot","ledger-loader 3.3: batch size 500",["loader/settings.py"],diff("loader/settings.py","@@ -4,5 +4,5 @@\n COPY_WORKERS = 4\n-BATCH_ROWS = 200\n+BATCH_ROWS = 500\n"),commit=b.sha()); b.inn("ship-33","java-log",90,"statement-api","deploy-bot"); b.inn("c-441","py-feature",120,"feature-batch","z.malik",kind="commit"); b.inn("cfg-90","tf-tags",T-40,"payments-lake","platform-bot",kind="config"); b.change("cfg-91","config",T+75,"spark-settlement","oncall","executor memory 8g -> 12g (incident)",["conf/spark.conf"],diff("conf/spark.conf","@@ -2,3 +2,3 @@\n-spark.executor.memory 8g\n+spark.executor.memory 12g\n spark.executor.cores 4\n"))
b.alert("WorkerDiskFull","worker-disk",T+62,"warning","Volume of the workers above 75%"); b.alert("NightlyLate","scheduler",246,"critical","settlement_nightly misses its deadline",label="job"); b.alert("LedgerPartitionMissing","ledger-loader",262,"warning","ledger-loader waits for the settlement partition")
b.expect("join multiplies rows",["code"],["spark-settlement"],"ship-31",["ship-32","cfg-90","cfg-91"],T,(T-2,T+12),why="In the first nightly run after the deploy stage 4 (join fees) gives 17 rows per input row; the commit dropped merchant_id from the join key; inputs as usual, disks fill by spill.",change_also=["5be7d"],delayed=True)
b.write()
