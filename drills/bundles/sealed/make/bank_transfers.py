# C1 banking: lock ordering removed -> deadlocks. Evidence: deadlock logs name TransferService.postBoth, start with ledger rollout; fraud deploy lies between it and the onset, unrelated.
from common import *
b = B("bank_transfers", 101, "2025-02-11T08:40:00", 110, 30, ids="DEP-{n}")
b.chat_scale = 0.7
L = b.load(.2); T = 58.5
b.topo("mobile-bff>payments-api,accounts-api;payments-api>fraud-scoring,ledger;accounts-api>ledger;ledger>ledger-db,kafka-core;statement-gen>ledger-db;fraud-scoring>redis-fraud")
b.svc("mobile-bff", "prom", 310, 180, .002, load=L, errs=[add(T, .035, 5)], lat=[mul(T, 1.9, 5)], rt="node")
b.svc("payments-api", "prom", 90, 140, .002, load=L, errs=[add(T, .11, 5)], lat=[mul(T, 4.5, 5)], rt="jvm")
b.svc("accounts-api", "prom", 220, 60, .001, load=L, rt="jvm", lat=[mul(T, 1.15, 5)])
b.svc("ledger", "prom", 120, 70, .001, load=L, errs=[add(T, .09, 5)], lat=[mul(T, 9, 5)], rt="jvm", reset=[57.5], memx=[mul(57, .6, .5, 58, 14)])
b.svc("fraud-scoring", "prom", 90, 38, .001, load=L, reset=[58], memx=[mul(57.8, .7, .5, 58.8, 10)])
b.s("ledger", "hikaricp_connections_active", 7, .2, fx=[mul(T, 4.2, 5)], kind="i", hi=40); b.s("ledger", "hikaricp_connections_pending", .2, .5, kind="p", fx=[add(T+1, 14, 6)])
b.s("ledger", "ledger_transfers_posted_total", 41, kind="r", load=L, fx=[mul(T, .72, 5)], reset=[57.5])
b.pg("ledger-db", 78, 300, 34, 2100, L, lockx=[add(T, 16, 4)], latx=[mul(T, 3, 4)], connx=[add(T, 35, 6)])
b.s("ledger-db", "pg_stat_database_deadlocks", .0004, kind="r", fx=[add(T, .42, 5)])
b.s("statement-gen", "statement_jobs_running", 2, 0, kind="k", fx=[mul(80, 4, 0, 96, 0)]); b.s("statement-gen", "container_cpu_usage_cores", .6, .1, fx=[mul(80, 3.5, 2, 96)])
b.s("kafka-core", "kafka_server_messagesin_rate", 900, .05, L); b.s("redis-fraud", "redis_connected_clients", 48, .02, kind="i")
b.chat("ledger", 4, "spring", pods=4, thread="http-nio-8080-exec-{#1-40}"); b.chat("payments-api", 3, "spring"); b.chat("fraud-scoring", 2, "py"); b.chat("ledger-db", 1.5, "pg"); b.chat("mobile-bff", 3, "node"); b.chat("statement-gen", .6, ["I statement run queued month=2025-01 accounts={#900-4000}", "W template cache miss locale={de|fr|nl}"])
st = "E o.s.d.CannotAcquireLockException: PreparedStatementCallback; SQL [SELECT id, balance FROM account WHERE id = ? FOR UPDATE]; ERROR: deadlock detected\n\tat com.corebank.ledger.TransferService.postBoth(TransferService.java:88)\n\tat com.corebank.ledger.TransferService.transfer(TransferService.java:61)\n\tat com.corebank.ledger.api.TransferController.create(TransferController.java:44)\nCaused by: org.postgresql.util.PSQLException: ERROR: deadlock detected\n  Detail: Process {#2000-9000} waits for ShareLock on transaction {#700000-799999}; blocked by process {#2000-9000}."
b.chat("ledger", 2.2, [st], T, fx=[mul(0, .4, 0, T+3)], pods=4)
b.chat("ledger-db", 3, ["E deadlock detected", "I process {#2000-9000} still waiting for ShareLock on transaction {#700000-799999} after 1000.{#10-99} ms"], T)
b.chat("payments-api", 2, ["E POST /v1/transfers failed: ledger responded 503 after {~2100} ms", "W retrying transfer attempt=2 key={hex8}"], T)
b.chat("mobile-bff", 1, ["W transfer not completed, showing retry screen status=503"], T)
b.log(57.4, "ledger", "I Started LedgerApplication in 14.2 seconds (build 9.14.0)"); b.log(58.6, "ledger", "I rolling update: 4/4 pods on 9.14.0"); b.log(58.2, "fraud-scoring", "I model fraud-gbm-77 loaded, build 3.2.5")
G = b.change(56.9, "deploy", "ledger", "ledger 9.14.0: single-pass posting for internal transfers", diff=D("ledger/src/main/java/com/corebank/ledger/TransferService.java", """
     @Transactional
     public Posting transfer(TransferCommand cmd) {
-        // always touch the lower account id first
-        List<Long> ids = Stream.of(cmd.debit(), cmd.credit()).sorted().toList();
-        Map<Long, Account> locked = accounts.lockAll(ids);
-        Account from = locked.get(cmd.debit());
-        Account to = locked.get(cmd.credit());
+        Account from = accounts.lock(cmd.debit());
+        Account to = accounts.lock(cmd.credit());
         limits.check(from, cmd.amount());
-        return postBoth(from, to, cmd);
+        Posting p = postBoth(from, to, cmd);
+        events.publish(new TransferPosted(p));
+        return p;
     }""", 54) + D("ledger/src/main/java/com/corebank/ledger/AccountRepository.java", """
-    @Query("select a from Account a where a.id in :ids order by a.id")
-    @Lock(PESSIMISTIC_WRITE)
-    List<Account> findAllLocked(List<Long> ids);
+    @Query("select a from Account a where a.id = :id")
+    @Lock(PESSIMISTIC_WRITE)
+    Account lock(Long id);""", 31))
d1 = b.change(57.7, "deploy", "fraud-scoring", "fraud-scoring 3.2.5: timeouts and retries of the rules store", diff=D("fraud_scoring/rules.py", """
 class RulesClient:
-    def __init__(self, url, timeout=0.25, retries=0):
+    def __init__(self, url, timeout=0.40, retries=1):
         self.url = url
         self.timeout = timeout
+        self.retries = retries""", 12))
d2 = b.change(38, "config", "ledger-db", "ledger-db: lower deadlock_timeout logging noise, log_lock_waits on", diff=D("ansible/pg/ledger.conf.j2", """
 log_min_duration_statement = 500
-log_lock_waits = off
+log_lock_waits = on
 deadlock_timeout = 1s
 max_connections = 300""", 71))
b.bystanders([('cards-auth', 'spring'), ('standing-orders', 'batch'), ('fees', 'go')], 'prom', L, 'mobile-bff')
b.bg(5, ["mobile-bff", "accounts-api", "statement-gen", "kafka-core"])
b.alert(62, "PaymentsErrorBudgetBurn", "critical", "payments-api error ratio 11%", "5xx ratio of payments-api above 5% for 3m", service="payments-api")
b.alert(64, "LedgerDbLockWaits", "warning", "ledger-db: 18 sessions waiting on locks", "pg_locks_waiting > 10", service="ledger-db")
b.done("core banking payments", "lock order removed, deadlocks", ["code"], ["ledger"], G, [d1, d2], T, "9.14.0 drops the sorted account locking; deadlocks in TransferService.postBoth begin with its rollout while fraud scoring stays quiet.")
