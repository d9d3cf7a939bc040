# C10 payments: retry without backoff deployed; same connector restart was harmless before it (control) and melts after it. Connector looks worst.
from common import *
b = B("card_payments", 110, "2025-07-15T09:00:00", 180, 30, ids="D{n}")
L = b.load(.15, 13); R1, G0, T = 34, 68, 131
b.topo("checkout-web>pay-orchestrator;pay-orchestrator>acquirer-connector,vault,pay-db;acquirer-connector>acquirer-sandbox-proxy;refunds>acquirer-connector;pay-orchestrator>fx")
st = lambda f: [mul(T, f, 3)]
b.svc("checkout-web", "statsd", 55, 320, .003, load=L, errs=[add(R1, .02, .3, R1+1, .6), add(T+1, .42, 4)], lat=[mul(T, 12, 4)], rt="node")
b.svc("pay-orchestrator", "statsd", 54, 210, .002, load=L, errs=[add(R1, .03, .3, R1+1, .6), add(T+.6, .48, 4)], lat=[mul(T, 14, 4)], cpux=[mul(T, 2.1, 4)], rt="go")
b.svc("acquirer-connector", "statsd", 60, 150, .002, load=L, rpsx=[mul(T, 9, 4)], errs=[add(R1, .12, .3, R1+1, .5), add(T, .78, 1.5)], lat=[mul(T, 22, 3)], cpux=[mul(T, 2.6, 2)], memx=[mul(T, 1.8, 10)], rt="jvm")
b.s("acquirer-connector", "acquirer_connector.threads.busy", 38, .08, L, kind="i", fx=[mul(T, 6, 2)], hi=200); b.s("acquirer-connector", "acquirer_connector.queue", 1, 0, kind="p", fx=[add(T, 900, 3)])
b.s("pay-orchestrator", "pay_orchestrator.connector.attempts", 1700, 0, L, kind="p", fx=[mul(R1, 1.06, .2, R1+1, .5), mul(T, 8.6, 4)]); b.s("pay-orchestrator", "pay_orchestrator.connector.attempts_per_payment", 1.02, .01, fx=[add(R1, .08, .2, R1+1, .5), add(T, 6.6, 4)])
b.svc("refunds", "statsd", 4, 260, .001, load=L, errs=[add(T+1, .6, 3)]); b.svc("vault", "statsd", 54, 8, .0001, load=L, rt="go")
b.s("acquirer-sandbox-proxy", "acquirer.upstream.latency", 118, .08, fx=[mul(T+2, .92, 2)]); b.s("acquirer-sandbox-proxy", "acquirer.upstream.approved", 1500, 0, L, kind="p", fx=[mul(T+1, .4, 3)]); b.s("acquirer-sandbox-proxy", "acquirer.upstream.5xx", 0, 0, kind="k")
b.pg("pay-db", 50, 200, 26, 800, L); b.s("fx", "fx.quote.age_s", 3, .2)
b.chat("pay-orchestrator", 2.5, ["I payment {hex8} authorized {~190}ms attempts=1", "I payment {hex8} captured {~160}ms", "W payment {hex8} soft decline code=51"]); b.chat("acquirer-connector", 2, "spring"); b.chat("checkout-web", 2, "node"); b.chat("vault", .6, "go"); b.chat("pay-db", .5, "pg"); b.chat("refunds", .4, "rails"); b.chat("acquirer-sandbox-proxy", .8, "nginx")
for x in (R1, T):
    b.log(x-.2, "acquirer-connector", "I draining pod 1 of 4 for rolling restart"); b.log(x+.9, "acquirer-connector", "I Started ConnectorApplication in 21.8 seconds")
    b.chat("pay-orchestrator", 10, ["W connector call failed attempt=1 err=connection refused, backing off 400ms" if x == R1 else "W connector call failed attempt={#2-8} err=connection refused"], x, x+1)
b.log(R1+1.2, "acquirer-connector", "I rolling restart finished 4/4"); b.chat("pay-orchestrator", 7, ["W connector call failed attempt={#2-8} err=503 pool saturated", "E payment {hex8} failed after 8 attempts in {~2900}ms: connector: deadline exceeded"], T+1); b.chat("acquirer-connector", 6, ["E o.a.t.u.t.ThreadPoolExecutor$RejectedExecutionException: queue capacity is full\n\tat org.apache.tomcat.util.threads.ThreadPoolExecutor.execute(ThreadPoolExecutor.java:1357)", "W request older than client deadline, still processing ref={hex8}"], T+.5); b.chat("checkout-web", 2, ["E payment failed, message shown order={hex6}"], T+1)
G = b.change(G0, "deploy", "pay-orchestrator", "pay-orchestrator 4.20.0: aggressive retries for soft network errors", diff=D("pay-orchestrator/connector/client.go", """
 func (c *Client) do(ctx context.Context, req *Request) (*Response, error) {
 \tvar last error
-\tfor i := 0; i < 2; i++ {
-\t\tif i > 0 {
-\t\t\tsleep(ctx, jitter(400*time.Millisecond))
-\t\t}
-\t\tif !c.budget.Allow() {
-\t\t\treturn nil, ErrRetryBudget
-\t\t}
+\tfor i := 0; i < 8; i++ {
 \t\tresp, err := c.try(ctx, req)
 \t\tif err == nil {
 \t\t\treturn resp, nil
 \t\t}
 \t\tlast = err
+\t\tlog.Warn("connector call failed", "attempt", i+1, "err", err)
 \t}
 \treturn nil, last
 }""", 58))
d0 = b.change(R1-.4, "deploy", "acquirer-connector", "acquirer-connector 3.7.1: BIN table refresh", files=["connector/src/main/resources/bins.csv"], diff=None)
d1 = b.change(T-.5, "deploy", "acquirer-connector", "acquirer-connector 3.7.2: BIN table refresh", diff=D("connector/src/main/resources/bins.csv", " 457173,CREDIT,EU\n-457174,DEBIT,EU\n+457174,CREDIT,EU\n+457175,DEBIT,EU\n 457180,CREDIT,UK", 811))
d2 = b.change(T-8, "config", "pay-db", "pay-db: autovacuum_naptime 60 -> 30", diff=D("ansible/pay-db.yml", " pg:\n-  autovacuum_naptime: 60\n+  autovacuum_naptime: 30", 12))
b.bg(6, ["checkout-web", "vault", "refunds", "fx"], -50, 128, avoid=[(R1-3, R1+3)])
b.alert(T+3, "ConnectorErrors", "critical", "acquirer-connector error ratio 78%", "", service="acquirer-connector"); b.alert(T+5, "CheckoutPaymentFailures", "critical", "42% of payments fail", "", service="checkout-web")
sp = lambda n, k, a, z, f: b.traces(n, N("checkout-web", "POST /pay", 40, [N("pay-orchestrator", "authorize", 30, [N("vault", "detokenize", 6)] + [N("acquirer-connector", "POST /auth", 110 * f, err=lambda m: .002 if f == 1 else .8) for _ in range(k)])]), a, z)
sp(50, 1, 0, T, 1); sp(22, 8, T+2, None, 5)
b.done("card payments", "retry storm: no backoff, no budget, triggered by a routine restart", ["code"], ["pay-orchestrator"], G, [d0, d1, d2], T, "the same connector restart at 09:34 recovered in a minute; after 4.20.0 removed backoff and the retry budget it turns into 8 attempts per payment while the acquirer itself is healthy.")
