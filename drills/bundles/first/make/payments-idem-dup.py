from common import *
B = Bundle("payments-idem-dup", 102, "payments", "2025-06-03T08:30:00Z", 210, 60, peak=17)
T = 82.0
B.change("PAY-2207", "deploy", 81.0, "payments-core", "payments-core 7.3.0: key builder shared by capture and refund", diff=D("core/src/main/java/com/acme/pay/IdempotencyKeys.java", """@@ -14,15 +14,14 @@ public final class IdempotencyKeys {
-    static String capture(PaymentIntent p) {
-        return "cap:" + p.id() + ":" + p.amount().minor();
-    }
-
-    static String refund(PaymentIntent p, Refund r) {
-        return "ref:" + p.id() + ":" + r.id();
-    }
+    /** One builder for all operations. */
+    static String of(String op, Operation o) {
+        return op + ":" + o.intentId() + ":" + o.createdAt().toEpochMilli();
+    }
 }""") + D("core/src/main/java/com/acme/pay/CaptureHandler.java", """@@ -51,9 +51,10 @@ class CaptureHandler {
     Result handle(CaptureCommand cmd) {
         PaymentIntent p = intents.load(cmd.intentId());
-        String key = IdempotencyKeys.capture(p);
+        Operation op = Operation.start(p);
+        String key = IdempotencyKeys.of("cap", op);
         return guard.once(key, () -> acquirer.capture(p, key));
     }"""), boot=True, lang="jvm")
B.change("LED-911", "deploy", 116.5, "ledger-recon", "ledger-recon 2.9.4: report in CSV and JSON", diff=D("recon/report.py", """@@ -31,6 +31,10 @@ def write_report(rows, day):
     with open(path(day, 'csv'), 'w') as f:
         w = csv.writer(f)
         w.writerow(HEADER)
         w.writerows(rows)
+    with open(path(day, 'json'), 'w') as f:
+        json.dump([dict(zip(HEADER, r)) for r in rows], f)
"""), boot=True, lang="py")
B.change("PAY-2209", "config", 97.0, "acquirer-adapter", "acquirer-adapter: read timeout 8s -> 6s for acquirer B", diff=D("config/acquirers.yml", "@@ -20,3 +20,3 @@\n   b:\n     connect_timeout_ms: 800\n-    read_timeout_ms: 8000\n+    read_timeout_ms: 6000"))
B.change("CHK-4410", "deploy", 40, "checkout-web", "checkout-web: address autocomplete", files=["src/address/Autocomplete.tsx"], boot=True, lang="node")
B.filler(11, -400, 180, ["checkout-web", "refunds", "ledger-recon"], "OPS-")
S = dict(style="statsd", lang="jvm")
B.svc("checkout-web", 60, 80, 420, lang="node", style="statsd")
B.svc("payments-core", 34, 120, 900, fx=dict(mem=[]), **S)
B.svc("acquirer-adapter", 36, 210, 2600, err=.004, **S, fx=dict(rps=[mul(T, 1.05)]))
B.svc("refunds", 1.4, 90, 400, **S, fx=dict(rps=[mul(150, 2.4, ramp=30)]))
B.s("payments-core", "payments.intent.created", .5, .05, kind="cnt", season=1)
B.s("payments-core", "payments.capture.ok", .48, .05, [mul(T, 1.06)], kind="cnt", season=1)
B.s("payments-core", "payments.capture.retry", .032, .05, kind="cnt", season=1)
B.s("payments-core", "payments.idempotency.hit", .031, .05, [setv(T, 0, ramp=1)], kind="cnt", season=1)
B.s("payments-core", "payments.idempotency.miss", .48, .05, [mul(T, 1.065)], kind="cnt", season=1)
B.s("ledger-recon", "recon.unmatched_entries", 2.2, .4, [lambda t, v: v + (max(0, (int(t) // 30 * 30) - T) * 1.9 if t >= 118 else 0)], integer=True)
B.s("ledger-recon", "recon.run.duration_s", 41, .06); B.s("ledger-recon", "recon.rss_mb", 300, .01)
B.s("ledger-db", "ledger.rows_inserted", 4.1, .05, [mul(T, 1.06)], kind="cnt", season=1); B.s("ledger-db", "pg.cpu", 22, .07); B.s("ledger-db", "pg.connections", 40, .03, integer=True); B.s("ledger-db", "pg.deadlocks", 0, 0, integer=True)
B.redis("idem-redis", 420, 700, hit=.061, fx=dict(hit=[setv(T, .0006, ramp=2)]))
B.bystanders(["vouchers", "tax", "invoices", "statement-mailer"], 0, "statsd")
B.topo("checkout-web > payments-core\npayments-core > acquirer-adapter idem-redis ledger-db\nrefunds > payments-core\nledger-recon > ledger-db\nacquirer-adapter > acquirer-a acquirer-b")
B.chat("payments-core", ["captured intent=pi_{hex8} amount={n:500-20000} EUR attempt=1", "intent created pi_{hex8}"], 4, "jvm")
B.logs("payments-core", "INFO", "replayed stored result key=cap:pi_{hex8}:{n:500-20000} attempt=2", 0, T - 1, pm=1.8)
B.logs("payments-core", "INFO", "captured intent=pi_{hex8} amount={n:500-20000} EUR attempt=2 key=cap:pi_{hex8}:17489{n:10000000-99999999}", T, pm=1.9)
B.logs("acquirer-adapter", "WARN", "acquirer {pick:a|b} read timeout after {n:6000-8000}ms, caller will retry", 0, None, pm=1.9)
B.chat("acquirer-adapter", ["capture approved rrn={n:100000-999999} acquirer={pick:a|a|b}"], 3, "jvm"); B.chat("checkout-web", ["POST /pay 200 {ms:300} ms"], 2, "node"); B.chat("refunds", ["refund created re_{hex8}"], .4, "jvm")
for t in range(28, 210, 30):
    B.log(t, "ledger-recon", "INFO", "run started window=30m"); bad = 0 if t < 100 else int((t - T) * 1.9)
    B.log(t + .7, "ledger-recon", "ERROR" if bad else "INFO", "run finished matched={n:800-1000} unmatched=%d" % (bad or 2))
    for i in range(min(bad, 14)): B.log(t + .6 + i * .005, "ledger-recon", "ERROR", "duplicate capture: intent=pi_{hex8} captured twice, rrn {n:100000-999999} and {n:100000-999999}, acquirer=%s" % B.r.choice("ab"))
B.logs("refunds", "INFO", "refund created re_{hex8} reason=charged_twice", 150, pm=.7)
B.alert(119, "ReconUnmatchedHigh", "critical", "ledger-recon", "ledger-recon: unmatched entries above 20", "unmatched=68 after run 10:28", label="component")
B.alert(168, "RefundRateHigh", "warning", "refunds", "refund requests twice the usual", label="component")
B.finish(121, "code", ["code"], ["payments-core"], "PAY-2207", ["LED-911", "PAY-2209"], T, why="Idempotency hits fall to zero exactly at PAY-2207 (key now holds a timestamp), before the recon release and the timeout change; recon only reports.", onset_to=90)
