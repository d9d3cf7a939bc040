from common import *
B = Bundle("shipping-http-bump", 125, "checkout", "2025-09-04T09:20:00Z", 200, 60, peak=13, daily=.45)
C = 36.0; T = 92.0
B.change("shp-318", "deploy", C, "shipping-rates", "shipping-rates 3.18: dependency round September", diff=D("build.gradle.kts", """@@ -22,11 +22,11 @@ dependencies {
     implementation("io.micrometer:micrometer-core:1.13.3")
-    implementation("org.apache.httpcomponents:httpclient:4.5.14")
+    implementation("org.apache.httpcomponents.client5:httpclient5:5.3.1")
-    implementation("com.fasterxml.jackson.core:jackson-databind:2.17.1")
+    implementation("com.fasterxml.jackson.core:jackson-databind:2.17.2")
     implementation("org.postgresql:postgresql:42.7.3")
-    testImplementation("org.wiremock:wiremock:3.8.0")
+    testImplementation("org.wiremock:wiremock:3.9.1")
 }""") + D("src/main/java/ship/carrier/CarrierHttp.java", """@@ -3,7 +3,6 @@
-import org.apache.http.impl.client.HttpClients;
+import org.apache.hc.client5.http.impl.classic.HttpClients;
@@ -18,8 +17,6 @@ final class CarrierHttp {
     static CloseableHttpClient build() {
-        return HttpClients.custom()
-            .setMaxConnPerRoute(40).setMaxConnTotal(120)
-            .build();
+        return HttpClients.custom().useSystemProperties().build();
     }"""), boot=True, lang="jvm")
B.change("chk-77", "deploy", 88.4, "checkout", "checkout 77: delivery slot copy", diff=D("src/i18n/en.json", "@@ -51,3 +51,3 @@\n-  \"slot.title\": \"Pick a slot\",\n+  \"slot.title\": \"Choose a delivery slot\","), boot=True, lang="node")
B.change("crt-12", "config", 84, "cart", "cart: cache ttl for rates 120s -> 90s", diff=D("config/cart.yaml", "@@ -8,2 +8,2 @@\n rates_cache:\n-  ttl_s: 120\n+  ttl_s: 90"))
B.change("wh-9", "deploy", 64, "warehouse-api", "warehouse-api 9: slotting report", files=["report/slotting.sql"], boot=True, lang="py")
B.filler(13, -300, 80, ["cart", "checkout", "warehouse-api"], "crt-0")
lp = lambda k, d=0: [curve([(T + d, 1), (T + d + 18, k * .45), (T + d + 45, k), (175, k), (200, k * .6)])]
B.svc("web", 180, 40, 210, lang="node", fx=dict(p99=lp(4, 3))); B.svc("checkout", 30, 120, 520, lang="node", fx=dict(lat=lp(7, 2), err=[add(T + 8, .09, ramp=35)])); B.svc("cart", 70, 20, 120, lang="go", fx=dict(lat=lp(5, 1), err=[add(T + 8, .03, ramp=35)])); B.svc("shipping-rates", 42, 160, 520, lang="jvm", fx=dict(lat=lp(11), err=[add(T + 5, .16, ramp=35)], thr=[add(T, 150, ramp=40)])); B.svc("warehouse-api", 14, 50, 240, lang="py"); B.svc("tax", 40, 15, 70, lang="go")
mx = lambda a, b: [setv(C, b, ramp=0)]
B.s("shipping-rates", 'httpclient_pool_max{route="carrier-x"}', 40, 0, mx(40, 5), integer=True, gap=0); B.s("shipping-rates", 'httpclient_pool_leased{route="carrier-x"}', 4.0, .12, [lambda t, v: min(v, 5) if t >= C else v, lambda t, v: max(v, 5) if t > T else v], season=1.0, integer=True); B.s("shipping-rates", 'httpclient_pool_pending{route="carrier-x"}', 0, 0, [lambda t, v: max(0, 62 * (1 - math.exp(-(t - T) / 22))) if t > T else v], integer=True); B.s("shipping-rates", 'carrier_call_seconds_p95{carrier="carrier-x"}', .22, .07); B.s("shipping-rates", 'carrier_call_seconds_p95{carrier="carrier-y"}', .3, .07)
B.topo("web > checkout cart\ncheckout > cart tax\ncart > shipping-rates warehouse-api\nshipping-rates > carrier-x carrier-y")
B.chat("web", [], 1.2, "node"); B.chat("checkout", ["checkout step=delivery {ms:150}ms"], 1.5, "node"); B.chat("cart", ["rates cache {pick:hit|hit|miss}"], 1.5, "go"); B.chat("shipping-rates", ["rates carrier={pick:x|x|y} {ms:160}ms zones={n:1-9}"], 1.8, "jvm"); B.chat("warehouse-api", [], .5, "py"); B.chat("tax", [], .5, "go")
B.log(C + 1, "shipping-rates", "INFO", "PoolingHttpClientConnectionManager defaultMaxPerRoute=5 maxTotal=25"); B.log(1.0, "shipping-rates", "INFO", "config dump: carriers=[x,y] retry=0 connectTimeout=800ms")
B.logs("shipping-rates", "ERROR", "rates failed carrier=x\norg.apache.hc.core5.util.DeadlineTimeoutException: Timeout deadline: 3000 MILLISECONDS, actual: 3001 MILLISECONDS\n\tat org.apache.hc.client5.http.impl.classic.InternalExecRuntime.acquireEndpoint(InternalExecRuntime.java:115)\n\tat ship.carrier.CarrierX.quote(CarrierX.java:52)", T + 4, pm=2.6, ramp=35); B.logs("cart", "WARN", "shipping-rates slow or failed, asking again", T + 5, pm=1.6, ramp=30); B.logs("checkout", "ERROR", "delivery step failed: no rates", T + 8, pm=1.2, ramp=30)
B.trace([dict(c="checkout", n="delivery", p=-1, ms=18), dict(c="cart", n="rates", p=0, ms=5), dict(c="shipping-rates", n="quote", p=1, ms=12), dict(c="shipping-rates", n="pool.acquire", p=2, ms=.4, fx=[lambda t, v: v + (0 if t < T else 2400 * (1 - math.exp(-(t - T) / 22)))]), dict(c="carrier-x", n="POST /rates", p=2, ms=150)], .7)
B.alert(T + 17, "CheckoutLatency", "critical", "checkout", "checkout delivery step p99 above 2s"); B.alert(T + 22, "CartErrors", "warning", "cart", "cart 5xx above 1%")
B.finish(T + 20, "dependency bump", ["dependency", "code"], ["shipping-rates"], "shp-318", ["chk-77", "crt-12", "wh-9"], T, why="pool_max falls 40 to 5 at shp-318 (client 4 to 5, default pool), harmless until lunch traffic fills it: time is spent in pool.acquire while the carrier answers normally.", delayed=True, onset_from=C - 2, onset_to=104)
