# PHP/Laravel shop. Card processor slows down and times out at minute 87; checkout deployed 2 min before. FPM workers saturate so that catalog looks worst.
from common import *
b = Bundle("card-processor-brownout", 302, "2025-05-16T16:00:00Z", 3, 20, "shop-php")
ON = 87; s = b.stp(ON, 4); day = b.day(.2, 150)
b.svc("edge-nginx", "cw", 240, 60, 380, traffic=day, slow=1 + 9 * b.stp(ON + 6, 6), fail=.16 * b.stp(ON + 9, 5))
b.svc("checkout-web", "statsd", 22, 190, 800, traffic=day, slow=1 + 22 * s, slow50=1 + 9 * s, fail=.24 * b.stp(ON + 2, 3), mem=310)
b.svc("catalog-web", "statsd", 170, 45, 260, traffic=day, slow=1 + 26 * b.stp(ON + 7, 5), slow50=1 + 16 * b.stp(ON + 7, 5), fail=.2 * b.stp(ON + 9, 5), mem=290)
b.g("php-fpm", "phpfpm_active_processes", 38, .12, day, add=130 * b.stp(ON + 1, 5), hi=160, dec=0); b.k("php-fpm", "phpfpm_total_processes", 160); b.g("php-fpm", "phpfpm_listen_queue", .2, 1, add=340 * b.stp(ON + 8, 7), dec=0)
b.c("php-fpm", "phpfpm_slow_requests", .01, add=2.1 * s); b.c("php-fpm", "phpfpm_max_children_reached", 0, add=.25 * b.stp(ON + 8), start=4)
b.g("payments", "payments.authorise.time.median", 420, .07, 1 + 17 * s); b.g("payments", "payments.authorise.time.upper_95", 1100, .1, 1 + 22 * b.stp(ON, 2), hi=30000); b.put("payments", "payments.authorise.timeout", b.rng.poisson(.02 + 60 * s * day), dec=0)
b.put("payments", "payments.wallet.timeout", b.rng.poisson(.02, b.n), dec=0); b.g("payments", "payments.wallet.time.median", 260, .07); b.g("payments", "payments.refund.queue", 12, .3, dec=0)
b.g("mysql", "Threads_connected", 70, .08, day, add=110 * b.stp(ON + 2, 5), dec=0); b.g("mysql", "Threads_running", 6, .2); b.c("mysql", "Queries", 2100, mul=day * (1 - .5 * b.stp(ON + 9, 5))); b.g("mysql", "Innodb_row_lock_time_avg", 3, .4); b.g("mysql", "CPUUtilization", 31, .06, day)
b.g("redis", "redis_connected_clients", 160, .04, dec=0); b.g("redis", "redis_used_memory_mb", 2100, .01, phi=.9); b.g("redis", "redis_ops", 5200, .05, day); b.c("redis", "redis_evicted_keys", .3, add=9 * b.pulse(20, 34, 1))
b.chat("checkout-web", "laravel", 300); b.chat("catalog-web", "laravel", 420); b.chat("edge-nginx", "nginx", 400); b.chat("redis", "redis", 40)
b.burst("payments", "info", ["authorise ok acquirer=card ref={hex} in {ms}0ms", "3ds challenge completed ref={hex}", "authorise ok acquirer=wallet ref={hex} in {ms}ms"], 0, ON, 4); b.burst("payments", "info", "authorise ok acquirer=wallet ref={hex} in {ms}ms", ON, b.mins, 2)
b.burst("payments", "error", ["cURL error 28: Operation timed out after 30001 milliseconds with 0 bytes received (see libcurl-errors) for https://api.card-acquirer.example/v2/authorise", "authorise failed acquirer=card http=504 ref={hex} x-acquirer-node=eu-2"], ON + .5, b.mins, 5)
b.burst("checkout-web", "error", "PaymentException: gateway timeout {\"exception\":\"[object] (App\\\\Exceptions\\\\PaymentException at app/Services/Payments/CardGateway.php:118)\\n#0 app/Http/Controllers/CheckoutController.php(84): CardGateway->authorise()\"}", ON + 1, b.mins, 3)
b.burst("php-fpm", "WARNING", "[pool www] server reached pm.max_children setting (160), consider raising it", ON + 8, b.mins, .8); b.burst("edge-nginx", "error", "upstream timed out (110: Connection timed out) while reading response header from upstream, request: \"GET /catalog/{id}\"", ON + 9, b.mins, 5)
c = b.change("9f31", "commit", 66, "checkout-web", "malin", "Checkout: collect order in a transaction", ["app/Http/Controllers/CheckoutController.php"], diff("app/Http/Controllers/CheckoutController.php", '''@@ -71,12 +71,14 @@ class CheckoutController extends Controller
-        $order = Order::fromCart($cart);
-        $order->save();
-        $order->lines()->saveMany($cart->toLines());
+        $order = DB::transaction(function () use ($cart) {
+            $order = Order::fromCart($cart);
+            $order->save();
+            $order->lines()->saveMany($cart->toLines());
+            return $order;
+        });
         $auth = $this->gateway->authorise($order);
'''))
b.change("D-2207", "deploy", 85, "checkout-web", "deployer", "checkout-web r2207", commit=c)
b.change("D-2204", "deploy", 41, "catalog-web", "deployer", "catalog-web r2204 (facets rewrite)", ["app/Catalog/Facets.php"], None)
b.change("cfg-fpm-3", "config", 12, "php-fpm", "oskar", "fpm: request_terminate_timeout 60s -> 35s", ["ansible/fpm/www.conf.j2"], diff("ansible/fpm/www.conf.j2", '''@@ -14,5 +14,5 @@
 pm.max_children = 160
-request_terminate_timeout = 60s
+request_terminate_timeout = 35s
'''))
b.change("flag-paylater", "flag", 80, "payments", "product", "pay-later button: 5% -> 15%", [], None)
b.change("D-2209", "deploy", 104, "payments", "deployer", "payments r2209: log acquirer node header", ["app/Services/Payments/CardGateway.php"], None)
b.alert("Catalog5xx", "catalog-web", 98, "critical", "catalog-web error ratio > 10%"); b.alert("CheckoutSlow", "checkout-web", 91, "critical", "checkout p95 > 5s"); b.alert("FpmQueue", "php-fpm", 97, "warning", "listen queue is growing", label="job")
b.edges = [["edge-nginx", "php-fpm"], ["php-fpm", "checkout-web"], ["php-fpm", "catalog-web"], ["checkout-web", "payments"], ["payments", "card-acquirer"], ["checkout-web", "mysql"], ["catalog-web", "mysql"], ["catalog-web", "redis"]]
b.expect("dependency_outage", ["dependency"], ["card-acquirer", "payments"], None, ["D-2207", "9f31", "flag-paylater", "D-2204", "D-2209"], ON, [ON - 1, ON + 3], why="Only card authorisation (504 and 30 s timeouts from the acquirer) fails while the wallet in the same code is fine; the deploy merely wraps the order write, and MySQL shows no locks; the FPM pool drags catalog down.")
b.write(opened=93)
