from common import *
B = Bundle("cart-nplus1", 101, "storefront", "2025-03-18T17:00:00Z", 130, 30, peak=20)
T = 63.0
B.change("d-8812", "deploy", 12.4, "search", "search 2025.11.2: synonyms file", ["config/synonyms.txt"], boot=True, lang="jvm")
B.change("d-8814", "deploy", 58.2, "pricing", "pricing 5.40.1", diff=D("internal/price/round.go", """@@ -22,8 +22,9 @@ func Round(m Money, c Currency) Money {
 	switch c {
-	case JPY, KRW:
+	case JPY, KRW, ISK:
 		return m.RoundTo(0)
 	default:
 		return m.RoundTo(2)
 	}
 }"""), boot=True, lang="go")
B.change("d-8815", "deploy", 61.0, "storefront", "storefront r1290: show best promotion per line in mini-cart", diff=D("app/serializers/cart_serializer.rb", """@@ -18,11 +18,19 @@ class CartSerializer < BaseSerializer
   def as_json(*)
     {
       id: cart.token,
-      lines: cart.line_items.map { |l| LineSerializer.new(l).as_json },
+      lines: cart.line_items.map { |l| line(l) },
       total: cart.total.to_s
     }
   end
+
+  private
+
+  def line(l)
+    promo = Promotion.active.where(sku: l.sku).order(priority: :desc).first
+    LineSerializer.new(l).as_json.merge(
+      promotion: promo && { code: promo.code, badge: promo.badge_text }
+    )
+  end
 end""") + D("app/assets/stylesheets/mini_cart.scss", """@@ -40,3 +40,7 @@
 .mini-cart__total { font-weight: 600; }
+.mini-cart__badge {
+  border-radius: 3px;
+  padding: 0 4px;
+}"""), boot=True, lang="ruby")
B.change("cfg-311", "config", 62.1, "shop-db", "shop-db: log_min_duration_statement 500 -> 250", diff=D("postgres/shop-db.conf", "@@ -70,3 +70,3 @@\n log_lock_waits = on\n-log_min_duration_statement = 500\n+log_min_duration_statement = 250\n log_temp_files = 16MB"))
B.filler(4, -300, 40, ["storefront", "checkout", "mail"], "d-7")
up = lambda k, r=4: [mul(T, k, ramp=r)]
B.svc("edge", 420, 9, 60, style="prom", lang="nginx", extra=False, fx=dict(p99=up(9), err=[add(T + 6, .02, ramp=8)]))
B.svc("storefront", 210, 48, 260, style="prom", lang="ruby", fx=dict(lat=up(5.5), err=[add(T + 6, .035, ramp=8)], cpu=up(1.45), rt=[add(T + 2, 28, ramp=6)]))
B.svc("checkout", 24, 90, 410, style="prom", lang="ruby", fx=dict(lat=up(2.4, 8), err=[add(T + 9, .02, ramp=8)]))
B.svc("pricing", 300, 4, 22, style="prom", lang="go")
B.svc("search", 160, 22, 120, style="prom", lang="jvm", fx=dict(rt=[spike(31, 9, .6)]))
B.svc("mail", 3, 30, 200, style="prom", lang="py")
B.pg("shop-db", 90, 900, 31, fx=dict(cpu=[mul(T, 3.1, ramp=4)], active=[mul(T, 7, ramp=5)], tps=[mul(T, 6.2, ramp=3)], locks=[add(T + 5, 1, ramp=5)]))
B.redis("cart-redis", 2800, 1900)
B.topo("edge > storefront search checkout\nstorefront > shop-db cart-redis pricing\ncheckout > shop-db pricing mail\npricing > cart-redis")
B.chat("storefront", ["[{hex8}] Completed 200 OK in {ms:60}ms method=GET path=/cart", "[{hex8}] Completed 200 OK in {ms:70}ms method=GET path=/p/{n:1000-9000}"], 4, "ruby")
B.chat("checkout", ["[{hex8}] order placed number=R{n:100000-900000}"], 1.5, "ruby"); B.chat("edge", [], 4, "nginx"); B.chat("search", ["query took {ms:20}ms hits={n:0-900}"], 1.5, "jvm", ["slow query {ms:800}ms"], .05)
B.chat("pricing", ["priced basket lines={n:1-14} in {ms:3}ms"], 2, "go"); B.chat("shop-db", [], .5, "pg", ["duration: {n:510-900}.{n:100-900} ms  execute <unnamed>: SELECT \"orders\".* FROM \"orders\" WHERE \"orders\".\"user_id\" = $1"], .08)
B.logs("shop-db", "INFO", "duration: {n:252-900}.{n:100-900} ms  execute <unnamed>: SELECT \"promotions\".* FROM \"promotions\" WHERE \"promotions\".\"active\" = TRUE AND \"promotions\".\"sku\" = $1 ORDER BY \"promotions\".\"priority\" DESC LIMIT 1", T + .5, pm=4, ramp=8)
B.logs("storefront", "INFO", "[{hex8}] Completed 200 OK in {ms:900}ms (Views: 31.2ms | ActiveRecord: {ms:700}ms) method=GET path=/cart", T, pm=4)
B.logs("storefront", "ERROR", "[{hex8}] ActiveRecord::ConnectionTimeoutError (could not obtain a connection from the pool within 5.000 seconds; all pooled connections were in use):\napp/serializers/cart_serializer.rb:30:in `line'\napp/serializers/cart_serializer.rb:21:in `block in as_json'\napp/controllers/carts_controller.rb:14:in `show'", T + 7, pm=2)
B.logs("checkout", "ERROR", "[{hex8}] ActiveRecord::QueryCanceled (PG::QueryCanceled: ERROR: canceling statement due to statement timeout):\napp/models/order.rb:88:in `reserve!'", T + 10, pm=.8)
B.logs("edge", "WARN", "upstream timed out (110: Connection timed out) while reading response header, upstream: storefront", T + 7, pm=1.2)
n = B.r
B.trace([dict(c="edge", n="GET /cart", p=-1, ms=4), dict(c="storefront", n="CartsController#show", p=0, ms=24), dict(c="cart-redis", n="HGETALL", p=1, ms=.8), dict(c="pricing", n="Price", p=1, ms=3.5), dict(c="shop-db", n="SELECT line_items", p=1, ms=3),
  dict(c="shop-db", n="SELECT promotions", p=1, ms=4, rep=lambda t: 0 if t < T - 1.5 else n.randint(5, 16), fx=[mul(T, 6, ramp=6)])], .6)
B.alert(T + 8, "HighLatencyP99", "critical", "storefront", "storefront p99 above 1s for 5m", job="storefront")
B.alert(T + 5.5, "PostgresCPUHigh", "warning", "shop-db", "shop-db CPU > 85%", "node_cpu_percent above 85 for 3m", label="instance")
B.alert(T + 11, "HTTP5xx", "critical", "checkout", "checkout 5xx ratio above 1%")
B.finish(T + 9, "code", ["code"], ["storefront"], "d-8815", ["cfg-311", "d-8814"], T, why="Promotion query per cart line appears in spans, slow log and the storefront diff right after d-8815; the database is only the victim.")
