from common import *
B = Bundle("acquirer-mtls-expiry", 103, "payments", "2025-09-13T22:30:00Z", 150, 30, peak=19, lv="lower")
T = 90.0
B.change("9f31c0", "deploy", 84.5, "card-gateway", "card-gateway v212: retry metrics by acquirer", diff=D("internal/acq/client.go", """@@ -77,8 +77,10 @@ func (c *Client) Do(ctx context.Context, r *Request) (*Response, error) {
 	resp, err := c.http.Do(hr)
 	if err != nil {
+		retryCounter.WithLabelValues(c.name).Inc()
 		return nil, fmt.Errorf("acquirer %s: %w", c.name, err)
 	}
 	defer resp.Body.Close()"""), boot=True, lang="go")
B.change("cm-5521", "config", 88.0, "router", "router: weight acquirer-north 60 -> 65", diff=D("routing/weights.yaml", "@@ -3,5 +3,5 @@\n eur:\n-  acquirer-north: 60\n-  acquirer-delta: 40\n+  acquirer-north: 65\n+  acquirer-delta: 35"))
B.change("0d77aa", "commit", 30, "wallet", "wallet: drop unused table", diff=D("db/migrations/0088_drop_tmp.sql", "@@ -0,0 +1,1 @@\n+DROP TABLE IF EXISTS wallet_import_tmp;"))
B.filler(9, -600, 80, ["wallet", "router", "card-gateway"], "b")
B.svc("checkout-api", 90, 60, 380, lang="node", fx=dict(err=[add(T, .31)], p99=[mul(T, 1.5)]))
B.svc("router", 85, 12, 60, lang="go", fx=dict(err=[add(T, .33)]))
B.svc("card-gateway", 80, 190, 900, lang="go", fx=dict(err=[add(T, .62)], p50=[mul(T, .35)]))
B.svc("wallet", 20, 35, 160, lang="jvm")
B.svc("fraud-check", 84, 28, 110, lang="py")
for a, k in (("north", .0), ("delta", 1.0)):
    B.s("card-gateway", 'acquirer_approved_total{acquirer="%s"}' % a, 45 if a == "north" else 30, .05, [setv(T, 0, ramp=.4)] if a == "north" else [mul(T + 3, 1.12)], "ctr", 1)
    B.s("card-gateway", 'acquirer_transport_errors_total{acquirer="%s"}' % a, .02, 0, [add(T, 52)] if a == "north" else [], "ctr", 1)
B.s("card-gateway", 'tls_client_cert_not_after_seconds{cert="acquirer-north"}', 1757808000, 0, integer=True, gap=0); B.s("card-gateway", 'tls_client_cert_not_after_seconds{cert="acquirer-delta"}', 1789344000, 0, integer=True, gap=0)
B.pg("pay-db", 70, 350, 25, fx=dict(disk=[]))
B.s("pay-db", "node_disk_read_bytes", 2e6, .3, [mul(58, 22, 83, 2, 2)])
B.topo("checkout-api > router fraud-check wallet\nrouter > card-gateway\ncard-gateway > acquirer-north acquirer-delta pay-db\nwallet > pay-db")
B.logs("card-gateway", "INFO", "authorised acq=north rrn={n:100000-999999} {ms:190}ms", 0, T, pm=3); B.logs("card-gateway", "INFO", "authorised acq=delta rrn={n:100000-999999} {ms:210}ms", pm=2)
B.chat("card-gateway", [], .6, "go"); B.chat("checkout-api", ["POST /v2/charge 200 - {ms:300} ms"], 3, "node"); B.chat("router", ["route acq={pick:north|north|delta} bin={n:400000-559999}"], 2, "go"); B.chat("wallet", [], .8, "jvm"); B.chat("fraud-check", ["score={n:1-70} in {ms:25}ms"], 1.5, "py", ["feature cache cold for bin {n:400000-559999}"], .1)
B.log(61, "pay-db", "INFO", "pg_basebackup: starting nightly base backup"); B.log(84, "pay-db", "INFO", "pg_basebackup: base backup completed")
for t in (15, 75): B.log(t, "card-gateway", "WARN", "client certificate CN=card-gateway.north serial=5c:{hex4} expires in %dm" % (90 - t))
B.logs("card-gateway", "ERROR", "acquirer north: Post \"https://acq-north.partner/v1/auth\": remote error: tls: expired certificate", T, pm=9)
B.logs("checkout-api", "ERROR", "POST /v2/charge 502 - {ms:90} ms upstream=router code=acquirer_unavailable", T, pm=4); B.logs("router", "WARN", "acquirer north marked unhealthy, no failover for brand=domestic", T + 1, pm=.7)
B.alert(T + 3, "PaymentSuccessRateLow", "critical", "checkout-api", "charge success rate below 75%"); B.alert(T + 2, "HighErrorRate", "critical", "card-gateway", "card-gateway 5xx above 5%")
B.finish(T + 4, "expiry", ["infrastructure", "configuration"], ["card-gateway", "acquirer-north"], None, ["9f31c0", "cm-5521"], T, why="Only the north acquirer fails, from 00:00:00 sharp, with 'expired certificate' and not_after equal to that time; the deploy and weight change 2-6 minutes before are innocent.")
