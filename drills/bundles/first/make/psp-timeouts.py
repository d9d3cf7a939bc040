from common import *
B = Bundle("psp-timeouts", 104, "checkout", "2025-11-08T12:00:00Z", 120, 20, peak=20)
T = 47.0; E = 92.0
B.change("r-601", "deploy", 43.6, "checkout", "checkout 4.18: gift message field", diff=D("src/checkout/order.ts", """@@ -60,6 +60,7 @@ export async function placeOrder(input: OrderInput, ctx: Ctx) {
   const order = await ctx.orders.create({
     cart: input.cartId,
     address: input.address,
+    giftMessage: input.giftMessage?.slice(0, 240) ?? null,
   })
   return ctx.payments.charge(order)
 }""") + D("db/migrations/20251108_gift.sql", "@@ -0,0 +1,1 @@\n+ALTER TABLE orders ADD COLUMN gift_message text;"), boot=True, lang="node")
B.change("r-600", "flag", 45.1, "cart", "flag free-shipping-banner on 100%")
B.change("r-597", "config", 5.0, "psp-adapter", "psp-adapter: replicas 3 -> 4", diff=D("charts/psp-adapter/values.yaml", "@@ -1,3 +1,3 @@\n-replicaCount: 3\n+replicaCount: 4\n image:\n   tag: 88"))
B.filler(5, -500, 44, ["cart", "catalog", "inventory"], "r-5")
B.svc("web", 300, 30, 190, lang="node", fx=dict(p99=[mul(T + 4, 12, E, 6, 5)], err=[add(T + 5, .05, E, 6, 5)]))
B.svc("checkout", 26, 140, 620, lang="node", fx=dict(p50=[mul(T + 1, 28, E, 5, 4)], p99=[mul(T, 48, E, 3, 4), lambda t, v: min(v, 30.2 + v / 200)], err=[add(T + 3, .55, E, 5, 4)], mem=[mul(T + 2, 1.7, E, 10, 8)], rt=[mul(T + 4, 2.4, E, 5, 5)]))
B.svc("cart", 120, 14, 70, lang="go", fx=dict(p99=[mul(T + 6, 3, E, 5, 5)]))
B.svc("psp-adapter", 19, 260, 800, lang="jvm", fx=dict(p50=[mul(T, 55, E, 2, 3)], p99=[mul(T, 37, E, 1, 3), lambda t, v: min(v, 30 + v / 200)], err=[add(T + 1, .8, E, 2, 3)], thr=[add(T + 1, 180, E, 5, 6)], cpu=[mul(T + 1, .6, E, 3, 3)]))
B.svc("inventory", 50, 9, 50, lang="go", fx=dict(rps=[mul(T + 4, .6, E, 5, 4)]))
B.svc("catalog", 220, 18, 90, lang="jvm", fx=dict(rt=[spike(71, 14, .5)]))
B.s("psp-adapter", 'psp_requests_in_flight{psp="primary"}', 5, .2, [add(T, 190, E, 4, 4)], integer=True); B.s("psp-adapter", 'psp_http_status_total{psp="primary",code="200"}', 18, .05, [mul(T, .08, E, 1.5, 3)], "ctr", 1)
B.s("psp-adapter", 'psp_timeouts_total{psp="primary"}', .005, 0, [add(T + .5, 6, E, 1.5, 3)], "ctr"); B.s("psp-adapter", 'psp_http_status_total{psp="wallet",code="200"}', 4, .05, [], "ctr", 1)
B.pg("orders-db", 60, 300, 24, fx=dict(active=[add(T + 4, 22, E, 6, 4)], conns=[mul(T + 4, .7, E, 5, 5)]))
B.topo("web > checkout cart catalog\ncheckout > psp-adapter orders-db inventory cart\npsp-adapter > psp-primary psp-wallet\ncart > inventory")
B.chat("checkout", ["order placed id=o_{hex8} {ms:500}ms", "validate address ok"], 2, "node"); B.chat("web", ["GET / 200 {ms:30}ms"], 3, "node"); B.chat("psp-adapter", [], .6, "jvm"); B.chat("cart", ["add sku={n:10000-99999}"], 2, "go"); B.chat("catalog", ["lookup {ms:12}ms"], 1.5, "jvm"); B.chat("orders-db", [], .4, "pg")
B.logs("psp-adapter", "INFO", "psp=primary charge ok {ms:260}ms", 0, T, pm=4); B.logs("psp-adapter", "INFO", "psp=primary charge ok {ms:300}ms", E + 1, pm=4); B.logs("psp-adapter", "INFO", "psp=wallet charge ok {ms:240}ms", pm=1.2)
B.logs("psp-adapter", "ERROR", "psp=primary charge failed\njava.net.SocketTimeoutException: Read timed out\n\tat java.base/sun.nio.ch.NioSocketImpl.timedRead(NioSocketImpl.java:288)\n\tat com.shop.psp.PrimaryClient.charge(PrimaryClient.java:91)\n\tat com.shop.psp.ChargeController.post(ChargeController.java:40)", T + .5, E, pm=2.5)
B.logs("psp-adapter", "WARN", "http worker pool saturated active=200 queued={n:20-190}", T + 4, E, pm=.8)
B.logs("checkout", "ERROR", "placeOrder failed: TimeoutError: payments.charge exceeded 30000ms\n    at Timeout.<anonymous> (/app/dist/rpc.js:41:19)\n    at async placeOrder (/app/dist/checkout/order.js:66:10)", T + 1.5, E, pm=4)
B.logs("web", "ERROR", "502 POST /checkout upstream=checkout {ms:30000}ms", T + 3, E, pm=2)
B.trace([dict(c="web", n="POST /checkout", p=-1, ms=12), dict(c="checkout", n="placeOrder", p=0, ms=30), dict(c="orders-db", n="INSERT orders", p=1, ms=5), dict(c="inventory", n="Reserve", p=1, ms=8), dict(c="psp-adapter", n="POST /charge", p=1, ms=14), dict(c="psp-primary", n="HTTPS POST /v3/charges", p=4, ms=240, fx=[setv(T, 29800, E, 1, 2)], err=lambda t: .9 if T < t < E else .002)], .6)
B.alert(T + 3, "CheckoutErrorRate", "critical", "checkout", "checkout errors above 20%"); B.alert(T + 5, "HighLatencyP99", "critical", "web", "web p99 above 2s"); B.alert(T + 6, "HeapGrowth", "warning", "checkout", "checkout memory +40% in 10m")
B.finish(T + 4, "dependency outage", ["dependency"], ["psp-primary", "psp-adapter"], None, ["r-601", "r-600"], T, why="Only calls to the primary PSP time out (the wallet PSP is fine); all 30 s of the trace are in the external call and it heals with no rollback.")
