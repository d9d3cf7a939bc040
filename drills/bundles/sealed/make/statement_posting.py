# N10 banking: serial int4 of statement_lines reaches 2147483647. Logs and changes only. Decoy deploys.
from common import *
b = B("statement_posting", 310, "2025-01-31T21:00:00", 180, 60, ids="P{n}", logms=False)
b.chat_scale = 0.3
T = 108
b.topo("posting-batch>statement-db;statement-api>statement-db;card-posting>statement-db;mobile-bff>statement-api;interest-run>statement-db;scheduler>posting-batch,interest-run")
b.chat("posting-batch", 2.5, ["I chunk {#1-900} posted n=1000 in {~800}ms", "I commit ok lines=1000", "W slow chunk {~3000}ms, account shard {#0-63}"], 0, T)
for m in range(5, 108, 12): b.log(m, "posting-batch", f"I commit ok last_line_id={2147483647 - int((T - m) * 41250)} rate=41k/min")
b.chat("card-posting", 2, ["I posted auth={hex8} line ok", "I settled batch {#100-900}"], 0, T); b.chat("posting-batch", 3.5, ["E chunk {#1-900} failed\norg.postgresql.util.PSQLException: ERROR: nextval: reached maximum value of sequence \"statement_lines_id_seq\" (2147483647)\n\tat org.postgresql.core.v3.QueryExecutorImpl.receiveErrorResponse(QueryExecutorImpl.java:2725)\n\tat bank.posting.LineWriter.flush(LineWriter.java:94)", "W chunk retried attempt={2|3}, then parked"], T+.05); b.chat("card-posting", 3, ["E insert statement_lines: nextval: reached maximum value of sequence (2147483647)", "W posting deferred auth={hex8}"], T+.05); b.chat("statement-db", 1.5, "pg"); b.chat("statement-db", 2, ["E nextval: reached maximum value of sequence \"statement_lines_id_seq\" (2147483647)"], T+.02); b.chat("statement-api", 2.5, "spring"); b.chat("mobile-bff", 2, "node"); b.chat("statement-api", .5, ["W account {#1000-9999}: latest line older than pending posting"], T+10); b.chat("interest-run", 1.5, ["I accrual account shard {#0-63} done"], 60, 150); b.chat("scheduler", .5, "batch")
b.log(60, "scheduler", "I interest-run month end 2025-01 started (scheduled 22:00)"); b.log(T-3, "posting-batch", "I posting-batch 8.3.0 started, chunk=1000")
d1 = b.change(T-3.5, "deploy", "posting-batch", "posting-batch 8.3.0: write lines in batches of 1000 instead of 500", diff=D("posting/src/main/java/bank/posting/LineWriter.java", """
-    private static final int CHUNK = 500;
+    private static final int CHUNK = 1000;
 
     void flush(List<Line> lines) {
         jdbc.batchUpdate(INSERT, lines, CHUNK, this::bind);""", 61))
d2 = b.change(T-16, "deploy", "statement-db", "schema 2025-01-31: index on statement_lines(booked_on)", diff=D("db/migration/V511__lines_booked_on.sql", "+CREATE INDEX CONCURRENTLY IF NOT EXISTS statement_lines_booked_on\n+    ON statement_lines (booked_on);", 0))
d3 = b.change(58, "config", "interest-run", "interest-run: 8 shards in parallel at month end", diff=D("jobs/interest.yaml", " interest-run:\n   schedule: \"0 22 L * *\"\n-  parallel: 4\n+  parallel: 8", 3))
b.bg(5, ["statement-api", "mobile-bff", "card-posting", "scheduler"], -90, 160)
b.alert(T+3, "PostingChunksFailing", "critical", "posting-batch: all chunks fail", "log based", job="posting-batch"); b.alert(T+5, "CardPostingDeferred", "critical", "card postings deferred", "", service="card-posting")
b.done("statement posting", "32-bit id sequence used up", ["capacity", "data"], ["statement-db"], None, [d1, d2, d3], T, "the sequence reports its maximum 2147483647 for both independent writers; ids were climbing at 41k/min toward it long before, no diff touches the id type.", no=("metrics",))
